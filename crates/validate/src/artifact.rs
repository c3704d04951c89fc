//! What is judged: a JSON object of some kind, with what the caller knows beside it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;

/// The member of an artifact that holds what the caller knows: the contract, the candidate.
pub const CONTEXT: &str = "_context";

/// A kind of artifact with a validator of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Workers proposed for a contract.
    Fill,
    /// A message to somebody: an email or an SMS.
    Email,
    /// How a contract was filled, to be done again.
    Playbook,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Fill, Self::Email, Self::Playbook];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fill => "fill",
            Self::Email => "email",
            Self::Playbook => "playbook",
        }
    }

    /// The name of its validator, as reports state it.
    pub const fn validator(self) -> &'static str {
        match self {
            Self::Fill => "staffing.fill",
            Self::Email => "staffing.email",
            Self::Playbook => "staffing.playbook",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| Error::UnknownKind {
            given: text.chars().take(100).collect(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// A proposal to be judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// What it proposes to be.
    pub kind: Kind,
    /// Its members, the context among them.
    pub members: Map<String, Value>,
}

impl Artifact {
    /// An artifact; a context given beside it takes the place of one inside.
    pub fn new(kind: Kind, mut members: Map<String, Value>, context: Option<Map<String, Value>>) -> Self {
        if let Some(context) = context {
            members.insert(CONTEXT.to_owned(), Value::Object(context));
        }
        Self { kind, members }
    }

    /// Whether a judgement asks who exists: a fill proposes people, and a message may be for one of them.
    pub fn needs_roster(&self) -> bool {
        let names_candidate = || self.members.get(CONTEXT).and_then(|context| context.get("candidate_id")).is_some();
        match self.kind {
            Kind::Fill => true,
            Kind::Email => names_candidate(),
            Kind::Playbook => false,
        }
    }
}
