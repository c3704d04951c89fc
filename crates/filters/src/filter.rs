//! Filters: which items a search or a deletion is about, told by their metadata.
//!
//! A filter is an object: each member names a field, by its path with dots, and what must hold of it; all must. A list
//! fits where one of its elements does.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::key::Key;
use crate::metadata;

#[cfg(test)]
mod tests;

/// What must hold of the metadata of an item. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Filter {
    /// What tells it from others.
    text: Arc<str>,
    conditions: Arc<[Condition]>,
}

/// What must hold of one field.
#[derive(Debug)]
pub(crate) struct Condition {
    /// The names of members from the outermost on, with dots between them.
    pub path: Box<str>,
    pub test: Test,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// What a field's value must be.
#[derive(Debug)]
pub(crate) enum Test {
    /// One of these, or absent where that is among them.
    AnyOf { keys: Vec<Key>, absent: bool },
    /// Within these bounds.
    Within(Span),
}

/// Numbers or texts from one bound to another that begin as they shall.
#[derive(Debug)]
pub(crate) struct Span {
    lower: Bound<Key>,
    upper: Bound<Key>,
    prefix: Option<Key>,
}

impl Filter {
    /// Reads a filter from its members, in words when it is none.
    pub fn parse(members: &Map<String, Value>) -> Result<Self> {
        let condition = |(path, value): (&String, &Value)| {
            let test = test(value).map_err(|why| Error::Bad(format!("{path:?} {why}")))?;
            Ok(Condition { path: path.as_str().into(), test })
        };
        let conditions = members.iter().map(condition).collect::<Result<_>>()?;
        let text = serde_json::to_string(members).map_err(|why| Error::Bad(why.to_string()))?;
        Ok(Self { text: text.into(), conditions })
    }

    /// Reads a filter that is written as JSON.
    pub fn read(text: &str) -> Result<Self> {
        let members = metadata::object(text).map_err(Error::Bad)?;
        Self::parse(&members)
    }

    /// Whether it holds of every item.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The filter as JSON.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}

/// What a member of a filter asks, or what is wrong with it.
fn test(value: &Value) -> Result<Test, String> {
    match value {
        Value::Null => Ok(Test::AnyOf { keys: Vec::new(), absent: true }),
        Value::Array(values) => any_of(values),
        Value::Object(operators) => span(operators).map(Test::Within),
        scalar => any_of(std::slice::from_ref(scalar)),
    }
}

fn any_of(values: &[Value]) -> Result<Test, String> {
    let given = values.iter().filter(|value| !value.is_null());
    let key =
        |value| Key::of_asked(value).ok_or("is compared with a list of what is neither text, number, true nor false");
    let keys = given.map(key).collect::<Result<_, _>>()?;
    Ok(Test::AnyOf { keys, absent: values.iter().any(Value::is_null) })
}

fn span(operators: &Map<String, Value>) -> Result<Span, String> {
    const KNOWN: &str = "use gte, gt, lte, lt or prefix, and name nested fields by paths such as \"a.b\"";
    let mut span = Span { lower: Bound::Unbounded, upper: Bound::Unbounded, prefix: None };
    for (operator, value) in operators {
        match operator.as_str() {
            "gte" => bound(&mut span.lower, Bound::Included(end(operator, value)?), "lower")?,
            "gt" => bound(&mut span.lower, Bound::Excluded(end(operator, value)?), "lower")?,
            "lte" => bound(&mut span.upper, Bound::Included(end(operator, value)?), "upper")?,
            "lt" => bound(&mut span.upper, Bound::Excluded(end(operator, value)?), "upper")?,
            "prefix" if value.is_string() => span.prefix = Key::of(value),
            "prefix" => return Err("has a prefix that is no text".into()),
            unknown => return Err(format!("has the unknown operator {unknown:?}: {KNOWN}")),
        }
    }
    let kind = span.keys().next().map(Key::kind).ok_or_else(|| format!("has no operator: {KNOWN}"))?;
    let alike = span.keys().all(|key| key.kind() == kind);
    if alike { Ok(span) } else { Err("is compared with numbers and with texts at once".into()) }
}

fn bound(place: &mut Bound<Key>, bound: Bound<Key>, which: &str) -> Result<(), String> {
    match std::mem::replace(place, bound) {
        Bound::Unbounded => Ok(()),
        _ => Err(format!("has two {which} bounds")),
    }
}

/// One end of a range.
fn end(operator: &str, value: &Value) -> Result<Key, String> {
    let key = Key::of_asked(value).filter(|_| !value.is_boolean());
    key.ok_or_else(|| format!("has a value of {operator} that is neither number nor text"))
}

impl Span {
    /// On which side of the span a value lies: less before it, equal within it.
    pub fn side(&self, key: &Key) -> Ordering {
        let kind = self.keys().next().map_or(key.kind(), Key::kind);
        if key.kind() != kind {
            return key.kind().cmp(&kind);
        }
        let before = match &self.lower {
            Bound::Included(lower) => key < lower,
            Bound::Excluded(lower) => key <= lower,
            Bound::Unbounded => false,
        };
        let after = match &self.upper {
            Bound::Included(upper) => key > upper,
            Bound::Excluded(upper) => key >= upper,
            Bound::Unbounded => false,
        };
        match (before, after, &self.prefix) {
            (true, ..) => Ordering::Less,
            (_, true, _) => Ordering::Greater,
            (.., Some(prefix)) if !key.starts_with(prefix) => key.cmp(prefix),
            _ => Ordering::Equal,
        }
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        let bounds = [&self.lower, &self.upper].into_iter().filter_map(|bound| match bound {
            Bound::Included(key) | Bound::Excluded(key) => Some(key),
            Bound::Unbounded => None,
        });
        bounds.chain(&self.prefix)
    }
}
