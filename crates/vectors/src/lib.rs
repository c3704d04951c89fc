//! Vector indexes: durable fragments on the store, exact search over memory-mapped vectors.
//!
//! It never embeds a text, never speaks SQL or HTTP and acknowledges nothing before it is durable. Reading order:
//! [`vectors`] (the verbs, by name), [`request`] and [`answer`] (what goes in and comes out), `check` (what is
//! refused), `open` and `index` (those that are open), `change`, `fragment` with `layout`, `texts` and `encode` (how changes are stored),
//! `journal`, `reader`, `fragments` and `reached` (how they become durable, and those of other processes are found), `table`, `block` and `snapshot` (the live set they add up to), `search` over the `kernel`,
//! [`metadata`], [`field`], [`config`], [`error`].

pub mod answer;
mod block;
mod change;
mod check;
pub mod config;
mod encode;
pub mod error;
pub mod field;
mod fragment;
mod fragments;
mod index;
mod journal;
mod kernel;
mod layout;
pub mod metadata;
mod open;
mod reached;
mod reader;
pub mod request;
mod search;
mod snapshot;
mod table;
mod texts;
pub mod vectors;

pub use answer::{Added, Description, Found, Hit, IndexModelState, Listing, Removed, StoredItem};
pub use catalog::IndexModel;
pub use change::Item;
pub use config::Config;
pub use error::{Error, Result};
pub use field::{Field, FieldType};
pub use request::{Near, NewIndex};
pub use vectors::Vectors;
