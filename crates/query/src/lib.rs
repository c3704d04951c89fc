//! SQL over one pinned version of the lake: statements become plans, and plans rows.
//!
//! It never writes to the lake, never opens a file, URL or bucket named in SQL, and reads every table at one pinned
//! version, unless the statement names another for it. Reading order: [`config`] and [`error`]; [`ask`], [`search`],
//! [`streams`], [`query`] (the verbs) and `run` (a running query); how a question becomes a plan: `statement`, `guard`,
//! `unread`, `precedence`, `spelled`, `clauses`, `calls`, `arguments`, `scope`, `quoted`, `names`, `params`, `plan`;
//! what the engine reads: `provider`, `scan`, `file`, `columns`, `nested`, `bounds`, `cut`, `deletes`, `ahead` and
//! `kept` (files with deleted rows), `found`, `history`, `range`, `system`; what it computes with: `engine` (and the
//! room `limits`), `layers`, `multiset`, `subqueries`, `recursion`, `pushdown`; and what leaves: [`answer`], [`texts`],
//! [`types`], `clean` (messages).

mod ahead;
pub mod answer;
mod arguments;
pub mod ask;
mod bounds;
mod calls;
mod clauses;
mod clean;
mod columns;
pub mod config;
mod cut;
mod deletes;
mod engine;
pub mod error;
mod file;
mod found;
mod guard;
mod history;
mod kept;
mod layers;
mod multiset;
mod names;
mod nested;
mod params;
mod plan;
mod precedence;
mod provider;
mod pushdown;
pub mod query;
mod quoted;
mod range;
mod recursion;
mod run;
mod scan;
mod scope;
pub mod search;
mod spelled;
mod statement;
pub mod streams;
mod subqueries;
mod system;
pub mod texts;
pub mod types;
mod unread;

pub use answer::{Answer, ResultColumn};
pub use ask::Ask;
pub use config::Config;
pub use error::{Error, Result};
pub use query::Query;
pub use search::{FieldType, IndexSearch, IndexSearches, Neighbour, SearchFault, SearchField, Sought};
pub use streams::{StreamTable, Streams};
pub use texts::Texts;
