//! JSON as bytes: where records lie, what is in them, and which columns that makes.

pub mod frame;
pub mod names;
pub mod parse;
pub mod reader;

/// How deep objects and arrays may be nested; each level is a step of recursion.
pub const DEPTH_LIMIT: usize = 128;
