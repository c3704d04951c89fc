//! `Query`: the verbs of this room.

use base::{AsOf, QueryId, Seams};
use catalog::Catalog;

use crate::answer::Answer;
use crate::config::Config;
use crate::error::Result;

/// One question.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// One SQL query.
    pub sql: String,
    /// The version that every table is read at; the newest when not given.
    pub as_of: Option<AsOf>,
    /// Values of `$1`, `$2`, … in order.
    pub params: Vec<serde_json::Value>,
}

/// Answers SQL over a catalog. Cheap to clone.
#[derive(Clone)]
pub struct Query {}

impl Query {
    /// Starts the threads that plan and execute queries.
    pub fn new(catalog: Catalog, config: &Config, seams: Seams) -> Result<Self> {
        let _ = (catalog, config, seams);
        todo!()
    }

    /// Pins a version, plans the statement and starts it. Errors that show while rows flow arrive in the batches.
    pub async fn run(&self, ask: Ask) -> Result<Answer> {
        let _ = ask;
        todo!()
    }

    /// Ends a running query; false when no such query runs.
    pub fn cancel(&self, id: QueryId) -> bool {
        let _ = id;
        todo!()
    }

    /// How many rows a JSON answer may hold when a request asks for `asked`; an error above the limit.
    pub fn max_rows(&self, asked: Option<u64>) -> Result<usize> {
        let _ = asked;
        todo!()
    }
}
