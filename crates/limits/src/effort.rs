//! Comparisons of texts that cost the product of two lengths, held to a limit: one of them cannot be interrupted.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::kernels::length::length;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::{Error, external};
use crate::watched::look_up;

#[cfg(test)]
mod tests;

/// Longest pattern of LIKE and of regular expressions, in bytes.
const LONGEST_PATTERN: i64 = 1_000;
/// Most pairs of bytes that levenshtein compares before it looks up from its work; two texts of 16 KB are about as many.
const MOST_PAIRS: i128 = 250_000_000;

/// Whether the right side of an operator is a pattern.
pub(crate) fn takes_pattern(op: Operator) -> bool {
    use Operator::{ILikeMatch, LikeMatch, NotILikeMatch, NotLikeMatch};
    use Operator::{RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch};
    let of_like = matches!(op, LikeMatch | ILikeMatch | NotLikeMatch | NotILikeMatch);
    of_like || matches!(op, RegexMatch | RegexIMatch | RegexNotMatch | RegexNotIMatch)
}

/// `pattern`, after a check of its length; one that is written out and short needs none.
pub(crate) fn pattern(pattern: Expr) -> Expr {
    let short = match &pattern {
        Expr::Literal(value, _) => value.size() - size_of_val(value) <= LONGEST_PATTERN as usize,
        other => is_checked(other),
    };
    if short {
        return pattern;
    }
    ScalarUDF::new_from_impl(ShortPattern(Signature::any(1, Volatility::Immutable))).call(vec![pattern])
}

/// The same call with checks of the arguments that decide how long it takes.
pub(crate) fn bound(mut call: ScalarFunction) -> ScalarFunction {
    match (call.func.name(), call.args.as_mut_slice()) {
        ("regexp_like" | "regexp_match" | "regexp_count" | "regexp_instr" | "regexp_replace", [_, second, ..]) => {
            *second = pattern(std::mem::take(second));
        }
        ("levenshtein", _) if call.func.inner().downcast_ref::<Distance>().is_none() => {
            call.func = Arc::new(ScalarUDF::new_from_impl(Distance(call.func)));
        }
        _ => {}
    }
    call
}

fn is_checked(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if call.func.inner().downcast_ref::<ShortPattern>().is_some())
}

/// Answers its argument, after a check of how long the longest is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ShortPattern(Signature);

impl ScalarUDFImpl for ShortPattern {
    fn name(&self) -> &str {
        "checked_text"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let first = arguments.first().cloned();
        first.ok_or_else(|| DataFusionError::Plan("a check needs a text".to_owned()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let first = args.args.into_iter().next();
        let text = first.ok_or_else(|| DataFusionError::Internal("a check needs a text".to_owned()))?;
        if arrow::compute::max(of(&lengths(&text.to_array(args.number_rows)?)?)) > Some(LONGEST_PATTERN) {
            let limit = format!("a pattern of LIKE or of a regular expression has at most {LONGEST_PATTERN} bytes");
            return Err(external(Error::Failed(limit)));
        }
        Ok(text)
    }
}

/// The engine's levenshtein, which looks up from its work between rows.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Distance(Arc<ScalarUDF>);

impl ScalarUDFImpl for Distance {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.0.return_type(arguments)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.0.coerce_types(arguments)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = ColumnarValue::values_to_arrays(&args.args)?;
        let pairs = pairs(&texts)?;
        if pairs.iter().any(|pairs| *pairs > MOST_PAIRS) {
            return Err(external(Error::Failed("levenshtein is asked to compare too long texts".to_owned())));
        }
        if pairs.iter().sum::<i128>() <= MOST_PAIRS {
            return self.0.invoke_with_args(args);
        }
        let mut distances = Vec::new();
        let mut done = 0;
        while done < pairs.len() {
            look_up(&args.config_options)?;
            let rows = fitting(&pairs[done..]);
            let texts = texts.iter().map(|texts| ColumnarValue::Array(texts.slice(done, rows))).collect();
            let piece = ScalarFunctionArgs { args: texts, number_rows: rows, ..args.clone() };
            distances.push(self.0.invoke_with_args(piece)?.into_array(rows)?);
            done += rows;
        }
        let distances: Vec<&dyn Array> = distances.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(arrow::compute::concat(&distances)?))
    }
}

/// How many rows from the first on are compared before work is looked up from; one at least.
fn fitting(pairs: &[i128]) -> usize {
    let mut sum = 0;
    let within = |pairs: &&i128| {
        sum += **pairs;
        sum <= MOST_PAIRS
    };
    pairs.iter().take_while(within).count().max(1)
}

/// How many pairs of bytes the texts of each row have.
fn pairs(texts: &[ArrayRef]) -> Result<Vec<i128>> {
    let lengths = texts.iter().map(lengths).collect::<Result<Vec<_>>>()?;
    let [one, two] = lengths.as_slice() else { return Ok(Vec::new()) };
    let both = of(one).iter().zip(of(two));
    Ok(both.map(|(one, two)| i128::from(one.unwrap_or(0)) * i128::from(two.unwrap_or(0))).collect())
}

/// The length in bytes of a text in each row; of anything else nothing is known, and nothing feared.
fn lengths(texts: &ArrayRef) -> Result<ArrayRef> {
    match length(texts) {
        Ok(lengths) => Ok(arrow::compute::cast(&lengths, &DataType::Int64)?),
        Err(_) => Ok(arrow::array::new_null_array(&DataType::Int64, texts.len())),
    }
}

fn of(lengths: &ArrayRef) -> &arrow::array::Int64Array {
    lengths.as_primitive::<Int64Type>()
}
