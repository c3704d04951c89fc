//! Rows as texts, for rooms that read a table and know nothing of columns.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use crate::ask::Ask;
use crate::error::Result;
use crate::query::Query;

/// Rows of a batch. Whoever reads a table row by row gains nothing by large ones, and each thread that makes them keeps what
/// one took for a while.
const ROWS: usize = 1024;

/// Some rows whose columns are texts, or whole numbers.
#[derive(Debug)]
pub struct Texts(RecordBatch);

impl Texts {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.0.num_rows()
    }

    /// A value; none where it is null, or no text.
    pub fn get(&self, row: usize, column: usize) -> Option<&str> {
        let column = self.0.column(column);
        if column.is_null(row) {
            return None;
        }
        // The engine keeps texts in several forms.
        match column.as_string_view_opt() {
            Some(texts) => Some(texts.value(row)),
            None => column.as_string_opt::<i32>().map(|texts| texts.value(row)),
        }
    }

    /// A value as a whole number; none where it is null, or no such number.
    pub fn number(&self, row: usize, column: usize) -> Option<i64> {
        let numbers = self.0.column(column).as_primitive_opt::<Int64Type>()?;
        numbers.is_valid(row).then(|| numbers.value(row))
    }
}

impl Query {
    /// The rows of a statement whose columns are texts, or whole numbers.
    pub async fn texts(&self, ask: Ask) -> Result<BoxStream<'static, Result<Texts>>> {
        Ok(self.run_in_batches(ask, ROWS).await?.batches.map_ok(Texts).boxed())
    }
}
