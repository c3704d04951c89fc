//! What is wrong with a body that does not read, and where: the readers of types say only that nothing fits.

use std::collections::HashMap;
use std::fmt::Display;

use iceberg::spec::{PrimitiveType, Schema, SortOrder, UnboundPartitionSpec};
use iceberg::{TableRequirement, TableUpdate};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The types that columns have, as the protocol writes them.
const TYPES: &str = "boolean, int, long, float, double, decimal(P,S), date, time, timestamp, timestamptz, string, uuid, \
                     fixed[L], binary, or an object that is a struct, a list or a map";
/// Longest stretch of the request that is quoted.
const QUOTED: usize = 60;

/// The first flaw of a body of the protocol, with its place, such as `schema.fields[2].type`.
pub fn first(body: &Value) -> Option<String> {
    let changes = body.get("table-changes").and_then(Value::as_array);
    let tables = changes.into_iter().flatten().enumerate();
    (body.get("schema").and_then(|schema| flaw_of_schema("schema", schema)))
        .or_else(|| body.get("partition-spec").and_then(|spec| unread::<UnboundPartitionSpec>("partition-spec", spec)))
        .or_else(|| body.get("write-order").and_then(|order| unread::<SortOrder>("write-order", order)))
        .or_else(|| flaw_of_changes("", body))
        .or_else(|| tables.into_iter().find_map(|(at, table)| flaw_of_changes(&format!("table-changes[{at}]."), table)))
}

/// A reader's words without those that name the reader.
pub fn plain(error: &impl Display) -> String {
    let words = error.to_string();
    let words = words.strip_prefix("DataInvalid => ").unwrap_or(&words);
    if words.contains("untagged enum") { "it is of no form that is known here".to_owned() } else { words.to_owned() }
}

fn flaw_of_changes(place: &str, changes: &Value) -> Option<String> {
    let each = |member: &str| changes.get(member).and_then(Value::as_array).into_iter().flatten().enumerate();
    let mut requirements = each("requirements");
    let required =
        |(at, given): (usize, &Value)| unread::<TableRequirement>(&format!("{place}requirements[{at}]"), given);
    let update = |(at, given): (usize, &Value)| flaw_of_update(&format!("{place}updates[{at}]"), given);
    requirements.find_map(required).or_else(|| each("updates").find_map(update))
}

fn flaw_of_update(place: &str, update: &Value) -> Option<String> {
    let schema = update.get("schema").filter(|_| update["action"] == "add-schema");
    let flaw = schema.and_then(|schema| flaw_of_schema(&format!("{place}.schema"), schema));
    flaw.or_else(|| unread::<TableUpdate>(place, update))
}

fn flaw_of_schema(place: &str, schema: &Value) -> Option<String> {
    if schema.is_object() && schema["type"] != "struct" {
        return Some(format!("{place}.type is \"struct\" for a schema"));
    }
    let mut columns = Columns::default();
    columns.flaw_of_struct(place, schema).or_else(|| unread::<Schema>(place, schema))
}

fn unread<T: DeserializeOwned>(place: &str, given: &Value) -> Option<String> {
    serde_json::from_value::<T>(given.clone()).err().map(|error| format!("{place}: {}", plain(&error)))
}

/// The columns of a schema as they are gone through.
#[derive(Default)]
struct Columns {
    /// Where each id was seen.
    ids: HashMap<i64, String>,
}

impl Columns {
    fn flaw_of_struct(&mut self, place: &str, given: &Value) -> Option<String> {
        if !given.is_object() {
            return Some(format!("{place} is no object"));
        }
        let Some(fields) = given["fields"].as_array() else {
            return Some(format!("{place}.fields is no list of columns"));
        };
        fields.iter().enumerate().find_map(|(at, field)| self.flaw_of_field(&format!("{place}.fields[{at}]"), field))
    }

    fn flaw_of_field(&mut self, place: &str, field: &Value) -> Option<String> {
        if !field["name"].is_string() {
            return Some(format!("{place}.name is no text"));
        }
        let within = self.flaw_of_part(place, field, ["id", "type", "required"]);
        within.map(|flaw| format!("{flaw} (column {})", quoted(&field["name"])))
    }

    /// A field of a struct, the element of a list, or a side of a map: each has an id, a type, and may be required.
    fn flaw_of_part(&mut self, place: &str, given: &Value, [id, ty, required]: [&str; 3]) -> Option<String> {
        if !required.is_empty() && !given[required].is_boolean() {
            return Some(format!("{place}.{required} is neither true nor false"));
        }
        let here = format!("{place}.{id}");
        let Some(number) = given[id].as_i64().filter(|id| i32::try_from(*id).is_ok()) else {
            return Some(format!("{here} is no number of 32 bits"));
        };
        if let Some(other) = self.ids.insert(number, here.clone()) {
            return Some(format!("{here} is {number}, as {other} is"));
        }
        self.flaw_of_type(&format!("{place}.{ty}"), &given[ty])
    }

    fn flaw_of_type(&mut self, place: &str, given: &Value) -> Option<String> {
        match given["type"].as_str() {
            Some("struct") => self.flaw_of_struct(place, given),
            Some("list") => self.flaw_of_part(place, given, ["element-id", "element", "element-required"]),
            Some("map") => {
                let keys = self.flaw_of_part(place, given, ["key-id", "key", ""]);
                keys.or_else(|| self.flaw_of_part(place, given, ["value-id", "value", "value-required"]))
            }
            None if given.is_string() && serde_json::from_value::<PrimitiveType>(given.clone()).is_ok() => None,
            _ if given.is_null() => Some(format!("{place} is missing")),
            _ => Some(format!("{place} is {}, which is no type here; types are {TYPES}", quoted(given))),
        }
    }
}

fn quoted(given: &Value) -> String {
    let whole = given.to_string();
    let beginning: String = whole.chars().take(QUOTED).collect();
    if beginning.len() < whole.len() { beginning + "…" } else { beginning }
}
