//! What the kept versions reach: every file that some version, tag or idempotency key may still ask for.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{DatasetName, IndexName, Span, Timestamp, Version};
use futures::{StreamExt, TryStreamExt, stream};
use iceberg::spec::SnapshotRef;
use sha2::{Digest, Sha256};
use tables::lake::Lake;
use tables::read_table::ReadTable;
use uuid::Uuid;

use crate::catalog::{Catalog, Room};
use crate::checkpoint::{self, Role};
use crate::error::{Error, Result};
use crate::expire::Expiry;
use crate::lingering::before;
use crate::log;
use crate::pin::Pin;
use crate::record::Change;
use crate::sealing::{DERIVED, SEGMENTS, Sealed};
use crate::state::State;

/// Where notes about indexes lie, by their ids.
const NOTES: &str = "_lake/indexes/";
/// How many tables' files are gathered at once.
const AT_ONCE: usize = 16;

/// The files that kept versions reach, and those of which nothing is known. Costs some 32 bytes a file.
#[derive(Debug, Default)]
pub struct Reach {
    files: HashSet<u128>,
    /// Directories of tables that some version pins: what lies beside their data is theirs too.
    tables: BTreeSet<String>,
    indexes: BTreeSet<String>,
    index_ids: HashSet<Uuid>,
    /// Directories of indexes with the last fragment of each that was sealed long enough ago for everybody to know.
    settled: BTreeMap<String, u64>,
    /// Directories of tables that did not read, so that nothing in them can be told from a stray.
    unread: BTreeSet<String>,
}

/// How much of a table's metadata counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What our versions read: the current snapshot.
    Current,
    /// What other engines may ask the newest version for: every snapshot that the metadata lists.
    Listed,
}

impl Catalog {
    /// What is reached from all versions that a pinned version knows of: from the oldest to itself, the tagged ones,
    /// and what idempotency keys answer. What could be reached within a grace before `now` counts as well, as long as
    /// the records of expired versions linger. `now` is the earlier of what our clock says and what others' do.
    ///
    /// When versions expire on the way, it begins again with the newest version, from which less is reached.
    pub async fn reach(&self, pin: &Pin, now: Timestamp, grace: Span) -> Result<Reach> {
        let mut head = Arc::clone(&pin.state);
        loop {
            let reached = self.reach_from(&head, now, grace).await;
            let in_doubt = match &reached {
                Ok(reach) => !reach.unread.is_empty(),
                Err(error) => matches!(error, Error::Damaged { .. } | Error::UnknownVersion { .. }),
            };
            let newest = self.room.head.ask().await?;
            if !in_doubt || newest.oldest == head.oldest {
                return reached;
            }
            head = newest;
        }
    }

    async fn reach_from(&self, head: &Arc<State>, now: Timestamp, grace: Span) -> Result<Reach> {
        let (room, kept) = (&self.room, Walk::new(&self.room.lake));
        room.walk_state(&kept, head).await?;
        let mut starts = head.tagged_below(head.oldest);
        starts.extend((head.version > Version(0)).then_some(head.oldest));
        for version in starts {
            room.walk_version(&kept, version).await?;
        }
        room.walk_records(&kept, head.oldest.next(), head.version).await?;
        kept.reach().settled = room.settled(before(now, grace.max(Expiry::LINGER)), head).await?;
        let then = room.newest_before(before(now, grace), head).await?;
        if then.version == head.version {
            return Ok(kept.into_reach());
        }
        let left = kept.goes_on_to_what_was_left();
        room.walk_lingering(&left, &then, head).await?;
        Ok(left.into_reach())
    }

    /// The files of one dataset as pinned: metadata, manifests, data and delete files, sorted by path.
    pub async fn files_of(&self, pin: &Pin, name: &DatasetName) -> Result<BTreeSet<String>> {
        let entry = pin.state.table(name)?;
        let mut files = BTreeSet::from([entry.metadata.clone()]);
        let mut add = |path| files.extend([path]);
        Walk::new(&self.room.lake).table(name, &entry.metadata, Depth::Current, &mut add).await?;
        Ok(files)
    }
}

impl Room {
    /// What a state alone reaches, with what it lists for other engines and what its keys answer.
    async fn walk_state(&self, walk: &Walk<'_>, state: &State) -> Result<()> {
        let listed = state.tables.iter().map(|(name, entry)| (name.clone(), entry.metadata.clone(), Depth::Listed));
        let keyed = state.keys().filter_map(|(_, keyed)| Some((keyed.name.as_ref()?, keyed.entry.as_ref()?)));
        let keyed = keyed.map(|(name, entry)| (name.clone(), entry.metadata.clone(), Depth::Current));
        walk.indexes(state);
        walk.all(listed.chain(keyed).collect()).await
    }

    async fn walk_version(&self, walk: &Walk<'_>, version: Version) -> Result<()> {
        let state = self.past.state(version).await?;
        walk.indexes(&state);
        walk.all(pins(&state)).await
    }

    /// The fragments that no process still needs, as it knows a seal that holds them: those sealed before the grace, and
    /// before any process may append without looking.
    async fn settled(&self, moment: Timestamp, head: &Arc<State>) -> Result<BTreeMap<String, u64>> {
        let then = self.newest_before(moment, head).await?;
        if then.at > moment {
            return Ok(BTreeMap::new());
        }
        let same = |id: Uuid, name: &IndexName| head.indexes.get(name).is_some_and(|entry| entry.index_id == id);
        let known = then.indexes.iter().filter(|(name, entry)| same(entry.index_id, name));
        Ok(known.filter_map(|(_, entry)| Some((entry.location.clone(), entry.sealed.as_ref()?.fragment))).collect())
    }

    /// What was reached `then`, and what came up to the oldest version of `head` and is not kept. Records go oldest
    /// first, so what is left of them begins at one of the bases that stand.
    async fn walk_lingering(&self, walk: &Walk<'_>, then: &State, head: &State) -> Result<()> {
        self.walk_state(walk, then).await?;
        for tagged in then.tagged_below(then.oldest).difference(&head.tagged_below(head.oldest)) {
            is_left(self.walk_version(walk, *tagged).await)?;
        }
        let expired = then.oldest.next()..head.oldest;
        let bases = checkpoint::list(&self.lake.store, Role::Base, None).await?;
        let mut bases: Vec<_> = bases.into_iter().filter(|base| expired.contains(base)).collect();
        bases.extend((then.oldest < head.oldest).then_some(then.oldest));
        bases.sort_unstable();
        for first in bases {
            if is_left(self.walk_lingering_from(walk, first, head.oldest).await)? {
                break;
            }
        }
        Ok(())
    }

    async fn walk_lingering_from(&self, walk: &Walk<'_>, first: Version, oldest: Version) -> Result<()> {
        self.walk_version(walk, first).await?;
        self.walk_records(walk, first.next(), oldest).await
    }

    /// Everything that the records between two versions, both included, pinned on the way.
    async fn walk_records(&self, walk: &Walk<'_>, first: Version, newest: Version) -> Result<()> {
        for (first, last) in log::pages(first, newest) {
            let records = self.past.records(first, last).await?;
            let changes = records.iter().flat_map(|record| &record.commits).flat_map(|commit| &commit.changes);
            let mut pins = Vec::new();
            for change in changes {
                match change {
                    Change::TablePut(put) => pins.push((put.name.clone(), put.metadata.clone(), Depth::Current)),
                    Change::IndexPut(put) => walk.index(put.index_id, &put.location),
                    Change::IndexSeal(seal) => walk.seal(&seal.location, &seal.sealed),
                    _ => {}
                }
            }
            walk.all(pins).await?;
        }
        Ok(())
    }
}

/// Whether something was there to be walked. What is not has lingered, so that nobody needs it any more.
fn is_left(walked: Result<()>) -> Result<bool> {
    match walked {
        Err(Error::Damaged { .. } | Error::UnknownVersion { .. }) => Ok(false),
        walked => walked.map(|()| true),
    }
}

/// What a state pins of tables: name, metadata file, and how much of it counts.
type Pins = Vec<(DatasetName, String, Depth)>;

fn pins(state: &State) -> Pins {
    let pins = state.tables.iter();
    pins.map(|(name, entry)| (name.clone(), entry.metadata.clone(), Depth::Current)).collect()
}

impl Reach {
    /// Whether nobody needs this file of the lake: it lies where tables and indexes keep files or notes, and no kept
    /// version reaches it. What lies elsewhere, or has an unknown place, is never a stray.
    pub fn is_stray(&self, path: &str) -> bool {
        if let Some(note) = path.strip_prefix(NOTES) {
            let id = note.strip_suffix(".json").and_then(|id| id.parse().ok());
            return id.is_some_and(|id| !self.index_ids.contains(&id));
        }
        let Some((home, kind)) = place(path) else { return false };
        match kind {
            "data" | "metadata" => !self.is_unread(path) && !self.files.contains(&digest(path)),
            "rejected" => !self.tables.contains(home),
            SEGMENTS => !self.files.contains(&digest(path)),
            DERIVED if stem(path) == "recall" => !self.indexes.contains(home),
            DERIVED => !self.is_of_reached_segment(home, path),
            "fragments" if self.is_settled(home, path) => true,
            _ => !self.indexes.contains(home),
        }
    }

    /// Whether a fragment is held by a seal that everybody knows.
    fn is_settled(&self, home: &str, path: &str) -> bool {
        let number = stem(path).parse::<u64>().ok();
        number.zip(self.settled.get(home)).is_some_and(|(number, settled)| number <= *settled)
    }

    /// Whether a derived file was made of a segment that some version reads.
    fn is_of_reached_segment(&self, home: &str, path: &str) -> bool {
        self.files.contains(&digest(&format!("{home}/{SEGMENTS}/{}.lhvs", stem(path))))
    }

    fn is_unread(&self, path: &str) -> bool {
        self.unread.iter().any(|home| path.strip_prefix(home.as_str()).is_some_and(|rest| rest.starts_with('/')))
    }

    /// Directories of tables that did not read: nothing in them is taken for a stray.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.unread.iter().map(String::as_str)
    }
}

/// The name of a file up to its first dot.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split('.').next().unwrap_or_default()
}

/// A path in 16 bytes: a million of them are held at once.
fn digest(path: &str) -> u128 {
    let hash = Sha256::digest(path);
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    u128::from_be_bytes(first)
}

/// The directory of the table or index that a file belongs to by its place, and the name of the directory in there.
/// Tables of other engines may lie deeper than ours.
fn place(path: &str) -> Option<(&str, &str)> {
    let slashes: Vec<usize> = path.match_indices('/').map(|(at, _)| at).collect();
    let kinds: &[&str] = match path.split('/').next()? {
        "tables" => &["data", "metadata", "rejected"],
        "indexes" => &["fragments", SEGMENTS, DERIVED],
        _ => return None,
    };
    let inner = slashes.windows(2).skip(1).map(|pair| (&path[..pair[0]], &path[pair[0] + 1..pair[1]]));
    inner.into_iter().find(|(_, kind)| kinds.contains(kind))
}

/// The directory of a table, given its metadata file.
fn home(metadata: &str) -> String {
    let home = metadata.rsplitn(3, '/').nth(2);
    home.unwrap_or_default().to_owned()
}

/// A walk over tables that visits no file twice.
struct Walk<'a> {
    lake: &'a Lake,
    reach: Mutex<Reach>,
    /// Whether it visits what is kept and must be there; of what expired a sweep may have taken a part.
    is_kept: bool,
}

impl<'a> Walk<'a> {
    fn new(lake: &'a Lake) -> Self {
        Self { lake, reach: Mutex::default(), is_kept: true }
    }

    /// The same walk over what is not kept any more.
    fn goes_on_to_what_was_left(self) -> Self {
        Self { is_kept: false, ..self }
    }

    fn into_reach(self) -> Reach {
        self.reach.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self) -> MutexGuard<'_, Reach> {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a file; whether it was new.
    fn visit(&self, path: &str) -> bool {
        self.reach().files.insert(digest(path))
    }

    fn index(&self, id: Uuid, location: &str) {
        let mut reach = self.reach();
        reach.indexes.insert(location.to_owned());
        reach.index_ids.insert(id);
    }

    fn indexes(&self, state: &State) {
        for entry in state.indexes.values() {
            self.index(entry.index_id, &entry.location);
            entry.sealed.iter().for_each(|sealed| self.seal(&entry.location, sealed));
        }
    }

    fn seal(&self, location: &str, sealed: &Sealed) {
        for path in sealed.files(location) {
            self.visit(&path);
        }
    }

    /// Visits tables. One that is damaged closes its directory instead of ending the walk.
    async fn all(&self, pins: Pins) -> Result<()> {
        let visits = pins.into_iter().map(|(name, metadata, depth)| async move {
            self.reach().tables.insert(home(&metadata));
            if !self.visit(&metadata) && depth == Depth::Current {
                return Ok(());
            }
            match self.table(&name, &metadata, depth, &mut drop).await {
                Ok(()) => Ok(()),
                Err(Error::Damaged { .. }) if !self.is_kept => Ok(()),
                Err(error @ Error::Damaged { .. }) => {
                    tracing::warn!(dataset = %name, error = %error, "a table does not read: nothing of it is swept");
                    self.reach().unread.insert(home(&metadata));
                    Ok(())
                }
                Err(error) => Err(error),
            }
        });
        stream::iter(visits).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Visits the files of a table as its metadata file says, and hands those that were not visited before to `found`.
    async fn table(
        &self,
        name: &DatasetName,
        metadata: &str,
        depth: Depth,
        found: &mut (dyn FnMut(String) + Send),
    ) -> Result<()> {
        let (read, named) = ReadTable::load_naming(self.lake, name, metadata).await?;
        let (meta, current) = (&read.metadata, read.metadata.current_snapshot_id());
        let statistics = meta.statistics_iter().map(|file| &file.statistics_path);
        let statistics = statistics.chain(meta.partition_statistics_iter().map(|file| &file.statistics_path));
        statistics.filter_map(|location| self.fresh(location)).for_each(&mut *found);
        let mut snapshots: Vec<_> = meta.snapshots().collect();
        snapshots.sort_by_key(|snapshot| (snapshot.sequence_number(), snapshot.snapshot_id()));
        for snapshot in snapshots {
            let id = snapshot.snapshot_id();
            let is_current = current == Some(id);
            if depth == Depth::Current && !is_current && !named.contains(&id) {
                continue;
            }
            match self.snapshot(name, &read, snapshot, found).await {
                // Restored lakes list snapshots whose lists of manifests did not come along. A manifest that is missing
                // although its list is there is no such snapshot, and closes the table's directory to the sweep.
                Err(error) if !is_current && is_absence(&error) => {}
                visited => visited?,
            }
        }
        Ok(())
    }

    async fn snapshot(
        &self,
        name: &DatasetName,
        read: &ReadTable,
        snapshot: &SnapshotRef,
        found: &mut (dyn FnMut(String) + Send),
    ) -> Result<()> {
        let Some(list) = self.fresh(snapshot.manifest_list()) else { return Ok(()) };
        let manifests = read.listed(name, snapshot).await?;
        found(list);
        for manifest in manifests {
            let Some(path) = self.fresh(&manifest.manifest_path) else { continue };
            found(path);
            // One after another, so that a table of a million files costs the memory of one manifest.
            for entry in read.entries(name, &[manifest]).await? {
                self.fresh(entry.file_path()).into_iter().for_each(&mut *found);
            }
        }
        Ok(())
    }

    /// The path of a location in the lake that was not visited before.
    fn fresh(&self, location: &str) -> Option<String> {
        let path = self.lake.roots.relative(location)?;
        self.visit(path).then(|| path.to_owned())
    }
}

/// Whether the damage is that a file is not there.
fn is_absence(error: &Error) -> bool {
    let Error::Damaged { source, .. } = error else { return false };
    matches!(source.downcast_ref::<storage::Error>(), Some(storage::Error::NotFound { .. }))
}
