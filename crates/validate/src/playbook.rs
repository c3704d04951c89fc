//! Playbooks: how a contract was filled, to be done again.

use serde_json::{Map, Value};

use crate::fields::{count, list};
use crate::invalid::ValidationError;
use crate::report::Finding;

/// What every operation begins with.
const OPERATION: &str = "fill:";
/// How many names may be endorsed for each place.
const NAMES_PER_PLACE: u64 = 2;
/// How much of a refused operation is quoted, in characters.
const QUOTED: usize = 200;

pub(crate) fn judge(members: &Map<String, Value>) -> Result<Vec<Finding>, ValidationError> {
    check_operation(members)?;
    let names = list(members, "endorsed_names")?;
    if names.is_empty() {
        return Err(ValidationError::completeness("endorsed_names is empty: a playbook endorses at least one name"));
    }
    check_names(names)?;
    check_count(names.len() as u64, count(Some(members), "target_count", "target_count")?)?;
    crate::fields::text(members, "fingerprint", || "fingerprint".to_owned())?;
    Ok(Vec::new())
}

fn check_operation(members: &Map<String, Value>) -> Result<(), ValidationError> {
    let given = match members.get("operation") {
        Some(Value::String(text)) if text.starts_with(OPERATION) => return Ok(()),
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(other) => other.to_string().chars().take(QUOTED).collect(),
    };
    Err(ValidationError::schema("operation", format!("must begin with \"{OPERATION}\", got {given}")))
}

fn check_names(names: &[Value]) -> Result<(), ValidationError> {
    let is_name = |name: &Value| name.as_str().is_some_and(|name| !name.trim().is_empty());
    match names.iter().position(|name| !is_name(name)) {
        Some(at) => Err(ValidationError::schema(format!("endorsed_names[{at}]"), "must be a text that is not empty")),
        None => Ok(()),
    }
}

fn check_count(names: u64, target: u64) -> Result<(), ValidationError> {
    let most = target.saturating_mul(NAMES_PER_PLACE);
    if names <= most {
        return Ok(());
    }
    let reason = format!("endorsed_names holds {names} names, more than target_count × 2 = {most}");
    Err(ValidationError::completeness(reason))
}
