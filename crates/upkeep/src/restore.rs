//! Restore: a backup becomes a lake, and every byte is compared with what was backed up before the lake can be opened.

use base::{Timestamp, Version};
use bytes::{Bytes, BytesMut};
use catalog::Plate;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::Store;

use crate::backup::{AT_ONCE, FORMAT, HEADING, Heading, LIST, lies_within};
use crate::copy::{Copied, Expected, copy};
use crate::error::{Error, Result};

/// Says which backup a lake is being restored from, until it is whole.
const MARKER: &str = Plate::RESTORING;
/// How many files are read from the list before they are copied.
const WINDOW: usize = 1024;

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The version that the lake is at.
    pub version: Version,
    /// When that was published.
    pub at: Timestamp,
    /// How many datasets it has.
    pub datasets: u64,
    /// How many files were copied and compared.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Makes a lake of a backup, in an empty place or where an earlier restore of the same backup was interrupted. The lake
/// has the version that was backed up, under its old number, and none before it.
pub async fn restore(from: &Store, to: &Store) -> Result<Restored> {
    if lies_within(to, from) {
        return Err(Error::Nested { place: "the place of the restored lake", within: "the backup" });
    }
    let (heading, bytes) = heading(from).await?;
    let lines = check_list(from, &heading).await?;
    claim(to, bytes).await?;
    for window in lines.chunks(WINDOW) {
        let copies = window.iter().map(|expected| async move {
            let copied = copy(from, to, &expected.path, Expected::Bytes(expected)).await;
            let copied = copied.map_err(|error| missing(error, &expected.path))?;
            copied.map(drop).map_err(|_| differs(&expected.path))
        });
        stream::iter(copies.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }
    // Only now can it be opened.
    heading.plate.put_up(to).await?;
    to.delete(MARKER).await?;
    let Heading { version, at, files, bytes, rows, .. } = heading;
    Ok(Restored { version, at, datasets: rows.len() as u64, files, bytes })
}

async fn heading(from: &Store) -> Result<(Heading, Bytes)> {
    #[derive(Deserialize)]
    struct Stated {
        format: u64,
    }
    let bytes = match from.get(HEADING).await {
        Ok(bytes) => bytes,
        Err(storage::Error::NotFound { .. }) => return Err(Error::NoBackup),
        Err(error) => return Err(error.into()),
    };
    let damaged = |_| Error::DamagedBackup { what: "backup.json does not read".into() };
    let Stated { format } = serde_json::from_slice(&bytes).map_err(damaged)?;
    if format > FORMAT {
        return Err(Error::NewerBackup { found: format, known: FORMAT });
    }
    Ok((serde_json::from_slice(&bytes).map_err(damaged)?, bytes))
}

/// The list of files, after comparing it with its hash and the heading's counts.
async fn check_list(from: &Store, heading: &Heading) -> Result<Vec<Copied>> {
    let mut stream = from.read(LIST, None).await.map_err(|error| missing(error, LIST))?.stream;
    let (mut hash, mut rest, mut files) = (Sha256::new(), BytesMut::new(), Vec::new());
    while let Some(bytes) = stream.try_next().await? {
        hash.update(&bytes);
        rest.extend_from_slice(&bytes);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = rest.split_to(end + 1);
            files.push(serde_json::from_slice::<Copied>(&line).map_err(|_| differs(LIST))?);
        }
    }
    let sums = files.iter().fold((0, 0), |(count, bytes), file| (count + 1, bytes + file.size));
    let same = hex::encode(hash.finalize()) == heading.list_sha256 && sums == (heading.files, heading.bytes);
    if same && rest.is_empty() { Ok(files) } else { Err(differs(LIST)) }
}

/// Makes sure that the place is empty, or was claimed by an interrupted restore of the same backup.
async fn claim(to: &Store, heading: Bytes) -> Result<()> {
    let occupied = |holds| Err(Error::Occupied { place: "the place of the restored lake", holds });
    if to.exists(Plate::PATH).await? {
        return occupied("it holds a lake");
    }
    match to.get(MARKER).await {
        Ok(found) if found == heading => return Ok(()),
        Ok(_) => return occupied("another restore into it was interrupted"),
        Err(storage::Error::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    if !to.list("", None, 1).await?.entries.is_empty() {
        return occupied("choose an empty one");
    }
    to.put(MARKER, heading).await?;
    Ok(())
}

fn differs(path: &str) -> Error {
    Error::DamagedBackup { what: format!("{path} is not what was backed up") }
}

/// A file that is not there is damage; any other failure is the store's, and may pass.
fn missing(error: storage::Error, path: &str) -> Error {
    match error {
        storage::Error::NotFound { .. } => Error::DamagedBackup { what: format!("{path} is missing") },
        error => error.into(),
    }
}
