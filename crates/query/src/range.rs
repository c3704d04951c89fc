//! A range of versions, as far as the filters of a statement bound it.

use base::Version;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};

#[cfg(test)]
mod tests;

/// The versions from `begin` up to but not including `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) begin: Version,
    pub(crate) end: Version,
}

impl Range {
    /// Every version up to this one.
    pub(crate) fn until(last: Version) -> Self {
        Self { begin: Version(0), end: last.next() }
    }

    /// What of it can pass all filters, where they compare the column with numbers; other filters bound nothing.
    pub(crate) fn within(self, filters: &[Expr], column: &str) -> Self {
        filters.iter().fold(self, |range, filter| range.passing(filter, column))
    }

    fn passing(self, filter: &Expr, column: &str) -> Self {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                match (is_column(left, column), number(right), is_column(right, column), number(left)) {
                    (true, Some(number), ..) => self.compared(*op, number),
                    (_, _, true, Some(number)) => op.swap().map_or(self, |op| self.compared(op, number)),
                    _ => self,
                }
            }
            Expr::Between(Between { expr, negated: false, low, high }) if is_column(expr, column) => {
                let low = number(low).map_or(self, |number| self.compared(Operator::GtEq, number));
                number(high).map_or(low, |number| low.compared(Operator::LtEq, number))
            }
            _ => self,
        }
    }

    /// The versions that compare so with a number.
    fn compared(self, op: Operator, number: i64) -> Self {
        let at = Version(u64::try_from(number).unwrap_or(0));
        let below = number < 0;
        let begin = |version: Version| Self { begin: self.begin.max(version), ..self };
        let end = |version: Version| Self { end: self.end.min(version), ..self };
        match op {
            Operator::Eq if below => end(Version(0)),
            Operator::Lt | Operator::LtEq if below => end(Version(0)),
            Operator::Gt | Operator::GtEq if below => self,
            Operator::Eq => begin(at).compared(Operator::LtEq, number),
            Operator::Lt => end(at),
            Operator::LtEq => end(at.next()),
            Operator::Gt => begin(at.next()),
            Operator::GtEq => begin(at),
            _ => self,
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.begin.max(Version(1)) >= self.end
    }

    /// How many versions to read next: never more than `most`.
    pub(crate) fn at_most(self, most: usize) -> usize {
        let left = self.end.0.saturating_sub(self.begin.0.max(1));
        usize::try_from(left).unwrap_or(most).min(most)
    }

    /// What of it is before a version.
    pub(crate) fn before(self, version: Version) -> Self {
        Self { end: self.end.min(version), ..self }
    }
}

fn is_column(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Column(column) if column.name == name)
}

fn number(expr: &Expr) -> Option<i64> {
    let Expr::Literal(value, _) = expr else { return None };
    match value.cast_to(&arrow::datatypes::DataType::Int64).ok()? {
        ScalarValue::Int64(number) if value.data_type().is_integer() => number,
        _ => None,
    }
}
