//! What a session is asked.

use ::validate::Kind;
use base::{AsOf, IndexName};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::record::Step;

/// Most attempts of one session.
const MOST: u32 = 10;
/// Who runs sessions.
pub(super) const DAEMON: &str = "validatord";
/// Most workers that a prompt shows.
const CANDIDATES: usize = 200;

/// A proposal to be made.
#[derive(Debug, Clone)]
pub struct Iteration {
    /// What is to be proposed.
    pub kind: Kind,
    /// What is wanted, in words.
    pub prompt: String,
    /// What the model is told first; a description of the kind when absent.
    pub system: Option<String>,
    /// The model.
    pub model: String,
    /// Who runs it; as the model's name says when absent.
    pub provider: Option<String>,
    /// What the caller knows: the contract, the candidate.
    pub context: Option<Map<String, Value>>,
    /// How many attempts there are, 1 to 10.
    pub max_iterations: u32,
    /// How freely words are chosen.
    pub temperature: f64,
    /// Tokens of each answer at most.
    pub max_tokens: u32,
    /// Names the session.
    pub trace_id: String,
    /// Whom the model is shown; nobody when absent.
    pub retrieve: Option<Retrieve>,
    /// The version that everything is read at; the newest when absent.
    pub as_of: Option<AsOf>,
}

/// Workers to be shown to the model: those whom the checks would let pass.
#[derive(Debug, Clone)]
pub struct Retrieve {
    /// An index whose items are workers by their ids: the nearest are shown, the nearest first.
    pub index: Option<IndexName>,
    /// What is searched for in it; the prompt when absent.
    pub query: Option<String>,
    /// A condition in SQL over the table of workers that they must meet too.
    pub condition: Option<String>,
    /// How many are shown, 1 to 200.
    pub k: usize,
}

impl Iteration {
    /// The model as it is asked for.
    pub(crate) fn full_model(&self) -> String {
        match &self.provider {
            Some(provider) => format!("{provider}/{}", self.model),
            None => self.model.clone(),
        }
    }

    /// A call of the session: its run is the session's trace.
    pub(crate) fn step(&self, iteration: Option<u32>, span_id: Option<String>) -> Step {
        Step { run_id: self.trace_id.clone(), span_id, iteration, daemon: DAEMON }
    }

    /// Whether proposals name workers.
    pub(crate) fn proposes_people(&self) -> bool {
        self.kind == Kind::Fill
    }

    pub(crate) fn check(&self) -> Result<()> {
        let refused = |field, rule| Err(Error::Iteration { field, rule });
        if self.prompt.trim().is_empty() {
            return refused("prompt", "it is empty");
        }
        if !(1..=MOST).contains(&self.max_iterations) {
            return refused("max_iterations", "it is from 1 to 10");
        }
        match &self.retrieve {
            Some(retrieve) if !(1..=CANDIDATES).contains(&retrieve.k) => refused("retrieve.k", "it is from 1 to 200"),
            Some(retrieve) if retrieve.query.is_some() && retrieve.index.is_none() => {
                refused("retrieve.query", "it needs `index`")
            }
            _ => Ok(()),
        }
    }
}
