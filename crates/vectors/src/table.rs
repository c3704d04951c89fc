//! The live set of an index: what is sealed of it and its later fragments add up to, kept so that readers never wait for
//! writers.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use base::Version;
use filters::Filter;

use crate::block::Block;
use crate::change::{Change, Item};
use crate::error::{Error, Result};
use crate::field::Fields;
use crate::fragment::{Fragment, Step};
use crate::ground::Ground;
use crate::journal::Replay;
use crate::segment::Hash;
use crate::snapshot::Snapshot;
use crate::view::members;

#[cfg(test)]
mod tests;

/// Blocks in memory are joined until their vectors are this many bytes.
const FULL: usize = 16 << 20;
/// What moving a row weighs, in bytes of vectors, and what a row of usual length weighs altogether.
const MOVE: usize = 256;
const ROW: usize = 2048;

/// The items of one index. Fragments come in one at a time; each makes a new snapshot.
#[derive(Debug)]
pub(crate) struct Table {
    state: Mutex<State>,
    snapshot: RwLock<Arc<Snapshot>>,
}

#[derive(Debug, Default)]
struct State {
    /// Where the living rows are that no seal holds.
    places: HashMap<Arc<str>, Place>,
    blocks: BTreeMap<u32, Arc<Block>>,
    next_block: u32,
    /// The fields of what is sealed, and of rows that are in no block any more.
    past: Arc<Fields>,
    length: usize,
    /// The model of the index's vectors, once it or one of them has stated it.
    fingerprint: Option<String>,
    /// The version whose seal the segments are.
    ground: Version,
}

/// Where a row is.
#[derive(Debug, Clone, Copy)]
struct Place {
    block: u32,
    row: usize,
}

/// The living row of a segment that a fragment replaces or deletes.
#[derive(Debug)]
struct Sealed {
    place: Place,
    metadata: Option<Arc<[u8]>>,
}

/// What one acknowledged change did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Items that were not there before.
    pub added: usize,
    /// Items that were replaced.
    pub updated: usize,
    /// Items that were deleted.
    pub deleted: usize,
    /// Ids to delete that were not there.
    pub missing: usize,
    /// Items afterwards.
    pub length: usize,
}

/// An item as it is stored.
#[derive(Debug)]
pub(crate) struct Kept {
    pub vector: Vec<f32>,
    pub metadata: Option<Arc<[u8]>>,
    pub text: Option<Arc<str>>,
}

impl Kept {
    /// The item of a row.
    pub fn of(block: &Block, row: usize) -> Result<Self> {
        let (vector, text) = (block.vector(row)?.to_vec(), block.text(row)?.map(Arc::from));
        Ok(Self { vector, metadata: block.kept_metadata(row)?, text })
    }
}

impl Table {
    /// The items that are sealed, to which fragments come.
    pub fn new(ground: &Ground) -> Self {
        let state = State::of(ground);
        let snapshot = state.snapshot(ground.fragment);
        Self { state: Mutex::new(state), snapshot: RwLock::new(Arc::new(snapshot)) }
    }

    /// The newest whole state. It never changes.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// One item. Waits while a fragment is taken in, so not for async threads.
    pub fn item(&self, id: &str) -> Result<Option<Kept>> {
        let state = self.state();
        let Some(place) = state.find(id)? else { return Ok(None) };
        let Some(block) = state.blocks.get(&place.block).cloned() else { return Ok(None) };
        drop(state);
        Kept::of(&block, place.row).map(Some)
    }

    /// Whether any of these items is there. Waits while a fragment is taken in, so not for async threads.
    pub fn has_any(&self, ids: &[String]) -> Result<bool> {
        let state = self.state();
        for id in ids {
            if state.find(id)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The ids of the items of which a filter holds. May read all metadata, so not for async threads.
    pub fn matching(&self, filter: &Filter) -> Result<Vec<String>> {
        self.snapshot().matching(filter)?.map(|(block, row)| block.id(row).map(str::to_owned)).collect()
    }

    /// Refuses items that are not what is stored under their ids.
    fn expect_same(&self, items: &[Item]) -> Result<()> {
        for item in items {
            let kept = self.item(&item.id)?;
            let metadata = kept.as_ref().map(|kept| members(kept.metadata.as_deref())).transpose()?;
            let is_same = |kept: Kept| kept.vector == item.vector && kept.text == item.text;
            let same = kept.is_some_and(is_same) && metadata == item.metadata;
            if !same {
                return Err(Error::Changed);
            }
        }
        Ok(())
    }

    fn publish(&self, snapshot: Snapshot) {
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Replay for Table {
    type Outcome = Outcome;

    fn admit(&self, change: &Arc<Change>) -> Result<Arc<Change>> {
        match change.as_ref() {
            Change::DeleteMatching { filter } => Ok(Arc::new(Change::Delete { ids: self.matching(filter)? })),
            Change::DeleteSame { items } => self.expect_same(items).map(|()| Arc::clone(change)),
            other => self.snapshot().expect_model(other.fingerprint()).map(|()| Arc::clone(change)),
        }
    }

    fn apply(&self, fragment: &Fragment) -> Result<Vec<Outcome>> {
        let mut state = self.state();
        let outcomes = state.apply(fragment)?;
        self.publish(state.snapshot(fragment.number()));
        Ok(outcomes)
    }

    fn tidy(&self, rows: usize) -> bool {
        let mut state = self.state();
        let untidy = state.untidy();
        if untidy.is_empty() {
            return true;
        }
        let is_little = state.weight(&untidy) <= rows.saturating_mul(ROW);
        if is_little {
            untidy.iter().for_each(|keys| state.join(keys));
            self.publish(state.snapshot(self.snapshot().fragment));
        }
        is_little
    }

    fn become_like(&self, other: Self) {
        let Self { state, snapshot } = other;
        let (mut held, state) = (self.state(), state.into_inner().unwrap_or_else(PoisonError::into_inner));
        *held = state;
        let snapshot = snapshot.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }
}

impl State {
    fn of(ground: &Ground) -> Self {
        let blocks: BTreeMap<u32, Arc<Block>> = (1..).zip(ground.blocks().map(Arc::new)).collect();
        Self {
            places: HashMap::new(),
            next_block: blocks.len() as u32,
            blocks,
            past: Arc::clone(&ground.fields),
            length: ground.length,
            fingerprint: ground.fingerprint.clone(),
            ground: ground.version,
        }
    }

    fn apply(&mut self, fragment: &Fragment) -> Result<Vec<Outcome>> {
        // What may fail comes first, so that a fragment is taken in wholly or not at all.
        let sealed = self.sealed_rows_of(fragment)?;
        let mut intake = Intake { block: self.new_block(), fresh: Block::of(fragment), fragment, sealed, state: self };
        let outcomes = fragment.steps().map(|step| intake.step(step)).collect();
        let Intake { block, fresh, .. } = intake;
        if fresh.rows() > 0 {
            self.blocks.insert(block, Arc::new(fresh));
        }
        if self.fingerprint.is_none() {
            self.fingerprint = fragment.fingerprint().map(str::to_owned);
        }
        Ok(outcomes)
    }

    /// The living rows of segments whose items a fragment replaces or deletes.
    fn sealed_rows_of<'a>(&self, fragment: &'a Fragment) -> Result<HashMap<&'a str, Sealed>> {
        let mut found = HashMap::new();
        let put = (0..fragment.rows()).map(|row| fragment.id(row));
        for id in put.chain((0..fragment.deletes()).map(|at| fragment.deleted(at))) {
            if !self.places.contains_key(id)
                && let Some(place) = self.find_sealed(id)?
                && let Some(block) = self.blocks.get(&place.block)
            {
                found.insert(id, Sealed { place, metadata: block.kept_metadata(place.row)? });
            }
        }
        Ok(found)
    }

    /// The living row of an item.
    fn find(&self, id: &str) -> Result<Option<Place>> {
        match self.places.get(id) {
            Some(place) => Ok(Some(*place)),
            None => self.find_sealed(id),
        }
    }

    /// The living row of an item among those of segments.
    fn find_sealed(&self, id: &str) -> Result<Option<Place>> {
        let mut hash = None;
        for (key, block) in &self.blocks {
            let Some(segment) = block.segment() else { break };
            let hash = *hash.get_or_insert_with(|| Hash::of(id));
            if let Some(row) = segment.find(hash, id)?.filter(|row| block.is_alive(*row)) {
                return Ok(Some(Place { block: *key, row }));
            }
        }
        Ok(None)
    }

    fn new_block(&mut self) -> u32 {
        self.next_block += 1;
        self.next_block
    }

    fn snapshot(&self, fragment: u64) -> Snapshot {
        Snapshot {
            blocks: self.blocks.values().cloned().collect(),
            past: Arc::clone(&self.past),
            fragment,
            length: self.length,
            fingerprint: self.fingerprint.clone(),
            ground: self.ground,
        }
    }

    /// What is to be joined, so that blocks are few and full of life: each row is copied about once for every doubling
    /// of what lies in memory.
    fn untidy(&self) -> Vec<Vec<u32>> {
        let tail = Some(self.tail()).filter(|tail| tail.len() > 1);
        let joined = |key: &u32| tail.as_ref().is_some_and(|tail| tail.contains(key));
        let fresh = self.blocks.iter().filter(|(_, block)| block.segment().is_none());
        let worn = fresh.filter(|(key, block)| block.is_worn() && !joined(key));
        let mut untidy: Vec<Vec<u32>> = worn.map(|(key, _)| vec![*key]).collect();
        untidy.extend(tail);
        untidy
    }

    /// How much work it is to join these, in bytes.
    fn weight(&self, untidy: &[Vec<u32>]) -> usize {
        let blocks = untidy.iter().flatten().filter_map(|key| self.blocks.get(key));
        blocks.map(|block| block.size() + block.rows() * MOVE).sum()
    }

    /// The newest blocks in memory, as far back as each is no larger than all after it together.
    fn tail(&self) -> Vec<u32> {
        let growing = self.blocks.iter().rev().filter(|(_, block)| block.is_held() && block.size() < FULL);
        let (mut tail, mut size) = (Vec::new(), 0);
        for (key, block) in growing {
            if !tail.is_empty() && block.size() > size {
                break;
            }
            tail.push(*key);
            size += block.size();
        }
        tail
    }

    /// Copies the living rows of these blocks into a new one and lets go of them. Snapshots that have them keep them.
    fn join(&mut self, keys: &[u32]) {
        let old: Vec<Arc<Block>> = keys.iter().filter_map(|key| self.blocks.remove(key)).collect();
        old.iter().for_each(|block| Arc::make_mut(&mut self.past).join(&block.ended_fields()));
        let joined = Block::gather(&old);
        if joined.rows() == 0 {
            return;
        }
        let block = self.new_block();
        for (row, id) in joined.fresh_ids().iter().enumerate() {
            self.places.insert(Arc::clone(id), Place { block, row });
        }
        self.blocks.insert(block, Arc::new(joined));
    }
}

/// One fragment on its way into the state.
struct Intake<'a> {
    state: &'a mut State,
    fragment: &'a Fragment,
    /// The rows of segments that it ends.
    sealed: HashMap<&'a str, Sealed>,
    /// The block of the fragment's own rows, which an item later in the fragment may end again.
    fresh: Block,
    block: u32,
}

impl Intake<'_> {
    fn step(&mut self, step: Step) -> Outcome {
        let outcome = match step {
            Step::Put(rows) => self.put(rows),
            Step::Delete(deletes) => self.delete(deletes),
        };
        self.state.length = self.state.length + outcome.added - outcome.deleted;
        Outcome { length: self.state.length, ..outcome }
    }

    fn put(&mut self, rows: Range<usize>) -> Outcome {
        let (count, mut updated) = (rows.len(), 0);
        for row in rows {
            let (place, id) = (Place { block: self.block, row }, Arc::clone(&self.fresh.fresh_ids()[row]));
            let old = self.state.places.insert(Arc::clone(&id), place);
            if let Some(metadata) = self.end(&id, old) {
                self.fresh.keep_metadata(row, metadata);
                updated += 1;
            }
        }
        Outcome { added: count - updated, updated, ..Outcome::default() }
    }

    fn delete(&mut self, deletes: Range<usize>) -> Outcome {
        let (count, mut deleted) = (deletes.len(), 0);
        for delete in deletes {
            let id = self.fragment.deleted(delete);
            let old = self.state.places.remove(id);
            deleted += usize::from(self.end(id, old).is_some());
        }
        Outcome { deleted, missing: count - deleted, ..Outcome::default() }
    }

    /// Ends the living row of an item, `old` or one of a segment, and answers the metadata that it had; none when there
    /// was no such row.
    fn end(&mut self, id: &str, old: Option<Place>) -> Option<Option<Arc<[u8]>>> {
        let Some(place) = old else {
            let Sealed { place, metadata } = self.sealed.remove(id)?;
            self.state.blocks.get(&place.block)?.end(place.row, self.fragment.number());
            return Some(metadata);
        };
        let block = match self.state.blocks.get(&place.block) {
            Some(block) => block,
            None => &self.fresh,
        };
        block.end(place.row, self.fragment.number());
        // Fresh rows are in memory or were checked as a whole, so reading them does not fail.
        Some(block.kept_metadata(place.row).unwrap_or_default())
    }
}
