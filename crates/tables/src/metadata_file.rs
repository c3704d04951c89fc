//! A table's metadata as a file: compressed, and with the newest snapshots only, so that a commit costs the same however
//! long the history is. Earlier snapshots stay in the metadata files of earlier commits.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};

use base::Timestamp;
use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use iceberg::spec::{ManifestEntry, SnapshotRef, TableMetadata, TableMetadataBuilder};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::summary;

#[cfg(test)]
mod tests;

/// How many snapshots a metadata file holds at least, besides those that branches and tags of the table name.
pub const RECENT: usize = 128;
/// So many more are left out at once, as finding out which ones are named is work.
const SLACK: usize = 16;
/// What a name ends with; readers of Iceberg know by it that the file is compressed.
const ENDING: &str = ".gz.metadata.json";
const GZIP: [u8; 2] = [0x1F, 0x8B];
/// No metadata is larger. A file that claims to be is not inflated further.
const LARGEST: u64 = 1 << 30;
/// The sequence number of the last snapshot that was left out and whose files we did not write.
pub const OTHERS_UNTIL: &str = "lakehouse.others-until";

/// The bytes of a metadata file.
pub fn encode(metadata: &TableMetadata) -> Result<Bytes> {
    let bug = |source| Error::Bug { doing: "writing metadata", source };
    let json = serde_json::to_vec(metadata).map_err(|source| bug(source.into()))?;
    let mut encoder = GzEncoder::new(Vec::with_capacity(json.len() / 4), Compression::fast());
    let packed = encoder.write_all(&json).and_then(|()| encoder.finish());
    packed.map(Bytes::from).map_err(|source| bug(source.into()))
}

/// Reads a metadata file, compressed or not. `what` names it in the error.
pub fn decode(what: impl Fn() -> String, bytes: &[u8]) -> Result<TableMetadata> {
    let damaged = |error: serde_json::Error| Error::damaged(what(), error);
    serde_json::from_slice(&unpacked(&what, bytes)?).map_err(damaged)
}

/// Reads a metadata file, and which snapshots branches and tags of the table name: from the file as it is written, which
/// is half the work of [`named`].
pub fn decode_naming(what: impl Fn() -> String, bytes: &[u8]) -> Result<(TableMetadata, HashSet<i64>)> {
    let damaged = |error: serde_json::Error| Error::damaged(what(), error);
    let json = unpacked(&what, bytes)?;
    let metadata = serde_json::from_slice(&json).map_err(damaged)?;
    Ok((metadata, named_in(&json).map_err(damaged)?))
}

/// The JSON of a metadata file.
fn unpacked<'a>(what: impl Fn() -> String, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    if !bytes.starts_with(&GZIP) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut json = Vec::new();
    let inflated = GzDecoder::new(bytes).take(LARGEST).read_to_end(&mut json);
    inflated.map_err(|error| Error::damaged(what(), error))?;
    Ok(Cow::Owned(json))
}

/// A name for the metadata file that follows `previous`, or for a table's first one: `<number>-<id>.gz.metadata.json`.
pub fn name(previous: Option<&str>, id: uuid::Uuid) -> String {
    format!("{:05}-{id}{ENDING}", previous.map_or(0, following))
}

/// The number of the metadata file after `path`, whose name begins with its own.
fn following(path: &str) -> u32 {
    let name = path.rsplit('/').next().unwrap_or_default();
    let number = name.split('-').next().and_then(|number| number.parse::<u32>().ok());
    number.map_or(1, |number| number + 1)
}

/// Leaves out the oldest snapshots of `base` that the next metadata has no room for; those in `keep` stay.
pub fn leave_out_old(
    builder: TableMetadataBuilder,
    base: &TableMetadata,
    keep: &[i64],
) -> Result<TableMetadataBuilder> {
    if base.snapshots().len() < RECENT + SLACK {
        return Ok(builder);
    }
    let mut named = named(base)?;
    named.extend(keep);
    let mut unnamed: Vec<&SnapshotRef> =
        base.snapshots().filter(|snapshot| !named.contains(&snapshot.snapshot_id())).collect();
    unnamed.sort_by_key(|snapshot| snapshot.sequence_number());
    let surplus = unnamed.len().saturating_sub(RECENT - 1);
    let old: Vec<i64> = unnamed[..surplus].iter().map(|snapshot| snapshot.snapshot_id()).collect();
    leave_out(builder, base, &old)
}

/// The snapshots that branches and tags of the table name. The library shows them in the written form alone.
pub fn named(metadata: &TableMetadata) -> Result<HashSet<i64>> {
    let named = serde_json::to_vec(metadata).and_then(|json| named_in(&json));
    named.map_err(|source| Error::Bug { doing: "reading references", source: source.into() })
}

fn named_in(json: &[u8]) -> serde_json::Result<HashSet<i64>> {
    #[derive(Deserialize)]
    struct Written {
        refs: Option<HashMap<String, Named>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Named {
        snapshot_id: i64,
    }
    let written: Written = serde_json::from_slice(json)?;
    Ok(written.refs.into_iter().flatten().map(|(_, named)| named.snapshot_id).collect())
}

/// The snapshots of `base` that are not kept, and are neither its current one nor named by a branch or a tag.
pub fn unneeded(base: &TableMetadata, kept: &HashSet<i64>) -> Result<Vec<i64>> {
    let mut needed = named(base)?;
    needed.extend(base.current_snapshot_id());
    let listed = base.snapshots().map(|snapshot| snapshot.snapshot_id());
    Ok(listed.filter(|id| !needed.contains(id) && !kept.contains(id)).collect())
}

/// Leaves snapshots of `base` out of the next metadata, and notes which of the files they added are not ours.
pub fn leave_out(
    builder: TableMetadataBuilder,
    base: &TableMetadata,
    snapshots: &[i64],
) -> Result<TableMetadataBuilder> {
    if snapshots.is_empty() {
        return Ok(builder);
    }
    let gone = snapshots.iter().filter_map(|id| base.snapshot_by_id(*id));
    let others = gone.filter(|snapshot| !summary::wrote_its_files(snapshot.summary()));
    let until = others.map(|snapshot| snapshot.sequence_number()).max();
    let until = until.filter(|until| *until > others_until(base));
    let noted = until.map(|until| (OTHERS_UNTIL.to_owned(), until.to_string()));
    let builder = builder.remove_snapshots(snapshots).set_properties(HashMap::from_iter(noted));
    builder.map_err(Error::bug("leaving snapshots out"))
}

/// The property which says that files of snapshots that the metadata does not hold are not ours.
pub fn all_of_others(metadata: &TableMetadata) -> (String, String) {
    (OTHERS_UNTIL.to_owned(), metadata.last_sequence_number().to_string())
}

/// Whether we wrote a listed file, so that its statistics are exact.
pub fn is_ours(metadata: &TableMetadata, entry: &ManifestEntry) -> bool {
    match entry.snapshot_id().and_then(|id| metadata.snapshot_by_id(id)) {
        Some(snapshot) => summary::wrote_its_files(snapshot.summary()),
        None => entry.sequence_number().is_some_and(|number| number > others_until(metadata)),
    }
}

/// Without the note, only metadata that never left a snapshot out can tell whose files are whose.
fn others_until(metadata: &TableMetadata) -> i64 {
    metadata.properties().get(OTHERS_UNTIL).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The location of an earlier metadata file that holds what this one has left out; none when it has left out nothing.
pub fn earlier(metadata: &TableMetadata) -> Option<&str> {
    let known = |id| metadata.snapshot_by_id(id).is_some();
    let oldest = metadata.snapshots().min_by_key(|snapshot| snapshot.sequence_number())?;
    if oldest.parent_snapshot_id().is_none_or(known) {
        return None;
    }
    let log = metadata.metadata_log();
    let before = log.iter().rev().find(|entry| entry.timestamp_ms <= oldest.timestamp_ms());
    before.or(log.first()).map(|entry| entry.metadata_file.as_str())
}

/// Metadata with our own time on what the library stamps by the machine's clock: the change as a whole, and a branch
/// that was moved to a snapshot of `base`.
pub fn stamp(metadata: TableMetadata, base: Option<&TableMetadata>, at: Timestamp) -> Result<TableMetadata> {
    let history = base.map_or(&[][..], TableMetadata::history);
    let told: HashSet<(i64, i64)> = history.iter().map(|entry| (entry.snapshot_id, entry.timestamp_ms)).collect();
    let moved_back = |entry: &Value| {
        let (id, at) = (entry["snapshot-id"].as_i64().unwrap_or(0), entry["timestamp-ms"].as_i64().unwrap_or(0));
        !told.contains(&(id, at)) && base.is_some_and(|base| base.snapshot_by_id(id).is_some())
    };
    let newest = metadata.snapshots().map(|snapshot| snapshot.timestamp_ms()).max();
    let now = at.millis().max(newest.unwrap_or(0)).max(base.map_or(0, TableMetadata::last_updated_ms));
    let bug = |source: serde_json::Error| Error::Bug { doing: "dating metadata", source: source.into() };
    let mut written = serde_json::to_value(metadata).map_err(bug)?;
    written["last-updated-ms"] = json!(now);
    let log = written["snapshot-log"].as_array_mut();
    for entry in log.into_iter().flatten().filter(|entry| moved_back(entry)) {
        entry["timestamp-ms"] = json!(now);
    }
    serde_json::from_value(written).map_err(bug)
}
