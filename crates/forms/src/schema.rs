//! A JSON Schema becomes a form, as far as it can be forced: a keyword that cannot is refused, never passed over.

use std::fmt::Display;

use indexmap::IndexSet;
use serde_json::{Map, Value as Json};

use crate::error::{Error, Result};
use crate::form::{ANY, Form, MOST_WAYS, Member, Value};
use crate::number::{MOST, MOST_DIGITS};

#[cfg(test)]
mod tests;

/// Keywords that are forced. Beside `properties`, no others are said, whatever `additionalProperties` lets through.
const KEYWORDS: [&str; 16] = [
    "type",
    "enum",
    "const",
    "anyOf",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
];
/// Keywords that only describe.
const REMARKS: [&str; 10] = [
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "examples",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
];
/// Those of them that bound numbers.
const BOUNDS: [&str; 4] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
/// The types.
const TYPES: [&str; 7] = ["object", "array", "string", "number", "integer", "boolean", "null"];
/// A schema says something of so many different values at most, and so deep.
const MOST_VALUES: usize = 10_000;
const DEEPEST: usize = 32;

type Members = Map<String, Json>;

impl Form {
    /// The form of a JSON Schema. Refused if anything in it cannot be forced.
    pub fn of_schema(schema: &Members) -> Result<Self> {
        let mut reading = Reading { values: IndexSet::new(), at: Vec::new() };
        let root = reading.schema(schema)?;
        Ok(Self::of(reading.values, root))
    }
}

/// A schema that is being read.
struct Reading {
    /// Those that are alike are one.
    values: IndexSet<Value>,
    /// Where in the schema, as the names that lead there.
    at: Vec<String>,
}

impl Reading {
    /// The place of the value that a schema describes.
    fn schema(&mut self, schema: &Members) -> Result<usize> {
        if self.at.len() > DEEPEST || self.values.len() > MOST_VALUES {
            return Err(self.refused("it is too large"));
        }
        let known = |name: &&String| !KEYWORDS.contains(&name.as_str()) && !REMARKS.contains(&name.as_str());
        if let Some(name) = schema.keys().find(known) {
            let all = KEYWORDS.join(", ");
            return Err(self.refused(format!("the keyword {name:?} cannot be forced; {all} can")));
        }
        let value = match (schema.get("const"), schema.get("enum"), schema.get("anyOf")) {
            (Some(only), ..) => self.listed("const", std::slice::from_ref(only), schema)?,
            (_, Some(all), _) => self.listed("enum", self.list(all, "enum")?, schema)?,
            (_, _, Some(all)) => {
                self.alone("anyOf", &[], schema)?;
                let all = self.list(all, "anyOf")?;
                let read = |(at, one): (usize, &Json)| self.inside(&format!("anyOf/{at}"), one);
                let places = all.iter().enumerate().map(read).collect::<Result<Vec<_>>>()?;
                self.either(&places)?
            }
            _ => self.types(schema)?,
        };
        Ok(self.place(value))
    }

    /// Nothing but what only describes may stand beside a keyword, and what `beside` names.
    fn alone(&self, name: &str, beside: &[&str], schema: &Members) -> Result<()> {
        let asks = |other: &&str| *other != name && !REMARKS.contains(other) && !beside.contains(other);
        match schema.keys().map(String::as_str).find(asks) {
            Some(other) => Err(self.refused(format!("{other:?} cannot be forced beside {name:?}"))),
            None => Ok(()),
        }
    }

    /// What is listed, as far as it has the type that is asked for beside it.
    fn listed(&self, name: &str, all: &[Json], schema: &Members) -> Result<Value> {
        self.alone(name, &["type"], schema)?;
        let typed = |value: &&Json| match schema.get("type") {
            None => true,
            Some(Json::Array(names)) => names.iter().any(|name| is_of(value, name)),
            Some(name) => is_of(value, name),
        };
        let all: Vec<&Json> = all.iter().filter(typed).collect();
        if all.is_empty() { Err(self.refused("nothing of what it lists has its type")) } else { Ok(literals(all)) }
    }

    /// A schema inside another, in the place of that name.
    fn inside(&mut self, name: &str, schema: &Json) -> Result<usize> {
        self.at.push(name.to_owned());
        let place = match schema {
            Json::Object(members) => self.schema(members)?,
            Json::Bool(true) => self.place(Value::Any),
            _ => return Err(self.refused("it is no schema that anything could fit")),
        };
        self.at.pop();
        Ok(place)
    }

    fn place(&mut self, value: Value) -> usize {
        Form::place(self.values.insert_full(value).0)
    }

    /// One of these, each once; of one that is such a choice itself, what it chooses among.
    fn either(&self, places: &[usize]) -> Result<Value> {
        let mut all = IndexSet::new();
        for place in places {
            match place.checked_sub(Form::place(0)).and_then(|at| self.values.get_index(at)) {
                Some(Value::Either(inner)) => all.extend(inner.iter().copied()),
                _ => all.extend([*place]),
            }
        }
        if all.len() > MOST_WAYS {
            return Err(self.refused(format!("it has {} alternatives, {MOST_WAYS} can be forced", all.len())));
        }
        Ok(Value::Either(all.into_iter().collect()))
    }

    fn types(&mut self, schema: &Members) -> Result<Value> {
        match schema.get("type") {
            Some(Json::String(name)) => self.typed(name, schema),
            Some(names @ Json::Array(_)) => {
                let mut places = Vec::new();
                for name in self.list(names, "type")? {
                    let value = self.typed(name.as_str().unwrap_or_default(), schema)?;
                    places.push(self.place(value));
                }
                self.either(&places)
            }
            Some(_) => Err(self.refused("`type` is a name or a list of names")),
            None if schema.contains_key("properties") || schema.contains_key("required") => self.object(schema),
            None if schema.contains_key("items") => self.array(schema),
            None => match schema.keys().find(|name| !REMARKS.contains(&name.as_str())) {
                Some(name) => Err(self.refused(format!("{name:?} can be forced only where `type` says of what"))),
                None => Ok(Value::Any),
            },
        }
    }

    fn typed(&mut self, name: &str, schema: &Members) -> Result<Value> {
        match name {
            "object" => self.object(schema),
            "array" => self.array(schema),
            "string" => {
                let (least, most) = self.counts(schema, "minLength", "maxLength")?;
                Ok(Value::Text { least, most })
            }
            "integer" => self.integer(schema),
            "number" => match BOUNDS.iter().find(|name| schema.contains_key(**name)) {
                Some(name) => Err(self.refused(format!("{name:?} can be forced of integers only"))),
                None => Ok(Value::Number),
            },
            "boolean" => Ok(literals([&Json::Bool(false), &Json::Bool(true)])),
            "null" => Ok(literals([&Json::Null])),
            _ => Err(self.refused(format!("no type is called {name:?}; {} are", TYPES.join(", ")))),
        }
    }

    fn object(&mut self, schema: &Members) -> Result<Value> {
        let none = Members::new();
        let properties = match schema.get("properties") {
            None => &none,
            Some(Json::Object(properties)) => properties,
            Some(_) => return Err(self.refused("`properties` is an object")),
        };
        let required = schema.get("required").map(|names| self.names(names)).transpose()?.unwrap_or_default();
        let others = match schema.get("additionalProperties") {
            None | Some(Json::Bool(true)) => Some(ANY),
            Some(Json::Bool(false)) => None,
            Some(others) => Some(self.inside("additionalProperties", others)?),
        };
        match others {
            Some(others) if properties.is_empty() && required.is_empty() => Ok(Value::Open(others)),
            _ => self.members(properties, &required, others),
        }
    }

    /// Members that are required come first and in that order, since objects here do not keep the order of theirs.
    fn members(&mut self, properties: &Members, required: &IndexSet<&str>, others: Option<usize>) -> Result<Value> {
        let free: Vec<&str> = properties.keys().map(String::as_str).filter(|name| !required.contains(name)).collect();
        if free.len() >= MOST_WAYS {
            return Err(self.refused(format!("{} members may be left out, less than {MOST_WAYS} can", free.len())));
        }
        let mut members = Vec::new();
        for (at, name) in required.iter().copied().chain(free).enumerate() {
            let value = match (properties.get(name), others) {
                (Some(schema), _) => self.inside(&format!("properties/{name}"), schema)?,
                (None, Some(others)) => others,
                (None, None) => return Err(self.refused(format!("{name:?} is required and may not be there"))),
            };
            members.push(Member { name: text(&Json::from(name)), value, required: at < required.len() });
        }
        Ok(Value::Object(members))
    }

    fn array(&mut self, schema: &Members) -> Result<Value> {
        let (least, most) = self.counts(schema, "minItems", "maxItems")?;
        let items = self.inside("items", schema.get("items").unwrap_or(&Json::Bool(true)))?;
        Ok(Value::Array { items, least, most })
    }

    fn integer(&self, schema: &Members) -> Result<Value> {
        let bound = |name: &str| match schema.get(name) {
            None => Ok(None),
            Some(bound) => whole(bound).map(Some).ok_or_else(|| self.refused(format!("{name:?} is an integer"))),
        };
        let above = bound("exclusiveMinimum")?.map(|bound| bound.saturating_add(1));
        let least = bound("minimum")?.unwrap_or(-MOST).max(above.unwrap_or(-MOST)).max(-MOST);
        let below = bound("exclusiveMaximum")?.map(|bound| bound.saturating_sub(1));
        let most = bound("maximum")?.unwrap_or(MOST).min(below.unwrap_or(MOST)).min(MOST);
        if least > most {
            return Err(self.refused(format!("no integer of at most {MOST_DIGITS} digits is in its bounds")));
        }
        Ok(Value::Integer { least, most })
    }

    fn counts(&self, schema: &Members, least: &str, most: &str) -> Result<(u64, u64)> {
        let count = |name: &str, otherwise| match schema.get(name) {
            None => Ok(otherwise),
            Some(count) => {
                let count = whole(count).and_then(|count| u64::try_from(count).ok());
                count.ok_or_else(|| self.refused(format!("{name:?} is a whole number")))
            }
        };
        let (least, most) = (count(least, 0)?, count(most, u64::MAX)?);
        if least > most { Err(self.refused("nothing is as long as it asks for")) } else { Ok((least, most)) }
    }

    fn names<'a>(&self, names: &'a Json) -> Result<IndexSet<&'a str>> {
        let names = names.as_array().and_then(|names| names.iter().map(Json::as_str).collect::<Option<Vec<_>>>());
        let names = names.ok_or_else(|| self.refused("`required` is a list of names"))?;
        let mut once = IndexSet::new();
        match names.into_iter().find(|name| !once.insert(*name)) {
            Some(name) => Err(self.refused(format!("`required` names {name:?} twice"))),
            None => Ok(once),
        }
    }

    /// A list that is not empty: an empty one would let nothing through.
    fn list<'a>(&self, list: &'a Json, name: &str) -> Result<&'a [Json]> {
        let list = list.as_array().filter(|list| !list.is_empty());
        list.map(Vec::as_slice).ok_or_else(|| self.refused(format!("{name:?} is a list that is not empty")))
    }

    fn refused(&self, rule: impl Display) -> Error {
        let place = self.at.iter().map(|name| format!("/{name}")).collect::<String>();
        Error { place: if place.is_empty() { "/".to_owned() } else { place }, rule: rule.to_string() }
    }
}

/// A number without a fraction, as `1` or `1.0`; the nearest to one that is out of range.
fn whole(number: &Json) -> Option<i64> {
    number.as_i64().or_else(|| Some(number.as_f64().filter(|number| number.fract() == 0.0)? as i64))
}

/// Whether a value has a type.
fn is_of(value: &Json, name: &Json) -> bool {
    match name.as_str().unwrap_or_default() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => whole(value).is_some(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn literals<'a>(all: impl IntoIterator<Item = &'a Json>) -> Value {
    let mut all: Vec<Box<[u8]>> = all.into_iter().map(text).collect();
    all.sort();
    all.dedup();
    Value::Literal(all)
}

fn text(value: &Json) -> Box<[u8]> {
    value.to_string().into_bytes().into()
}
