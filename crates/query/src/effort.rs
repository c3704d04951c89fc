//! Comparisons of texts that cost the product of two lengths, held to a limit: one of them cannot be interrupted.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::kernels::length::length;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;
use crate::provider::external;

/// Longest pattern of LIKE and of regular expressions, in bytes.
const LONGEST_PATTERN: i64 = 1_000;
/// Most pairs of bytes that levenshtein compares over one batch of rows.
const MOST_PAIRS: i64 = 4_000_000_000;

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
    if short { pattern } else { checked(Kind::Pattern, 1).call(vec![pattern]) }
}

/// The same call with checks of the arguments that decide how long it takes.
pub(crate) fn bound(mut call: ScalarFunction) -> ScalarFunction {
    match (call.func.name(), call.args.as_mut_slice()) {
        ("regexp_like" | "regexp_match" | "regexp_count" | "regexp_instr" | "regexp_replace", [_, second, ..]) => {
            *second = pattern(std::mem::take(second));
        }
        ("levenshtein", [first, second]) if !is_checked(first) => {
            *first = checked(Kind::Pairs, 2).call(vec![std::mem::take(first), second.clone()]);
        }
        _ => {}
    }
    call
}

fn is_checked(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if call.func.inner().downcast_ref::<Checked>().is_some())
}

fn checked(kind: Kind, arguments: usize) -> Arc<ScalarUDF> {
    let signature = Signature::any(arguments, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Checked { kind, signature }))
}

/// What is checked of the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// How long the longest is.
    Pattern,
    /// The product of their lengths, over all rows.
    Pairs,
}

/// Answers its first argument, after a check.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    kind: Kind,
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        "checked_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let first = arguments.first().cloned();
        first.ok_or_else(|| DataFusionError::Plan("a check needs a text".to_owned()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let lengths = args.args.iter().map(|text| lengths(text, args.number_rows)).collect::<Result<Vec<_>>>()?;
        match (self.kind, lengths.as_slice()) {
            (Kind::Pattern, [pattern]) if arrow::compute::max(of(pattern)) > Some(LONGEST_PATTERN) => {
                let limit = format!("a pattern of LIKE or of a regular expression has at most {LONGEST_PATTERN} bytes");
                return Err(external(Error::Failed(limit)));
            }
            (Kind::Pairs, [one, two]) if pairs(one, two) > i128::from(MOST_PAIRS) => {
                return Err(external(Error::Failed("levenshtein is asked to compare too long texts".to_owned())));
            }
            _ => {}
        }
        let first = args.args.into_iter().next();
        first.ok_or_else(|| DataFusionError::Internal("a check needs a text".to_owned()))
    }
}

/// The length in bytes of a text in each row; of anything else nothing is known, and nothing feared.
fn lengths(text: &ColumnarValue, rows: usize) -> Result<ArrayRef> {
    let array = text.to_array(rows)?;
    match length(&array) {
        Ok(lengths) => Ok(arrow::compute::cast(&lengths, &DataType::Int64)?),
        Err(_) => Ok(arrow::array::new_null_array(&DataType::Int64, rows)),
    }
}

fn of(lengths: &ArrayRef) -> &arrow::array::Int64Array {
    lengths.as_primitive::<Int64Type>()
}

fn pairs(one: &ArrayRef, two: &ArrayRef) -> i128 {
    let both = of(one).iter().zip(of(two));
    both.filter_map(|(one, two)| Some(i128::from(one?) * i128::from(two?))).sum()
}
