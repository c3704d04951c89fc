//! What keeps a pack from judging, found before anybody is judged.

use ::validate::{Assertion, Worker};
use serde_json::{Value, json};

use crate::error::Error;

/// A statement that does not run.
#[derive(Debug)]
pub(super) struct Obstacle {
    /// Which of the pack's assertions, from 1.
    pub(super) check: usize,
    /// What it met.
    pub(super) source: query::Error,
    /// The value that it cannot take, and where artifacts have it; none where it runs with no value at all.
    pub(super) value: Option<(String, Value)>,
}

impl Obstacle {
    /// Why a pack with it is not kept.
    pub(super) fn refusal(self) -> Error {
        let Some((pointer, value)) = self.value else { return Error::Query(self.source) };
        let why = format!(
            "assertions[{}]: {pointer} is a value such as {value}, which the statement cannot take ({}); compare texts with \
             texts, as in CAST(column AS VARCHAR)",
            self.check - 1,
            self.source
        );
        Error::Validate(::validate::Error::Pack { why })
    }
}

/// The values that an assertion is tried with: none at all, and those that the roster tells.
pub(super) fn trials(assertion: &Assertion, worker: Option<&Worker<'_>>) -> Vec<Vec<Value>> {
    let mut trials = vec![vec![Value::Null; assertion.params.len()]];
    if let Some(worker) = worker {
        trials.push(assertion.params.iter().map(|pointer| sample(pointer, worker)).collect());
    }
    trials.dedup();
    trials
}

/// What stands at a pointer of an artifact that names a worker and passes the rules of the house; null where these say
/// nothing about it.
fn sample(pointer: &str, worker: &Worker<'_>) -> Value {
    match pointer.split('/').collect::<Vec<_>>().as_slice() {
        ["", "fills", _, "candidate_id"] | ["", "_context", "candidate_id"] => json!(worker.id()),
        ["", "fills", _, "name"] => json!(worker.name()),
        ["", "_context", "role"] => json!(worker.role()),
        ["", "_context", "city"] => json!(worker.city()),
        ["", "_context", "state"] => json!(worker.state()),
        ["", "_context", "target_count"] | ["", "target_count"] => json!(1),
        _ => Value::Null,
    }
}
