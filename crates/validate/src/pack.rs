//! Validator packs: further checks of a kind, as data. A schema, and statements in SQL that return what offends.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::artifact::{Artifact, Kind};
use crate::error::{Error, Result};
use crate::invalid::ValidationError;
use crate::schema;

#[cfg(test)]
mod tests;

/// Most assertions of one pack.
const ASSERTIONS: usize = 16;
/// Most values that one assertion is asked about for one artifact.
const VALUES: usize = 100;
/// Where a proposed worker's id stands.
const WORKER: &str = "/fills/*/candidate_id";

/// Further checks of the artifacts of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Its name: a letter, then letters, digits, `_` and `-`.
    pub name: String,
    /// The kind that it checks.
    pub kind: Kind,
    /// What artifacts look like, as JSON Schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// What must not be found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertions: Vec<Assertion>,
}

/// A question whose every row is an offence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// A SELECT over the lake.
    pub sql: String,
    /// Where its `$1`, `$2`, … stand in the artifact, as JSON Pointers. With one step `*` it is asked once for each item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<String>,
    /// What kind of refusal an offence is.
    pub error: Offence,
    /// Why, in words that a model can act on.
    pub reason: String,
}

/// What kind of refusal an offence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Offence {
    /// There is too little or too much of something.
    Completeness,
    /// It contradicts the data.
    Consistency,
    /// It breaks a rule.
    Policy,
}

impl Pack {
    /// Refuses a pack that could not judge.
    pub fn check(&self) -> Result<()> {
        let refused = |why: String| Err(Error::Pack { why });
        if !base::name::is_part(&self.name) {
            return refused("its name is a letter or _ followed by at most 127 letters, digits, _ or -".to_owned());
        }
        if self.schema.is_none() && self.assertions.is_empty() {
            return refused("it holds neither a schema nor an assertion".to_owned());
        }
        if let Some(flaw) = self.schema.as_ref().and_then(schema::flaw) {
            return refused(format!("schema: {flaw}"));
        }
        if self.assertions.len() > ASSERTIONS {
            return refused(format!("it holds more than {ASSERTIONS} assertions"));
        }
        let wrong = self.assertions.iter().position(|assertion| !assertion.is_sound());
        match wrong {
            Some(at) => refused(format!(
                "assertions[{at}]: it needs sql, a reason, and pointers that begin with / and hold at most one *"
            )),
            None => Ok(()),
        }
    }

    /// Whether an artifact looks as the pack wants it.
    pub fn check_form(&self, artifact: &Artifact) -> Result<(), ValidationError> {
        match &self.schema {
            Some(wanted) => schema::check(wanted, &Value::Object(artifact.members.clone()), ""),
            None => Ok(()),
        }
    }
}

impl Assertion {
    fn is_sound(&self) -> bool {
        let stars = |pointer: &str| pointer.split('/').filter(|step| *step == "*").count();
        let said = !self.sql.trim().is_empty() && !self.reason.trim().is_empty();
        said && self.params.iter().all(|pointer| pointer.starts_with('/') && stars(pointer) <= 1)
    }

    /// The values of the parameters, once for each item where a pointer goes through a list. What an artifact does not
    /// have is null. A list that is too long to be asked about is refused, since nobody would look at its end.
    pub fn values(&self, members: &Map<String, Value>) -> Result<Vec<Vec<Value>>, ValidationError> {
        let artifact = Value::Object(members.clone());
        let lists = self.params.iter().filter_map(|pointer| pointer.split_once("/*"));
        let length = |list: &str| artifact.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
        let longest = lists.map(|(list, _)| (length(list), list)).max();
        if let Some((count, list)) = longest.filter(|(count, _)| *count > VALUES) {
            let field = list.trim_start_matches('/').replace('/', ".");
            return Err(ValidationError::schema(
                field,
                format!("holds {count} items; a pack looks at {VALUES} at most"),
            ));
        }
        let of = |at: usize| {
            let value = |pointer: &String| artifact.pointer(&pointer.replacen("/*", &format!("/{at}"), 1)).cloned();
            self.params.iter().map(|pointer| value(pointer).unwrap_or(Value::Null)).collect()
        };
        Ok((0..longest.map_or(1, |(count, _)| count)).map(of).collect())
    }

    /// Where the value of a parameter stands, as findings name it: `fills[0].name`.
    pub fn field(&self, param: usize, item: usize) -> String {
        let pointer = self.params.get(param).map_or("", String::as_str);
        pointer.replacen("/*", &format!("[{item}]"), 1).trim_start_matches('/').replace('/', ".")
    }

    /// Whether the rules of the house have made sure of a parameter's value: a worker's id is that of the roster. A
    /// statement that cannot take it is at fault itself.
    pub fn is_sure(&self, param: usize) -> bool {
        self.params.get(param).is_some_and(|pointer| pointer == WORKER)
    }

    /// The refusal of an artifact that offends.
    pub fn refusal(&self, pack: &str) -> ValidationError {
        let reason = format!("{} (pack {pack})", self.reason);
        match self.error {
            Offence::Completeness => ValidationError::Completeness { reason },
            Offence::Consistency => ValidationError::Consistency { reason },
            Offence::Policy => ValidationError::Policy { reason },
        }
    }
}
