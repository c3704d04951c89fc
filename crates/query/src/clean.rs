//! Messages of the engine, made fit for outside.

use base::ByteSize;
use datafusion::arrow::error::ArrowError;
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::parquet::errors::ParquetError;

use crate::error::Error;

/// Longest message that leaves the house, in characters.
const MAX_MESSAGE: usize = 600;

/// What a message must not repeat, and what it may state.
#[derive(Debug, Clone)]
pub(crate) struct Cleaner {
    pub(crate) literals: Vec<String>,
    pub(crate) memory_limit: ByteSize,
}

impl Cleaner {
    /// The error of this room that says the same as the engine's.
    pub(crate) fn error(&self, error: DataFusionError) -> Error {
        match error {
            DataFusionError::External(inner) => external(inner),
            DataFusionError::ArrowError(inner, _) => self.arrow(*inner),
            DataFusionError::ResourcesExhausted(_) => self.memory_limit(),
            DataFusionError::SchemaError(inner, _) => self.schema(&inner),
            DataFusionError::SQL(inner, _) => self.invalid(&inner.to_string()),
            DataFusionError::Plan(text) | DataFusionError::Configuration(text) => self.invalid(&text),
            DataFusionError::NotImplemented(text) => Error::Unsupported(self.not_implemented(&text)),
            DataFusionError::Execution(text) => self.execution(&text),
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => self.error(*inner),
            DataFusionError::Collection(errors) => {
                errors.into_iter().next().map_or(Error::Panicked, |first| self.error(first))
            }
            DataFusionError::Shared(inner) => self.shared(&inner),
            DataFusionError::ExecutionJoin(_) => Error::Panicked,
            DataFusionError::ParquetError(inner) if in_a_filter(&inner) => uncomputable(),
            DataFusionError::ParquetError(inner) => file(*inner),
            error @ (DataFusionError::ObjectStore(_) | DataFusionError::IoError(_)) => {
                Error::Unreadable(Box::new(error))
            }
            error => {
                tracing::error!(error = %error, "the query engine reported a fault of its own");
                Error::Unsupported("the engine cannot answer this statement".to_owned())
            }
        }
    }

    /// A memory error in the words of this room.
    pub(crate) fn memory_limit(&self) -> Error {
        Error::MemoryLimit { limit: self.memory_limit, advice: "read fewer columns or rows, or aggregate first" }
    }

    /// An error that several streams share cannot be taken apart, only looked at.
    fn shared(&self, error: &DataFusionError) -> Error {
        match error {
            DataFusionError::ResourcesExhausted(_) => self.memory_limit(),
            DataFusionError::Execution(text) => self.execution(text),
            DataFusionError::ArrowError(inner, _) => self.arrow_text(inner),
            DataFusionError::Shared(inner) => self.shared(inner),
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => self.shared(inner),
            DataFusionError::External(inner) => match inner.downcast_ref::<limits::Error>() {
                Some(limit) => limit.clone().into(),
                _ => invalid_pattern(&inner.to_string()).unwrap_or_else(|| unreadable(inner.as_ref())),
            },
            DataFusionError::ParquetError(inner) if in_a_filter(inner) => uncomputable(),
            DataFusionError::ParquetError(inner) => match inner.as_ref() {
                ParquetError::External(inner) => unreadable(inner.as_ref()),
                inner => unreadable(inner),
            },
            DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => {
                Error::Unreadable(error.to_string().into())
            }
            other => {
                tracing::error!(error = %other, "a query failed");
                Error::Failed("the query failed".to_owned())
            }
        }
    }

    fn arrow(&self, error: ArrowError) -> Error {
        match error {
            ArrowError::ExternalError(inner) => match inner.downcast::<DataFusionError>() {
                Ok(engine) => self.error(*engine),
                Err(other) => file(ParquetError::External(other)),
            },
            other => self.arrow_text(&other),
        }
    }

    fn arrow_text(&self, error: &ArrowError) -> Error {
        match error {
            ArrowError::ArithmeticOverflow(_) | ArrowError::OffsetOverflowError(_) => Error::Overflow,
            ArrowError::DivideByZero => Error::Failed("division by zero".to_owned()),
            ArrowError::MemoryError(_) => self.memory_limit(),
            ArrowError::ExternalError(inner) => match inner.downcast_ref::<DataFusionError>() {
                Some(engine) => self.shared(engine),
                None => unreadable(inner.as_ref()),
            },
            ArrowError::ParquetError(text) => Error::Unreadable(text.clone().into()),
            other => self.execution(&other.to_string()),
        }
    }

    fn execution(&self, text: &str) -> Error {
        let lower = text.to_ascii_lowercase();
        if lower.contains("overflow") {
            return Error::Overflow;
        }
        if lower.contains("divide by zero") {
            return Error::Failed("division by zero".to_owned());
        }
        Error::Failed(self.message(text))
    }

    fn invalid(&self, text: &str) -> Error {
        Error::Invalid(self.message(text))
    }

    /// The engine shows parts of its plan, as nobody wrote them, where it has no words for what it cannot do.
    fn not_implemented(&self, text: &str) -> String {
        if ["{ ", "Physical plan", "logical expression", "\n"].iter().any(|inner| text.contains(inner)) {
            tracing::debug!(text, "the engine does not implement something");
            return "the statement uses an expression or a subquery in a place where this engine does not take it; \
                    write it as a join or in a WITH clause"
                .to_owned();
        }
        self.message(text)
    }

    fn message(&self, text: &str) -> String {
        scrub(text, &self.literals)
    }

    fn schema(&self, error: &SchemaError) -> Error {
        match error {
            SchemaError::FieldNotFound { field, valid_fields } => {
                let namesake = valid_fields.iter().find(|column| column.name == field.name);
                if let Some(namesake) = namesake.filter(|_| field.relation.is_some()) {
                    let (asked, known) = (field.flat_name(), namesake.flat_name());
                    return Error::Invalid(self.message(&format!("no column is named {asked}; did you mean {known}?")));
                }
                let known = valid_fields.iter().map(|column| column.name.as_str());
                Error::Invalid(self.message(&missing("column", &field.name, known)))
            }
            SchemaError::AmbiguousReference { field } => {
                let text = format!("column {:?} is ambiguous; write it with its table", field.name);
                Error::Invalid(self.message(&text))
            }
            other => self.invalid(&other.to_string()),
        }
    }
}

/// What the rooms that compute and read have said, which the engine only carried.
fn external(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(own) => return *own,
        Err(error) => error,
    };
    match error.downcast::<limits::Error>() {
        Ok(limit) => (*limit).into(),
        Err(other) => invalid_pattern(&other.to_string()).unwrap_or(Error::Unreadable(other)),
    }
}

/// Whether a scan failed to compute a filter that a join or a sort gave it, which is no fault of the file.
fn in_a_filter(error: &ParquetError) -> bool {
    match error {
        ParquetError::External(inner) => matches!(inner.downcast_ref(), Some(ArrowError::ComputeError(_))),
        _ => false,
    }
}

/// Why a file could not be read. Which one it is, and of which dataset, is told where its bytes are checked.
fn file(error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<Error>() {
            Ok(own) => *own,
            Err(inner) => Error::Unreadable(inner),
        },
        error => Error::Unreadable(Box::new(error)),
    }
}

/// The same of an error that can only be looked at.
fn unreadable(error: &(dyn std::error::Error + 'static)) -> Error {
    if let Some(Error::Catalog(inner)) = error.downcast_ref()
        && let catalog::Error::Damaged { what, source } = inner.as_ref()
    {
        return catalog::Error::Damaged { what: what.clone(), source: source.to_string().into() }.into();
    }
    Error::Unreadable(error.to_string().into())
}

/// What is wrong with a regular expression, of which the engine hands the compiler's own words on. They show the pattern
/// before they say what is wrong with it.
fn invalid_pattern(text: &str) -> Option<Error> {
    let why = match text.strip_prefix("regex parse error:") {
        Some(shown) => shown.rsplit("\nerror: ").next()?,
        None => text.starts_with("Compiled regex exceeds size limit").then_some("it is too large")?,
    };
    Some(Error::Failed(format!("the regular expression cannot be used: {}", why.trim())))
}

fn uncomputable() -> Error {
    Error::Failed("a value that rows are joined or ordered by cannot be computed".to_owned())
}

/// Says that `name` does not exist, and which known names are near it.
pub(crate) fn missing<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = nearest(name, known);
    let shown: String = name.chars().take(130).collect();
    if near.is_empty() {
        return format!("no {what} is named {shown:?}");
    }
    format!("no {what} is named {shown:?}; did you mean {}?", near.join(" or "))
}

/// At most three known names that a typing slip could have turned into `name`, nearest first.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = name.to_lowercase();
    let score = |candidate: &str| strsim::jaro_winkler(&wanted, &candidate.to_lowercase());
    let mut scored: Vec<(f64, &str)> = known.map(|known| (score(known), known)).filter(|near| near.0 > 0.8).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by_key(|near| near.1);
    scored.into_iter().take(3).map(|near| near.1).collect()
}

/// Replaces the statement's string literals by `…`, drops names of inner parts, and bounds the length.
pub(crate) fn scrub(text: &str, literals: &[String]) -> String {
    let mut cleaned = text.split("\n\nbacktrace:").next().unwrap_or(text).to_owned();
    let mut longest_first: Vec<&String> = literals.iter().collect();
    longest_first.sort_by_key(|literal| std::cmp::Reverse(literal.len()));
    for literal in longest_first {
        for quoted in [format!("'{literal}'"), format!("\"{literal}\"")] {
            cleaned = cleaned.replace(&quoted, "'…'");
        }
        if literal.len() >= 4 {
            cleaned = cleaned.replace(literal.as_str(), "…");
        }
    }
    for (inner, outer) in INNER_WORDS {
        cleaned = cleaned.replace(inner, outer);
    }
    cleaned.chars().take(MAX_MESSAGE).collect()
}

const INNER_WORDS: &[(&str, &str)] = &[
    ("sql parser error: ", ""),
    ("Error during planning: ", ""),
    ("This feature is not implemented: ", ""),
    ("lakehouse.default.", ""),
    ("DataFusion", "the engine"),
    ("datafusion.", ""),
    ("Arrow error: ", ""),
    ("Utf8View", "VARCHAR"),
    ("LargeUtf8", "VARCHAR"),
    ("Utf8", "VARCHAR"),
    ("Int64", "BIGINT"),
    ("Float64", "DOUBLE"),
];
