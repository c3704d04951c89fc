//! The known keys, read from the schema that the sections' doc comments make.

use std::collections::BTreeMap;

use schemars::schema_for;
use serde_json::Value;

use super::Config;

/// What a value looks like, as far as text from the environment must be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Text,
    /// A number, a truth value or a list: read as TOML.
    Toml,
}

/// One key with its doc comment.
#[derive(Debug, Clone)]
pub struct Key {
    pub doc: String,
    pub shape: Shape,
}

/// Stands in a key for a name that the person chooses: `models.providers.<name>.url`.
const CHOSEN: &str = "<name>";

/// Every key that a section has, dotted: `queryd.timeout`.
#[derive(Debug)]
pub struct Keys {
    pub keys: BTreeMap<String, Key>,
    /// Section name → doc comment.
    pub sections: BTreeMap<String, String>,
}

impl Keys {
    pub fn known() -> Self {
        let root = Value::from(schema_for!(Config));
        let mut known = Self { keys: BTreeMap::new(), sections: BTreeMap::new() };
        for (section, schema) in properties(&root, &root) {
            known.sections.insert(section.clone(), doc(schema));
            known.collect(&root, section, resolve(&root, schema));
        }
        known
    }

    fn collect(&mut self, root: &Value, path: &str, schema: &Value) {
        for (name, written) in properties(root, schema) {
            let path = format!("{path}.{name}");
            let inner = resolve(root, written);
            if inner.get("properties").is_some() {
                self.collect(root, &path, inner);
            } else if let Some(entry) = entries(root, inner) {
                self.collect(root, &format!("{path}.{CHOSEN}"), entry);
            } else {
                self.keys.insert(path, Key { doc: doc(written), shape: shape(inner) });
            }
        }
    }

    pub fn get(&self, key: &str) -> Option<&Key> {
        let chosen = || self.keys.iter().find(|(known, _)| names(known, key)).map(|(_, found)| found);
        self.keys.get(key).or_else(chosen)
    }

    /// The known key that is written most like `key`.
    pub fn nearest(&self, key: &str) -> Option<&str> {
        let close = |known: &&String| strsim::jaro_winkler(known, key);
        let best = self.keys.keys().max_by(|a, b| close(a).total_cmp(&close(b)))?;
        Some(best)
    }
}

/// Whether `key` is `known` with names chosen where it leaves them open.
fn names(known: &str, key: &str) -> bool {
    let parts = || known.split('.').zip(key.split('.'));
    known.contains(CHOSEN)
        && known.split('.').count() == key.split('.').count()
        && parts().all(|(known, part)| if known == CHOSEN { !part.is_empty() } else { known == part })
}

/// The schema of the entries of a map from chosen names.
fn entries<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    let entry = resolve(root, schema.get("additionalProperties")?);
    entry.get("properties").map(|_| entry)
}

fn properties<'a>(root: &'a Value, schema: &'a Value) -> impl Iterator<Item = (&'a String, &'a Value)> {
    resolve(root, schema).get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// Follows a reference, and looks through the `null` alternative of an optional value.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return root.pointer(target.trim_start_matches('#')).map_or(schema, |found| resolve(root, found));
    }
    let alternatives = schema.get("anyOf").and_then(Value::as_array);
    match alternatives.and_then(|list| list.iter().find(|one| one.get("type") != Some(&"null".into()))) {
        Some(inner) => resolve(root, inner),
        None => schema,
    }
}

fn doc(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ")
}

fn shape(schema: &Value) -> Shape {
    let is = |name: &str| match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    };
    if ["integer", "number", "boolean", "array"].into_iter().any(is) { Shape::Toml } else { Shape::Text }
}
