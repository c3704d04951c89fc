//! The metadata fields of an index and their types, as SQL needs them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// A top-level member of the items' metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The member's name.
    pub name: String,
    /// What holds all its values.
    pub ty: FieldType,
}

/// What holds every value of a field; nulls fit all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// Strings.
    Text,
    /// Whole numbers of 64 bits with a sign.
    Integer,
    /// Numbers.
    Number,
    /// true and false.
    Boolean,
    /// Anything: values of several types, lists, objects.
    Json,
}

impl FieldType {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(_) => Some(Self::Boolean),
            Value::Number(number) if number.is_i64() => Some(Self::Integer),
            Value::Number(_) => Some(Self::Number),
            Value::String(_) => Some(Self::Text),
            Value::Array(_) | Value::Object(_) => Some(Self::Json),
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (same, also) if same == also => same,
            (Self::Integer, Self::Number) | (Self::Number, Self::Integer) => Self::Number,
            _ => Self::Json,
        }
    }
}

/// Fields by name; none as the type of a field that only ever was null.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Fields(BTreeMap<String, Option<FieldType>>);

impl Fields {
    /// The fields of these metadata, each the text of a JSON object.
    pub fn of<'a>(metadata: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut fields = Self::default();
        for text in metadata {
            let members: Map<String, Value> = serde_json::from_slice(text).unwrap_or_default();
            members.iter().for_each(|(name, value)| fields.see(name, FieldType::of(value)));
        }
        fields
    }

    /// Takes in the fields of other items.
    pub fn join(&mut self, other: &Self) {
        other.0.iter().for_each(|(name, ty)| self.see(name, *ty));
    }

    fn see(&mut self, name: &str, ty: Option<FieldType>) {
        let Some(known) = self.0.get_mut(name) else {
            self.0.insert(name.to_owned(), ty);
            return;
        };
        *known = match (*known, ty) {
            (Some(known), Some(ty)) => Some(known.or(ty)),
            (known, ty) => known.or(ty),
        };
    }

    /// The fields, sorted by name. A field that only ever was null is text.
    pub fn list(self) -> Vec<Field> {
        let field = |(name, ty): (String, Option<FieldType>)| Field { name, ty: ty.unwrap_or(FieldType::Text) };
        self.0.into_iter().map(field).collect()
    }
}
