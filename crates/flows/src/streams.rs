//! Streams in SQL: the lines of evidence as rows, each member a column.

use std::collections::BTreeMap;

use ::evidence::{Evidence, SESSIONS, StreamName};
use async_trait::async_trait;
use base::Facts;
use query::{FieldType, SearchFault, SearchField, StreamTable, Streams};
use serde_json::Value;

/// The columns of sessions, which are there before the first session is.
const OF_SESSIONS: [(&str, FieldType); 17] = [
    ("schema", FieldType::Text),
    ("session_id", FieldType::Text),
    ("timestamp", FieldType::Text),
    ("daemon", FieldType::Text),
    ("kind", FieldType::Text),
    ("model", FieldType::Text),
    ("provider", FieldType::Text),
    ("prompt", FieldType::Text),
    ("iterations", FieldType::Integer),
    ("max_iterations", FieldType::Integer),
    ("final_verdict", FieldType::Text),
    ("attempts", FieldType::Json),
    ("artifact", FieldType::Json),
    ("grounded_in_roster", FieldType::Boolean),
    ("duration_ms", FieldType::Integer),
    ("lake_version", FieldType::Integer),
    ("context", FieldType::Json),
];

/// The streams of a lake, as the query engine asks for them.
#[derive(Clone)]
pub struct StreamTables(Evidence);

impl StreamTables {
    /// The streams of this evidence.
    pub fn new(evidence: Evidence) -> Self {
        Self(evidence)
    }
}

#[async_trait]
impl Streams for StreamTables {
    async fn stream(&self, name: &str) -> Result<Option<StreamTable>, SearchFault> {
        let Ok(stream) = name.parse::<StreamName>() else { return Ok(None) };
        let lines = self.0.read(&stream).await?.lines;
        if name == SESSIONS {
            let fields = OF_SESSIONS.map(|(name, ty)| SearchField { name: name.to_owned(), ty });
            return Ok(Some(StreamTable { fields: fields.into(), lines }));
        }
        Ok((!lines.is_empty()).then(|| StreamTable { fields: fields(&lines), lines }))
    }
}

/// A column for each member that any line has, of the type that all of its values have.
fn fields(lines: &[Facts]) -> Vec<SearchField> {
    let mut types: BTreeMap<&str, Option<FieldType>> = BTreeMap::new();
    for (name, value) in lines.iter().flatten() {
        let known = types.entry(name).or_default();
        *known = both(*known, type_of(value));
    }
    let field = |(name, ty): (&str, Option<FieldType>)| (name.to_owned(), ty.unwrap_or(FieldType::Text));
    types.into_iter().map(field).map(|(name, ty)| SearchField { name, ty }).collect()
}

fn type_of(value: &Value) -> Option<FieldType> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => FieldType::Boolean,
        Value::Number(number) if number.is_i64() => FieldType::Integer,
        Value::Number(_) => FieldType::Number,
        Value::String(_) => FieldType::Text,
        Value::Array(_) | Value::Object(_) => FieldType::Json,
    })
}

/// The type of values of which some have one type and some the other.
fn both(one: Option<FieldType>, other: Option<FieldType>) -> Option<FieldType> {
    use FieldType::{Integer, Json, Number};
    match (one, other) {
        (None, ty) | (ty, None) => ty,
        (Some(one), Some(other)) if one == other => Some(one),
        (Some(Integer | Number), Some(Integer | Number)) => Some(Number),
        _ => Some(Json),
    }
}
