//! Where workers meet: texts are indexed and searched, SQL asks vector indexes, and model output is checked.
//!
//! It never stores, computes or serves anything itself: each flow is a few calls in order. Reading order: [`texts`]
//! (what the flows share), [`create_index`], [`index_text`], [`search`], [`rerank`], [`sql_search`] (SQL's way in),
//! [`rosters`] (who exists, at a version), [`packs`] (checks as data), [`validate`], [`chats`] and [`iterate`],
//! [`record`] (what is written down of runs), [`streams`] (evidence in SQL), [`config`].

pub mod chats;
pub mod config;
pub mod create_index;
pub mod error;
pub mod index_text;
pub mod iterate;
pub mod packs;
pub mod record;
pub mod rerank;
pub mod rosters;
pub mod search;
pub mod sql_search;
pub mod streams;
pub mod texts;
pub mod validate;

pub use chats::{Chats, Pieces};
pub use config::{EvidenceConfig, ValidatorConfig};
pub use create_index::NewIndex;
pub use error::{Error, Result};
pub use index_text::TextItem;
pub use iterate::{Attempt, Iterate, Iteration, Retrieve, Session, Status, Verdict};
pub use packs::{DryRun, Jury, Packs, WouldFail};
pub use record::{Recorded, Recorder, Step};
pub use rerank::RERANKED;
pub use rosters::Rosters;
pub use search::{Given, Search, Sought};
pub use streams::StreamTables;
pub use texts::Texts;
pub use validate::{Judgement, Validator};
