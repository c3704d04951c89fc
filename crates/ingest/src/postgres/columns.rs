//! The columns that a query returns, and what they become.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use tokio_postgres::Statement;
use tokio_postgres::types::Type;

use crate::csv::COLUMN_LIMIT;
use crate::error::{Error, Result};

/// What a column becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bool,
    /// smallint, integer and bigint.
    Int,
    Float,
    Double,
    Date,
    Timestamp,
    Moment,
    Bytes,
    /// numeric with a stated precision and scale; asked for as text, which is exact.
    Decimal(u8, i8),
    Text,
    /// Anything else, as the server writes it.
    AsText,
}

/// The columns of a query, in order.
pub struct Columns {
    names: Vec<String>,
    pub kinds: Vec<Kind>,
}

impl Columns {
    /// The columns of a prepared statement.
    pub fn of(statement: &Statement) -> Result<Self> {
        let refuse = |reason: &str| Err(Error::Query { reason: reason.to_owned(), source: None });
        match statement.columns().len() {
            0 => return refuse("it returns no rows: ask a SELECT"),
            1..=COLUMN_LIMIT => {}
            _ => return refuse("it returns more than 10,000 columns"),
        }
        let names = statement.columns().iter().map(|column| column.name().to_owned()).collect();
        let kinds = statement.columns().iter().map(|column| kind(column.type_(), column.type_modifier())).collect();
        Ok(Self { names, kinds })
    }

    /// The name of a column.
    pub fn name(&self, column: usize) -> &str {
        &self.names[column]
    }

    /// The columns as Arrow has them.
    pub fn schema(&self) -> SchemaRef {
        let fields = self.names.iter().zip(&self.kinds).map(|(name, kind)| Field::new(name, kind.arrow(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The query around `query` that writes some columns as text; none when all can be read as they are.
    pub fn as_text(&self, query: &str) -> Option<String> {
        if !self.kinds.iter().any(is_text) {
            return None;
        }
        let numbered =
            |(number, kind): (usize, &Kind)| format!("c{number}{}", if is_text(kind) { "::text" } else { "" });
        let written: Vec<String> = self.kinds.iter().enumerate().map(numbered).collect();
        let named: Vec<String> = (0..self.kinds.len()).map(|number| format!("c{number}")).collect();
        // The line ends keep a comment at the end of the query from swallowing what follows.
        Some(format!("SELECT {} FROM (\n{query}\n) AS asked({})", written.join(", "), named.join(", ")))
    }

    /// The refusal of a query that no other can be put around.
    pub fn not_as_text(&self, error: tokio_postgres::Error) -> Error {
        let column = self.kinds.iter().position(is_text).map_or("", |column| self.name(column));
        let reason = format!(
            "column {column:?} has a type that only a SELECT can be asked for as text: ask one, or let the statement \
             return text"
        );
        Error::Query { reason, source: Some(error) }
    }
}

fn is_text(kind: &Kind) -> bool {
    matches!(kind, Kind::AsText | Kind::Decimal(..))
}

impl Kind {
    /// The Arrow type.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Moment => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Bytes => DataType::Binary,
            Self::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            Self::Text | Self::AsText => DataType::Utf8,
        }
    }
}

fn kind(ty: &Type, modifier: i32) -> Kind {
    match *ty {
        Type::BOOL => Kind::Bool,
        Type::INT2 | Type::INT4 | Type::INT8 => Kind::Int,
        Type::FLOAT4 => Kind::Float,
        Type::FLOAT8 => Kind::Double,
        Type::DATE => Kind::Date,
        Type::TIMESTAMP => Kind::Timestamp,
        Type::TIMESTAMPTZ => Kind::Moment,
        Type::BYTEA => Kind::Bytes,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::JSON => Kind::Text,
        Type::NUMERIC => decimal(modifier).unwrap_or(Kind::AsText),
        _ => Kind::AsText,
    }
}

/// The precision and scale of `numeric(p, s)` are packed into its modifier, above a header of four bytes.
fn decimal(modifier: i32) -> Option<Kind> {
    let packed = modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
    let precision = u8::try_from(packed >> 16).ok().filter(|precision| (1..=38).contains(precision))?;
    let scale = i8::try_from(packed & 0x7ff).ok().filter(|scale| i16::from(*scale) <= i16::from(precision))?;
    Some(Kind::Decimal(precision, scale))
}
