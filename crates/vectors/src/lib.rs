//! Vector indexes: durable fragments and segments on the store, found by meaning, by words or by both.
//!
//! It never embeds a text, never speaks SQL or HTTP and acknowledges nothing before it is durable. Reading order:
//! [`vectors`] (the verbs, by name), [`request`] and [`answer`] (what goes in and comes out), `check` (what is
//! refused), `open` and `index` (those that are open), `change`, `fragment` with `layout`, `texts` and `encode` (how
//! changes are stored), `journal`, `reader`, `fragments` and `reached` (how they become durable, and those of other
//! processes are found), `table`, `block` and `snapshot` (the live set they add up to), `search` over the `kernel` or over
//! `codes`, which `coder` makes and keeps, and `visible` rows, [`recall`] (how well that is found), `ranking` over `words`
//! (search by what texts say), [`metadata`], [`field`], [`filter`] with `chosen` (what is asked of metadata, and the rows
//! that have it), [`config`], [`error`].

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
pub mod filter;
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
pub mod metadata;
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
    Added, Description, Found, Hit, IndexModelState, IndexSealed, Listing, Merged, Ranked, Ranking, Ranks, Removed,
    StoredItem,
};
pub use catalog::IndexModel;
pub use change::Item;
pub use config::Config;
pub use error::{Error, Result};
pub use field::{Field, FieldType};
pub use filter::Filter;
pub use keeper::Keeper;
pub use recall::Recall;
pub use request::{Near, NewIndex, Survey, Wording};
pub use vectors::Vectors;
