//! Streams in SQL: the lines of evidence as rows, each member a column.

use std::collections::{HashMap, HashSet};

use ::evidence::{Appended, Evidence, Line, StreamName};
use async_trait::async_trait;
use base::name::DEFAULT_NAMESPACE;
use base::{ByteSize, DatasetName, Facts};
use catalog::{Catalog, Pin};
use query::{FieldType, SearchFault, SearchField, StreamTable, Streams};
use serde_json::Value;

use crate::error::{Error, Result as Flow};

mod own;

/// The most columns of a stream.
const COLUMNS: usize = 1_000;
/// The column of what has none of its own.
const REST: &str = "_rest";
/// The largest whole number up to which all have a DOUBLE of their own.
const EXACT: u64 = 1 << 53;

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
    async fn stream(&self, name: &str, limit: ByteSize) -> Result<Option<StreamTable>, SearchFault> {
        let Ok(stream) = name.parse::<StreamName>() else { return Ok(None) };
        let lines = self.0.read_within(&stream, limit).await?.lines;
        Ok((stream.is_own() || !lines.is_empty()).then(|| table(lines, own::columns(name))))
    }
}

/// Appends lines of a user's to a stream of theirs. Under the name of a table nobody could read them in SQL, so they are
/// refused there. A table and a stream may still come to be at one moment, by two processes: then the table is what SQL
/// finds, and whoever began the stream is told.
pub async fn append(evidence: &Evidence, catalog: &Catalog, stream: &StreamName, lines: Vec<Line>) -> Flow<Appended> {
    let known = evidence.has_appended(stream);
    let pin = if known { catalog.pin(None).await? } else { catalog.pin_fresh().await? };
    if let Some(table) = hiding(&pin, stream) {
        return Err(Error::NameOfTable { table: table.clone() });
    }
    let appended = evidence.append_for_user(stream, lines).await.map_err(Error::Evidence)?;
    // From the first line on no table takes the name; until then one may have.
    if !known && let Some(table) = hiding(&catalog.pin_fresh().await?, stream) {
        return Err(Error::NameTaken { table: table.clone() });
    }
    Ok(appended)
}

/// The tables that hide a stream in SQL. One that was there before calls of runs were recorded may go on to do so.
pub async fn hiding_tables(evidence: &Evidence, pin: &Pin) -> Flow<Vec<DatasetName>> {
    let streams = evidence.files().await.map_err(Error::Evidence)?;
    let told = streams.keys().filter(|stream| !stream.is_own() || **stream == StreamName::sessions());
    Ok(told.filter_map(|stream| hiding(pin, stream)).cloned().collect())
}

/// The table that SQL finds under the name of a stream.
fn hiding<'a>(pin: &'a Pin, stream: &StreamName) -> Option<&'a DatasetName> {
    pin.names().find(|name| {
        name.namespace().eq_ignore_ascii_case(DEFAULT_NAMESPACE) && name.table().eq_ignore_ascii_case(stream.as_str())
    })
}

/// The lines as rows: these columns, and one for each further member that any of them has, in the order in which they were
/// first seen, so that no later line takes a column away. Members beyond the most columns stand in one of their own.
fn table(mut lines: Vec<Facts>, own: &[(&str, FieldType)]) -> StreamTable {
    let mut fields: Vec<SearchField> =
        own.iter().map(|(name, ty)| SearchField { name: (*name).to_owned(), ty: *ty }).collect();
    fields.extend(further(&lines, own));
    if fields.len() > COLUMNS {
        fields.retain(|field| field.name != REST);
        fields.truncate(COLUMNS - 1);
        let own: HashSet<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        for line in &mut lines {
            let rest = line.iter().filter(|(name, _)| !own.contains(name.as_str()));
            let rest: Facts = rest.map(|(name, value)| (name.clone(), value.clone())).collect();
            if !rest.is_empty() {
                line.insert(REST.to_owned(), Value::Object(rest));
            }
        }
        fields.push(SearchField { name: REST.to_owned(), ty: FieldType::Json });
    }
    StreamTable { fields, lines }
}

/// What is known of a column.
struct Column<'a> {
    name: &'a str,
    ty: Option<FieldType>,
    /// Whether it has whole numbers that would lose digits as others.
    is_wide: bool,
}

/// The columns beside those that are known, each of the type that all of its values have.
fn further(lines: &[Facts], own: &[(&str, FieldType)]) -> Vec<SearchField> {
    let (mut places, mut columns) = (HashMap::new(), Vec::<Column<'_>>::new());
    let known: HashSet<&str> = own.iter().map(|(name, _)| *name).collect();
    for (name, value) in lines.iter().flatten().filter(|(name, _)| !known.contains(name.as_str())) {
        let place = *places.entry(name.as_str()).or_insert(columns.len());
        if place == columns.len() {
            columns.push(Column { name, ty: None, is_wide: false });
        }
        let column = &mut columns[place];
        column.ty = both(column.ty, type_of(value));
        column.is_wide |= value.as_i64().is_some_and(|number| number.unsigned_abs() > EXACT);
    }
    let ty = |column: &Column<'_>| match column.ty {
        Some(FieldType::Number) if column.is_wide => FieldType::Text,
        ty => ty.unwrap_or(FieldType::Text),
    };
    columns.iter().map(|column| SearchField { name: column.name.to_owned(), ty: ty(column) }).collect()
}

fn type_of(value: &Value) -> Option<FieldType> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => FieldType::Boolean,
        Value::Number(number) if number.is_i64() => FieldType::Integer,
        // Its digits: it fits no column of numbers.
        Value::Number(number) if number.is_u64() => FieldType::Text,
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
