//! Where workers meet: texts are indexed and searched, and SQL asks vector indexes.
//!
//! It never stores, computes or serves anything itself: each flow is a few calls in order. Reading order: [`texts`]
//! (what the flows share), [`create_index`], [`index_text`], [`search`] and [`search_text`], [`rerank`], [`vector_search`] (SQL's way in).

pub mod create_index;
pub mod error;
pub mod index_text;
pub mod rerank;
pub mod search;
pub mod search_text;
pub mod texts;
pub mod vector_search;

pub use create_index::NewIndex;
pub use error::{Error, Result};
pub use index_text::TextItem;
pub use rerank::RERANKED;
pub use search::{Answer, Sought};
pub use texts::Texts;
