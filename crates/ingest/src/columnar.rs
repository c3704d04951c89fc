//! Parquet as bytes: what a file says of itself is checked before it is believed.

pub mod guard;
pub mod int96;
pub mod lists;
pub mod text;
pub mod types;
