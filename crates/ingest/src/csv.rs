//! CSV as bytes: encodings, dialects, records and the cells in them.

pub mod dialect;
pub mod encoding;
pub mod header;
pub mod reader;
pub mod split;

/// The longest cell, in bytes.
pub const CELL_LIMIT: usize = 64 << 20;
/// The longest row, in bytes: one longest cell and as much beside it as anyone could mean.
pub const ROW_LIMIT: usize = CELL_LIMIT + (8 << 20);
/// The most columns a file may have.
pub const COLUMN_LIMIT: usize = 10_000;
/// The longest name of a column, in bytes: every version of a table and every list of tables repeats it.
pub const NAME_LIMIT: usize = 1024;
