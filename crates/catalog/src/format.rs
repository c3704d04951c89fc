//! The lake's own name plate: which format it has and under which root it was written.

use base::{Seams, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use storage::Store;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::record::expect_format;

/// Where the name plate stands.
const PATH: &str = "_lake/format.json";
/// Where the history lies; a lake without any is new.
const HISTORY: [&str; 2] = ["_lake/log/", "_lake/checkpoints/"];
/// The newest lake format that this program reads and writes.
const FORMAT: u64 = 1;
/// How many racing creators prove a new lake's store.
const RACERS: usize = 8;

/// The name plate of a lake, created once and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Format {
    format: u64,
    /// Names the lake wherever it is copied to.
    pub lake_id: Uuid,
    /// The address under which the lake was created; Iceberg metadata holds locations under it.
    pub root: String,
    created_at: Timestamp,
}

/// Reads the name plate. An empty store gets one, after proving that of many racing creators one wins.
pub(crate) async fn open(store: &Store, seams: &Seams) -> Result<Format> {
    match store.get(PATH).await {
        Ok(bytes) => parse(&bytes),
        Err(storage::Error::NotFound { .. }) if is_empty(store).await? => create(store, seams).await,
        // Another process may have made the lake a moment ago. If not, the name plate was lost, and a new one would
        // not know the root under which the tables were written.
        Err(storage::Error::NotFound { .. }) => match store.get(PATH).await {
            Ok(bytes) => parse(&bytes),
            Err(storage::Error::NotFound { .. }) => Err(Error::damaged(
                "the lake",
                "it has a log and no _lake/format.json: copy that file from the original or a backup",
            )),
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Whether nothing was ever committed to the store.
async fn is_empty(store: &Store) -> Result<bool> {
    for prefix in HISTORY {
        if !store.list(prefix, None, 1).await?.entries.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn create(store: &Store, seams: &Seams) -> Result<Format> {
    store.probe_race(RACERS).await?;
    let format =
        Format { format: FORMAT, lake_id: seams.uuid(), root: store.uri().to_owned(), created_at: seams.now() };
    let bytes = serde_json::to_vec_pretty(&format);
    let bytes = bytes.map_err(|source| Error::Bug { doing: "writing the lake's format", source: source.into() })?;
    match store.create(PATH, Bytes::from(bytes)).await {
        Ok(_) => Ok(format),
        // Whoever came first, perhaps this very call before its reply was lost: what stands there is the truth.
        Err(storage::Error::AlreadyExists { .. } | storage::Error::OutcomeUnknown { .. }) => {
            parse(&store.get(PATH).await?)
        }
        Err(error) => Err(error.into()),
    }
}

fn parse(bytes: &[u8]) -> Result<Format> {
    let what = || "the lake".to_owned();
    expect_format(what(), bytes, FORMAT)?;
    serde_json::from_slice(bytes).map_err(|source| Error::damaged("the lake's format", source))
}
