//! Where workers meet: texts are indexed and searched, SQL asks vector indexes, and model output is checked.
//!
//! It never stores, computes or serves anything itself: each flow is a few calls in order. Reading order: [`texts`]
//! (what the flows share), [`create_index`], [`index_text`], [`search`] and [`search_text`], [`rerank`],
//! [`vector_search`] (SQL's way in), [`rosters`] (who exists, at a version), [`packs`] (checks as data), [`validate`]
//! and [`iterate`], [`streams`] (evidence in SQL), [`config`].

pub mod config;
pub mod create_index;
pub mod error;
pub mod index_text;
pub mod iterate;
pub mod packs;
pub mod rerank;
pub mod rosters;
pub mod search;
pub mod search_text;
pub mod streams;
pub mod texts;
pub mod validate;
pub mod vector_search;

pub use config::ValidatorConfig;
pub use create_index::NewIndex;
pub use error::{Error, Result};
pub use index_text::TextItem;
pub use iterate::{Attempt, Iterate, Iteration, Retrieve, Session, Status, Verdict};
pub use packs::{DryRun, Packs, WouldFail};
pub use rerank::RERANKED;
pub use rosters::Rosters;
pub use search::{Answer, Sought};
pub use streams::StreamTables;
pub use texts::Texts;
pub use validate::{Judgement, Validator};
