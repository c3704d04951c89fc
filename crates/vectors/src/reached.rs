//! How far an index has reached, noted apart from its fragments: whoever finds fewer of them knows that some were lost,
//! where the fragments alone would look like a shorter index, or like one that never held anything.
//!
//! A note is written when the fragment that it names is durable, about once a second while the index grows. So it lags
//! behind the fragments, is never ahead of them, and may be deleted.

use std::time::Duration;

use base::Seams;
use serde::{Deserialize, Serialize};
use storage::Store;
use uuid::Uuid;

use crate::error::Result;
use crate::fragment::Owner;
use crate::layout::Flaw;

/// The format of a note.
const FORMAT: u64 = 1;
/// How long the next note waits, so that one write serves many fragments.
const REST: Duration = Duration::from_secs(1);

/// The note of one index.
pub(crate) struct Reached {
    store: Store,
    path: String,
    index: Uuid,
    seams: Seams,
    /// The last fragment that is noted; 0 for none.
    noted: u64,
    /// The last fragment that was appended here.
    appended: u64,
    /// When the last note was written here, in microseconds.
    written: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Note {
    format: u64,
    index: Uuid,
    fragment: u64,
}

impl Reached {
    /// Reads the note of an index. One that says nothing is as good as none.
    pub async fn read(store: &Store, owner: &Owner, seams: Seams) -> Result<Self> {
        let (index, path) = (owner.index, format!("_lake/indexes/{}.json", owner.index));
        let noted = match store.get(&path).await {
            Ok(bytes) => fragment(&bytes, index).unwrap_or_else(|| {
                tracing::warn!(path, "the note of how far an index has reached says nothing");
                0
            }),
            Err(storage::Error::NotFound { .. }) => 0,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { store: store.clone(), path, index, seams, noted, appended: 0, written: None })
    }

    /// Refuses an index whose last fragment is this one when it has reached further.
    pub fn check(&self, last: u64, owner: &Owner) -> Result<()> {
        let lost = || owner.fault(last + 1, Flaw::Broken("it is missing, and the index has reached as far as it"));
        if last < self.noted { Err(lost()) } else { Ok(()) }
    }

    /// A fragment was appended here and is durable.
    pub fn appended(&mut self, fragment: u64) {
        self.appended = fragment;
    }

    /// How long the next note may wait; none when there is nothing to note.
    pub fn rest(&self) -> Option<Duration> {
        let age = self.written.map(|written| self.seams.now().micros().saturating_sub(written));
        let age = age.map_or(REST, |age| Duration::from_micros(u64::try_from(age).unwrap_or_default()));
        (self.appended > self.noted).then(|| REST.saturating_sub(age))
    }

    /// Notes that all fragments up to this one are durable. What fails is left to the next note.
    pub async fn note(&mut self, fragment: u64) {
        let note = Note { format: FORMAT, index: self.index, fragment };
        let bytes = serde_json::to_vec(&note).unwrap_or_default();
        if let Err(error) = self.store.put(&self.path, bytes.into()).await {
            tracing::warn!(path = self.path, %error, "it is not noted how far an index has reached");
        }
        (self.noted, self.written) = (fragment, Some(self.seams.now().micros()));
    }
}

/// What a note of this index says.
fn fragment(bytes: &[u8], index: Uuid) -> Option<u64> {
    let note: Note = serde_json::from_slice(bytes).ok()?;
    (note.format == FORMAT && note.index == index).then_some(note.fragment)
}
