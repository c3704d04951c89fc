//! Items in a file: CSV with a header, or JSON objects one a line.

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use vectors::metadata;

#[cfg(test)]
mod tests;

/// Longest record of a file, in bytes.
const LONGEST: u64 = 16 << 20;

/// One item of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub id: String,
    pub content: Content,
    /// Every other column; of a text also the text itself, so that a search can show it.
    pub metadata: Map<String, Value>,
    /// The line it begins at, from 1.
    pub line: u64,
}

/// What becomes the vector.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Text(String),
    Vector(Vec<f32>),
}

/// The items of a file, one after the other.
pub struct Items<R> {
    file: BufReader<R>,
    shape: Shape,
    line: u64,
    ahead: Option<Item>,
}

enum Shape {
    Ndjson,
    /// With the names of the columns.
    Csv(Vec<String>),
}

impl<R: AsyncRead + Unpin> Items<R> {
    /// A file named `.csv` is CSV; everything else is JSON objects one a line.
    pub async fn of(path: &Path, file: R) -> anyhow::Result<Self> {
        let mut items = Self { file: BufReader::new(file), shape: Shape::Ndjson, line: 0, ahead: None };
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
            items.shape = Shape::Csv(Vec::new());
            let header = items.record().await?.context("the file is empty")?;
            let names = fields(header.strip_prefix('\u{feff}').unwrap_or(&header));
            items.shape = Shape::Csv(distinct(names.context("the header has a quote that is not closed")?)?);
        }
        Ok(items)
    }

    /// The next item; none at the end.
    pub async fn next(&mut self) -> anyhow::Result<Option<Item>> {
        if let Some(item) = self.ahead.take() {
            return Ok(Some(item));
        }
        loop {
            let begin = self.line + 1;
            let Some(record) = self.record().await? else { return Ok(None) };
            if record.trim().is_empty() {
                continue;
            }
            let members = match &self.shape {
                Shape::Ndjson => metadata::object(&record)
                    .map_err(|why| anyhow::anyhow!("is no JSON object that can be kept: {why}")),
                Shape::Csv(header) => row(header, &record),
            };
            return members.and_then(|members| item(members, begin)).map(Some).with_context(|| format!("line {begin}"));
        }
    }

    /// Hands an item back, to be the next one.
    pub fn put_back(&mut self, item: Item) {
        self.ahead = Some(item);
    }

    /// One line; of CSV also the lines that a quoted field goes on over.
    async fn record(&mut self) -> anyhow::Result<Option<String>> {
        let (mut record, mut quoted) = (String::new(), false);
        loop {
            let (begin, room) = (record.len(), LONGEST - record.len() as u64);
            let read = (&mut self.file).take(room).read_line(&mut record).await;
            self.line += 1;
            let read = read.with_context(|| format!("line {}", self.line))?;
            if read == 0 && room > 0 {
                return Ok((!record.is_empty()).then_some(record));
            }
            if read as u64 == room {
                bail!("line {}: a record is longer than {} MiB, or a quote is not closed", self.line, LONGEST >> 20);
            }
            quoted = matches!(self.shape, Shape::Csv(_)) && is_open(&record[begin..], quoted);
            if !quoted {
                record.truncate(record.trim_end_matches(['\n', '\r']).len());
                return Ok(Some(record));
            }
        }
    }
}

/// Refuses a column that is named twice: only one of its cells could be kept.
fn distinct(names: Vec<String>) -> anyhow::Result<Vec<String>> {
    match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        Some((_, twice)) => bail!("the header names {twice:?} twice"),
        None => Ok(names),
    }
}

/// A row's cells by their columns' names. Cells are texts, as they stand; an empty one is absent.
fn row(header: &[String], record: &str) -> anyhow::Result<Map<String, Value>> {
    let cells = fields(record).context("has a quote that is not closed")?;
    if cells.len() != header.len() {
        bail!("has {} fields, and the header {}", cells.len(), header.len());
    }
    let filled = header.iter().cloned().zip(cells).filter(|(_, cell)| !cell.is_empty());
    Ok(filled.map(|(name, cell)| (name, Value::String(cell))).collect())
}

/// The fields of a record, quotes taken off; none while a quoted field has not ended.
fn fields(record: &str) -> Option<Vec<String>> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let (mut quoted, mut begins) = (false, true);
    let mut characters = record.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted || begins => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
        begins = character == ',' && !quoted;
    }
    fields.push(field);
    (!quoted).then_some(fields)
}

/// Whether a quoted field goes on behind this line, which began in one or not.
fn is_open(line: &str, mut quoted: bool) -> bool {
    let mut begins = !quoted;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => {}
            '"' if quoted || begins => quoted = !quoted,
            _ => {}
        }
        begins = !quoted && matches!(character, ',' | '\u{feff}');
    }
    quoted
}

/// `id`, and `text` or `vector`, taken out of the members; the rest is metadata.
fn item(mut members: Map<String, Value>, line: u64) -> anyhow::Result<Item> {
    let id = match members.remove("id") {
        Some(Value::String(id)) => id,
        Some(Value::Number(id)) => id.to_string(),
        _ => bail!("has no id"),
    };
    let content = match (members.get("text").cloned(), members.remove("vector")) {
        (Some(Value::String(text)), None) => Content::Text(text),
        (None, Some(vector)) => Content::Vector(numbers(vector)?),
        (Some(_), Some(_)) => bail!("has both a text and a vector"),
        _ => bail!("has neither a text nor a vector"),
    };
    if let Some(Value::Object(inner)) = members.remove("metadata") {
        members.extend(inner);
    }
    Ok(Item { id, content, metadata: members, line })
}

/// A list of numbers; in CSV it is the text of one.
fn numbers(vector: Value) -> anyhow::Result<Vec<f32>> {
    let parsed = match vector {
        Value::String(text) => serde_json::from_str(&text),
        other => serde_json::from_value(other),
    };
    parsed.map_err(|_| anyhow::anyhow!("has a vector that is no list of numbers"))
}
