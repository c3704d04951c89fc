//! Hundreds of cases for each validator: made from the rules, with what a second reading of them expects, and written by
//! hand.
//!
//! The second reading shares nothing with the first but the words of the answers: it looks people up in a plain list,
//! and goes through the rules one after the other.

mod fill;
mod message;
mod playbook;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use validate::{Artifact, Kind, Roster, judge};

use crate::word;

/// The least number of different cases for each validator.
const LEAST: usize = 200;

/// Cases of one validator as they are checked, each counted once.
struct Cases {
    kind: Kind,
    roster: Roster,
    seen: BTreeSet<String>,
}

impl Cases {
    fn of(kind: Kind) -> Self {
        Self { kind, roster: crate::roster(), seen: BTreeSet::new() }
    }

    /// Judges an artifact with the context that is given beside it.
    fn check(&mut self, artifact: &Value, beside: Option<&Value>, expected: &str) {
        let members = artifact.as_object().cloned().unwrap();
        let beside = beside.map(|context| context.as_object().cloned().unwrap());
        let name = format!("{artifact} beside {beside:?}");
        let outcome = judge(&Artifact::new(self.kind, members, beside), &self.roster);
        assert_eq!(word(&outcome), expected, "{name}: {outcome:?}");
        self.seen.insert(name);
    }

    fn count(&self) -> usize {
        self.seen.len()
    }
}

/// What is not there, what is null, and what has another type than a text.
fn no_texts() -> Vec<Option<Value>> {
    vec![None, Some(Value::Null), Some(json!(7)), Some(json!(true)), Some(json!(["x"])), Some(json!({ "x": "y" }))]
}

/// Texts that say nothing.
fn empty_texts() -> [Value; 4] {
    ["", " ", "\t\n", "\u{a0}\u{2003}"].map(|text| json!(text))
}

/// An object of the members that are there.
fn object<'a>(members: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

/// Whether something is a text that says something.
fn says(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| text.chars().any(|letter| !letter.is_whitespace()))
}

/// Whether something is a whole number from 0, written as one.
fn counts(value: Option<&Value>) -> Option<u64> {
    value.filter(|value| value.is_u64()).and_then(Value::as_u64)
}
