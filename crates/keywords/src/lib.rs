//! Keywords: which texts hold the words that are asked for, and how much that says of each.
//!
//! It never does I/O and knows neither ids nor metadata: texts are rows, and rows are numbers. Reading order: [`words`]
//! with `plurals` (what counts as the same word), [`postings`] (which rows hold which), [`query`] (how they are ranked:
//! BM25).

mod plurals;
pub mod postings;
pub mod query;
pub mod words;

pub use postings::{Builder, Postings};
pub use query::{MAX_WORDS, Query, Statistics};
