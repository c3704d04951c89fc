//! The whole state at one version as one Parquet file: checkpoints, which are derived from the log and never fatal to
//! lose, and bases, which are the truth once expiry has removed the records below them.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use base::{Fault, Tag, Timestamp, Version};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use storage::Store;
use tables::stamp;

use crate::error::{Cause, Error, Result};
use crate::record::Properties;
use crate::state::{IndexEntry, Keyed, State, TableEntry};

#[cfg(test)]
mod tests;

/// A kind of stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Base,
    Checkpoint,
}

impl Role {
    /// Where states of this kind lie.
    fn directory(self) -> &'static str {
        match self {
            Self::Base => "_lake/base/",
            Self::Checkpoint => "_lake/checkpoints/",
        }
    }

    fn what(self, version: Version) -> String {
        match self {
            Self::Base => format!("the base at version {version}"),
            Self::Checkpoint => format!("the checkpoint of version {version}"),
        }
    }

    /// Twenty digits, so that names sort like numbers.
    pub(crate) fn path(self, version: Version) -> String {
        format!("{}{:020}.parquet", self.directory(), version.0)
    }

    fn version_of(self, path: &str) -> Option<Version> {
        path.strip_prefix(self.directory())?.strip_suffix(".parquet")?.parse().ok().map(Version)
    }
}
/// The newest format of stored states that this program reads, and the only one that it writes: from it on, the whole
/// file is summed.
const FORMAT: u64 = 3;
/// The footer key under which the heading is stored.
const HEADING: &str = "lakehouse.checkpoint";
/// What stands before the checksum of the whole file.
const SUM: &[u8] = b"\"file_crc32c\":\"";
/// How many names one listing asks for.
const PAGE: usize = 10_000;

/// What a checkpoint states about itself.
#[derive(Debug, Serialize, Deserialize)]
struct Heading {
    format: u64,
    version: Version,
    at: Timestamp,
    rows: u64,
    /// CRC-32C of all cells, each closed by a zero byte.
    crc32c: u32,
    /// CRC-32C of the file. Since format 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file_crc32c: Option<String>,
}

/// One thing of the state: what it is, its name, and the rest as JSON.
struct Row {
    kind: &'static str,
    name: String,
    body: String,
}

/// The newest state at or below `limit` (or of all) that a base or a sound checkpoint holds; the empty state when none
/// does.
pub(crate) async fn newest(store: &Store, limit: Option<Version>) -> Result<State> {
    let mut stored: Vec<(Version, Role)> = Vec::new();
    for role in [Role::Base, Role::Checkpoint] {
        stored.extend(list(store, role, None).await?.into_iter().map(|version| (version, role)));
    }
    stored.retain(|(version, _)| limit.is_none_or(|limit| *version <= limit));
    stored.sort_unstable();
    for (version, role) in stored.into_iter().rev() {
        match load(store, role, version).await {
            Ok(state) => return Ok(state),
            // What the log before a base said is gone, so there is nothing to go on with.
            Err(error @ Error::NewerFormat { .. }) => return Err(error),
            Err(error) if role == Role::Base => return Err(error),
            Err(error) => {
                tracing::warn!(%version, error = %error, cause = error.causes(), "a checkpoint does not read; going on without it");
            }
        }
    }
    Ok(State::empty())
}

/// Writes the checkpoint of a state. It is derived, so a failure is only noted.
pub(crate) async fn write_or_warn(store: &Store, state: &State) {
    if let Err(error) = write(store, Role::Checkpoint, state).await {
        tracing::warn!(version = %state.version, error = %error, "a checkpoint could not be written");
    }
}

/// Writes a state. Another process may have written the same one, so it replaces.
pub(crate) async fn write(store: &Store, role: Role, state: &State) -> Result<()> {
    store.put(&role.path(state.version), bytes(state)?).await?;
    Ok(())
}

/// A state as it is stored.
pub(crate) fn bytes(state: &State) -> Result<Bytes> {
    encode(state).map_err(|source| Error::Bug { doing: "writing a state", source })
}

/// The versions above `above` whose states are stored, oldest first.
pub(crate) async fn list(store: &Store, role: Role, above: Option<Version>) -> Result<Vec<Version>> {
    let mut versions = Vec::new();
    let mut after = above.map(|version| role.path(version));
    loop {
        let page = store.list(role.directory(), after.as_deref(), PAGE).await?;
        versions.extend(page.entries.iter().filter_map(|entry| role.version_of(&entry.path)));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(versions),
        }
    }
}

async fn load(store: &Store, role: Role, version: Version) -> Result<State> {
    let what = || role.what(version);
    let bytes = store.get(&role.path(version)).await?;
    if stamp::place(&bytes, SUM).is_some_and(|at| !stamp::is_true(&bytes, at)) {
        return Err(Error::damaged(what(), "its bytes are not as they were written"));
    }
    let (heading, rows) = decode(bytes).map_err(|source| Error::damaged(what(), source))?;
    if heading.format > FORMAT {
        return Err(Error::NewerFormat { what: what(), found: heading.format, known: FORMAT });
    }
    if heading.version != version || heading.rows != rows.len() as u64 || heading.crc32c != checksum(&rows) {
        return Err(Error::damaged(what(), "its heading does not fit its rows"));
    }
    if heading.format >= FORMAT && heading.file_crc32c.is_none() {
        return Err(Error::damaged(what(), "it lacks its checksum"));
    }
    rebuild(&heading, &rows).map_err(|source| Error::damaged(what(), source))
}

fn encode(state: &State) -> Result<Bytes, Cause> {
    let rows = rows_of(state)?;
    let (version, at) = (state.version, state.at);
    let (count, crc32c, file_crc32c) = (rows.len() as u64, checksum(&rows), Some(stamp::BLANK.to_owned()));
    let heading = Heading { format: FORMAT, version, at, rows: count, crc32c, file_crc32c };
    let heading = KeyValue::new(HEADING.to_owned(), serde_json::to_string(&heading)?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_key_value_metadata(Some(vec![heading]))
        .build();
    let batch = RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.kind))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.name))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.body))),
        ],
    )?;
    let mut writer = ArrowWriter::try_new(Vec::new(), schema(), Some(properties))?;
    writer.write(&batch)?;
    let mut bytes = writer.into_inner()?;
    let at = stamp::place(&bytes, SUM).ok_or("its heading has no place for its checksum")?;
    stamp::put(&mut bytes, at);
    Ok(bytes.into())
}

fn decode(bytes: Bytes) -> Result<(Heading, Vec<Row>), Cause> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    let stated = reader.metadata().file_metadata().key_value_metadata();
    let heading = stated.into_iter().flatten().find(|pair| pair.key == HEADING).and_then(|pair| pair.value.as_ref());
    let heading = serde_json::from_str(heading.ok_or("it has no heading")?)?;
    let mut rows = Vec::new();
    for batch in reader.build()? {
        let batch = batch?;
        let column = |index| batch.column(index).as_any().downcast_ref::<StringArray>().ok_or("it has other columns");
        let (kinds, names, bodies) = (column(0)?, column(1)?, column(2)?);
        for row in 0..batch.num_rows() {
            let kind = KINDS.into_iter().find(|kind| *kind == kinds.value(row)).ok_or("it holds an unknown kind")?;
            rows.push(Row { kind, name: names.value(row).to_owned(), body: bodies.value(row).to_owned() });
        }
    }
    Ok((heading, rows))
}

const NAMESPACE: &str = "namespace";
const TABLE: &str = "table";
const INDEX: &str = "index";
const TAG: &str = "tag";
const KEY: &str = "key";
/// What expiry and sweeps left behind; absent where there were none.
const MARK: &str = "mark";
const OLDEST: &str = "oldest";
const SWEPT: &str = "swept";
const KINDS: [&str; 6] = [NAMESPACE, TABLE, INDEX, TAG, KEY, MARK];

fn rows_of(state: &State) -> Result<Vec<Row>, Cause> {
    let mut rows = Vec::new();
    for (namespace, properties) in &state.namespaces {
        let properties = Some(properties).filter(|properties| !properties.is_empty());
        rows.push(Row { kind: NAMESPACE, name: namespace.clone(), body: serde_json::to_string(&properties)? });
    }
    for (name, entry) in &state.tables {
        rows.push(Row { kind: TABLE, name: name.to_string(), body: serde_json::to_string(entry.as_ref())? });
    }
    for (name, entry) in &state.indexes {
        rows.push(Row { kind: INDEX, name: name.to_string(), body: serde_json::to_string(entry.as_ref())? });
    }
    for (tag, version) in &state.tags {
        rows.push(Row { kind: TAG, name: tag.to_string(), body: serde_json::to_string(version)? });
    }
    for (key, keyed) in state.keys() {
        rows.push(Row { kind: KEY, name: key.clone(), body: serde_json::to_string(keyed)? });
    }
    if state.oldest > Version(1) {
        rows.push(Row { kind: MARK, name: OLDEST.into(), body: serde_json::to_string(&state.oldest)? });
    }
    if let Some(swept) = state.swept {
        rows.push(Row { kind: MARK, name: SWEPT.into(), body: serde_json::to_string(&swept)? });
    }
    Ok(rows)
}

fn rebuild(heading: &Heading, rows: &[Row]) -> Result<State, Cause> {
    let mut state = State::empty();
    state.version = heading.version;
    state.at = heading.at;
    state.namespaces.clear();
    for row in rows {
        match row.kind {
            NAMESPACE => {
                let properties: Option<Properties> = serde_json::from_str(&row.body)?;
                state.namespaces.insert(row.name.clone(), Arc::new(properties.unwrap_or_default()));
            }
            TABLE => {
                let entry: TableEntry = serde_json::from_str(&row.body)?;
                state.tables.insert(row.name.parse()?, Arc::new(entry));
            }
            INDEX => {
                let entry: IndexEntry = serde_json::from_str(&row.body)?;
                state.indexes.insert(row.name.parse()?, Arc::new(entry));
            }
            TAG => {
                state.tags.insert(row.name.parse::<Tag>()?, serde_json::from_str(&row.body)?);
            }
            MARK if row.name == OLDEST => state.oldest = serde_json::from_str(&row.body)?,
            MARK => state.swept = Some(serde_json::from_str(&row.body)?),
            _ => state.keep_key(row.name.clone(), serde_json::from_str::<Keyed>(&row.body)?),
        }
    }
    Ok(state)
}

fn checksum(rows: &[Row]) -> u32 {
    let cells = rows.iter().flat_map(|row| [row.kind, &row.name, &row.body]);
    cells.fold(0, |crc, cell| crc32c::crc32c_append(crc32c::crc32c_append(crc, cell.as_bytes()), &[0]))
}

fn schema() -> Arc<Schema> {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(vec![text("kind"), text("name"), text("body")]))
}
