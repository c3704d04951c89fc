//! The lake's own name plate: which format it has and under which root it was written.

use base::{Seams, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use storage::Store;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::record::expect_format;

/// Where the name plate stands.
pub(crate) const PATH: &str = "_lake/format.json";
/// Where the history lies; a lake without any is new.
const HISTORY: [&str; 3] = ["_lake/log/", "_lake/checkpoints/", "_lake/base/"];
/// Stands where a lake is being restored, until it is whole.
pub(crate) const RESTORING: &str = "_lake/restore.json";
/// The newest lake format that this program reads.
const FORMAT: u64 = 2;
/// The format of a lake whose records are all there and whose root never changed.
const WHOLE: u64 = 1;
/// How often a change of the name plate begins again because another one came first.
const ATTEMPTS: usize = 8;
/// How many racing creators prove a new lake's store.
const RACERS: usize = 8;

/// The name plate of a lake. The first expiry and every relocation change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Format {
    format: u64,
    /// Names the lake wherever it is copied to.
    pub lake_id: Uuid,
    /// The address under which new Iceberg metadata holds locations: the one under which the lake was created, or was
    /// relocated to.
    pub root: String,
    /// Addresses that earlier metadata holds locations under.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_roots: Vec<String>,
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
                "it is not whole, as _lake/format.json is missing: finish the restore, or copy that file from the original",
            )),
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Whether nothing was ever committed to the store or restored to it.
async fn is_empty(store: &Store) -> Result<bool> {
    for prefix in HISTORY {
        if !store.list(prefix, None, 1).await?.entries.is_empty() {
            return Ok(false);
        }
    }
    Ok(!store.exists(RESTORING).await?)
}

async fn create(store: &Store, seams: &Seams) -> Result<Format> {
    store.probe_race(RACERS).await?;
    let format = Format {
        format: WHOLE,
        lake_id: seams.uuid(),
        root: store.uri().to_owned(),
        former_roots: Vec::new(),
        created_at: seams.now(),
    };
    match store.create(PATH, format.bytes()?).await {
        Ok(_) => Ok(format),
        // Whoever came first, perhaps this very call before its reply was lost: what stands there is the truth.
        Err(storage::Error::AlreadyExists { .. } | storage::Error::OutcomeUnknown { .. }) => {
            parse(&store.get(PATH).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// The name plate as a lake that begins with a later version has it.
pub(crate) async fn moved(store: &Store) -> Result<Format> {
    Ok(Format { format: FORMAT, ..parse(&store.get(PATH).await?)? })
}

/// Changes the name plate, which older programs then refuse: they would not find their way without the records that are
/// gone, or to files under another root.
pub(crate) async fn change(store: &Store, change: impl Fn(&mut Format)) -> Result<Format> {
    for _ in 0..ATTEMPTS {
        let etag = store.head(PATH).await?.etag;
        let found = parse(&store.get(PATH).await?)?;
        let mut format = found.clone();
        change(&mut format);
        format.format = FORMAT;
        if format == found {
            return Ok(format);
        }
        match store.replace(PATH, &etag, format.bytes()?).await {
            Ok(_) => return Ok(format),
            Err(storage::Error::Precondition { .. } | storage::Error::OutcomeUnknown { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::OutcomeUnknown)
}

impl Format {
    /// Makes `root` the address of the lake; the one it had stays known.
    pub fn move_to(&mut self, root: &str) {
        if self.root != root {
            let former = std::mem::replace(&mut self.root, root.to_owned());
            self.former_roots.retain(|known| known != root && *known != former);
            self.former_roots.push(former);
        }
    }

    pub fn bytes(&self) -> Result<Bytes> {
        let bytes = serde_json::to_vec_pretty(self);
        let bug = |source: serde_json::Error| Error::Bug { doing: "writing the lake's format", source: source.into() };
        bytes.map(Bytes::from).map_err(bug)
    }
}

fn parse(bytes: &[u8]) -> Result<Format> {
    let what = || "the lake".to_owned();
    expect_format(what(), bytes, FORMAT)?;
    serde_json::from_slice(bytes).map_err(|source| Error::damaged("the lake's format", source))
}
