//! Vector indexes: durable fragments and segments on the store, found by meaning, by words or by both.
//!
//! It never embeds a text, never speaks SQL or HTTP and acknowledges nothing before it is durable. Reading order:
//! [`vectors`] (the verbs, by name), [`request`] and [`answer`] (what goes in and comes out), `check` (what is refused),
//! `open`, `index` and `view` (those that are open, and what readers see of one), `merge`;
//!
//! how changes become durable: `change`, `fragment` with `layout`, `texts` and `encode` (how they are stored), `journal`,
//! `reader`, `fragments` and `reached` (those of other processes);
//!
//! what they add up to: `table`, `block`, `fresh`, `snapshot` and `visible` rows; sealed into versions: [`keeper`],
//! `seal`, `segment`, `ends`, `joining`, `lake_seals`, `succession`, `ground` and `past`, [`stored`] (their files as they
//! are copied);
//!
//! how something is found: `search` over the `kernel` or over `codes`, which `coder` makes and keeps, [`recall`] (how
//! well), `ranking` over `words` (by what texts say), [`field`] (what metadata there is), `chosen` (the rows that a filter
//! is about); [`config`], [`error`].

pub mod answer;
mod block;
mod change;
mod check;
mod chosen;
mod coder;
mod codes;
pub mod config;
mod encode;
mod ends;
pub mod error;
pub mod field;
mod fragment;
mod fragments;
mod fresh;
mod ground;
mod index;
mod joining;
mod journal;
pub mod keeper;
mod kernel;
mod lake_seals;
mod layout;
mod merge;
mod open;
mod past;
mod ranking;
mod reached;
mod reader;
pub mod recall;
pub mod request;
mod seal;
mod search;
mod segment;
mod snapshot;
pub mod stored;
mod succession;
mod table;
mod texts;
pub mod vectors;
mod view;
mod visible;
mod words;

pub use answer::{
    Added, Description, Found, Hit, IndexModelState, IndexSealed, Listing, Merged, Ranks, Removed, StoredItem,
};
pub use catalog::IndexModel;
pub use change::Item;
pub use config::Config;
pub use error::{Error, Result};
pub use field::{Field, FieldType};
pub use filters::{Filter, metadata};
pub use keeper::Keeper;
pub use recall::Recall;
pub use request::{By, Effort, Nearness, NewIndex, Search, Survey};
pub use vectors::Vectors;
