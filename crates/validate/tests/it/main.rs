//! The validators, seen from outside: what each rule says of thousands of artifacts that are made from the rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod emails;
mod fills;
mod playbooks;

use serde_json::Value;
use validate::{Artifact, Finding, Kind, Roster, RosterBuilder, Row, ValidationError, judge};

/// A roster with one worker for each way in which one can be refused.
pub fn roster() -> Roster {
    let mut builder = RosterBuilder::new(true);
    let ann = Row {
        id: "W-1",
        name: Some("Ann Poe"),
        role: Some("Welder"),
        city: Some("Toledo"),
        state: Some("OH"),
        status: Some("active"),
        active: Some(true),
        blacklist: Some("C-7; C-8"),
    };
    for row in [
        ann,
        Row { id: "W-2", name: Some("Zoë Ångström"), blacklist: Some(""), ..ann },
        Row { id: "W-3", status: Some("on leave"), active: Some(false), ..ann },
        Row { id: "W-4", city: None, state: None, role: None, blacklist: None, ..ann },
        Row { id: "W-5", status: None, active: None, ..ann },
        Row { id: "W-6", city: Some("Lima"), ..ann },
        Row { id: "W-6", city: Some("Akron"), ..ann },
        Row { id: "Ж-7", name: None, ..ann },
    ] {
        builder.push(&row).unwrap();
    }
    builder.finish()
}

/// What is said of an artifact by that roster.
pub fn judged(kind: Kind, members: Value, context: Option<Value>) -> Result<Vec<Finding>, ValidationError> {
    let object = |value: Value| value.as_object().cloned().unwrap();
    judge(&Artifact::new(kind, object(members), context.map(object)), &roster())
}

/// `Schema` with its field, else the variant's name; the fields of the findings where it passes.
pub fn word(outcome: &Result<Vec<Finding>, ValidationError>) -> String {
    match outcome {
        Err(ValidationError::Schema { field, .. }) => format!("Schema {field}"),
        Err(error) => error.variant().to_owned(),
        Ok(findings) => {
            let said: Vec<&str> = findings.iter().filter_map(|finding| finding.field.as_deref()).collect();
            format!("ok {}", said.join(" ")).trim_end().to_owned()
        }
    }
}
