//! Text to vectors: the cache with one computation per text, the deadline and the fingerprint of every vector.
//!
//! It never calls a model itself, never keeps a text and never touches the lake. Reading order: [`embed`] (a request
//! and its answer), `cache` (which texts are known, being computed or to be computed), [`config`], [`error`].

mod cache;
pub mod config;
pub mod embed;
pub mod error;

pub use cache::Stats;
pub use config::Config;
pub use embed::{Ask, Embed, Embedded};
pub use error::{Error, Result};
pub use models::{Listed, Overflow};
