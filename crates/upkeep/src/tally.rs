//! Rows as a multiset: two piles of rows hold the same ones exactly when their tallies are equal.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::row::{RowConverter, SortField};
use sha2::{Digest, Sha256};

use crate::error::Result;

#[cfg(test)]
mod tests;

/// How many rows there are, and the sum of their hashes over all columns, in whatever order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub rows: u64,
    sum: u128,
}

/// Tallies batches of one schema.
pub(crate) struct Teller {
    converter: RowConverter,
    tally: Tally,
}

/// Whether rows of these columns can be compared.
pub(crate) fn can_tally(schema: &Schema) -> bool {
    RowConverter::supports_fields(&fields(schema))
}

fn fields(schema: &Schema) -> Vec<SortField> {
    schema.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect()
}

impl Teller {
    pub fn new(schema: &Schema) -> Result<Self> {
        Ok(Self { converter: RowConverter::new(fields(schema))?, tally: Tally::default() })
    }

    /// Adds the rows of a batch.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = self.converter.convert_columns(batch.columns())?;
        for row in &rows {
            self.tally.rows += 1;
            self.tally.sum = self.tally.sum.wrapping_add(hash(row.as_ref()));
        }
        Ok(())
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }
}

fn hash(row: &[u8]) -> u128 {
    let mut first = [0; 16];
    first.copy_from_slice(&Sha256::digest(row)[..16]);
    u128::from_be_bytes(first)
}
