//! The live set of an index: what its fragments add up to, kept so that readers never wait for writers.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::block::Block;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::field::Fields;
use crate::fragment::{Fragment, Step};
use crate::journal::Replay;
use crate::snapshot::Snapshot;

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
    places: HashMap<Arc<str>, Place>,
    blocks: BTreeMap<u32, Arc<Block>>,
    next_block: u32,
    /// The fields of rows that are in no block any more.
    past: Arc<Fields>,
    /// The model of the index's vectors, once it or one of them has stated it.
    fingerprint: Option<String>,
}

/// Where the living row of an item is.
#[derive(Debug, Clone, Copy)]
struct Place {
    block: u32,
    row: usize,
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
}

impl Table {
    /// An empty table of an index whose settings may state its model.
    pub fn new(fingerprint: Option<String>) -> Self {
        let snapshot = Snapshot { fingerprint: fingerprint.clone(), ..Snapshot::default() };
        let state = State { fingerprint, ..State::default() };
        Self { state: Mutex::new(state), snapshot: RwLock::new(Arc::new(snapshot)) }
    }

    /// The newest whole state. It never changes.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// One item. Waits while a fragment is taken in, so not for async threads.
    pub fn item(&self, id: &str) -> Option<Kept> {
        let state = self.state();
        let place = *state.places.get(id)?;
        let block = Arc::clone(state.blocks.get(&place.block)?);
        drop(state);
        Some(Kept { vector: block.vector(place.row).to_vec(), metadata: block.kept_metadata(place.row) })
    }

    /// Whether any of these items is there. Waits while a fragment is taken in, so not for async threads.
    pub fn has_any(&self, ids: &[String]) -> bool {
        let state = self.state();
        ids.iter().any(|id| state.places.contains_key(id.as_str()))
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

    fn admit(&self, change: &Change) -> Result<()> {
        let Change::Put { fingerprint: Some(given), .. } = change else { return Ok(()) };
        match &self.snapshot().fingerprint {
            Some(known) if known != given => Err(Error::other_model(known, given)),
            _ => Ok(()),
        }
    }

    fn apply(&self, fragment: &Fragment) -> Vec<Outcome> {
        let mut state = self.state();
        let outcomes = state.apply(fragment);
        self.publish(state.snapshot(fragment.number()));
        outcomes
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
}

impl State {
    fn apply(&mut self, fragment: &Fragment) -> Vec<Outcome> {
        let mut intake = Intake { block: self.new_block(), fresh: Block::of(fragment), fragment, state: self };
        let outcomes = fragment.steps().map(|step| intake.step(step)).collect();
        let Intake { block, fresh, .. } = intake;
        if fresh.rows() > 0 {
            self.blocks.insert(block, Arc::new(fresh));
        }
        if self.fingerprint.is_none() {
            self.fingerprint = fragment.fingerprint().map(str::to_owned);
        }
        outcomes
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
            length: self.places.len(),
            fingerprint: self.fingerprint.clone(),
        }
    }

    /// What is to be joined, so that blocks are few and full of life: each row is copied about once for every doubling
    /// of what lies in memory.
    fn untidy(&self) -> Vec<Vec<u32>> {
        let tail = Some(self.tail()).filter(|tail| tail.len() > 1);
        let joined = |key: &u32| tail.as_ref().is_some_and(|tail| tail.contains(key));
        let worn = self.blocks.iter().filter(|(key, block)| block.is_worn() && !joined(key));
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
        for row in 0..joined.rows() {
            self.places.insert(Arc::clone(joined.id(row)), Place { block, row });
        }
        self.blocks.insert(block, Arc::new(joined));
    }
}

/// One fragment on its way into the state.
struct Intake<'a> {
    state: &'a mut State,
    fragment: &'a Fragment,
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
        Outcome { length: self.state.places.len(), ..outcome }
    }

    fn put(&mut self, rows: Range<usize>) -> Outcome {
        let (count, mut updated) = (rows.len(), 0);
        for row in rows {
            let place = Place { block: self.block, row };
            if let Some(old) = self.state.places.insert(Arc::clone(self.fresh.id(row)), place) {
                let metadata = self.end(old);
                self.fresh.keep_metadata(row, metadata);
                updated += 1;
            }
        }
        Outcome { added: count - updated, updated, ..Outcome::default() }
    }

    fn delete(&mut self, deletes: Range<usize>) -> Outcome {
        let (count, mut deleted) = (deletes.len(), 0);
        for delete in deletes {
            if let Some(old) = self.state.places.remove(self.fragment.deleted(delete)) {
                self.end(old);
                deleted += 1;
            }
        }
        Outcome { deleted, missing: count - deleted, ..Outcome::default() }
    }

    /// Ends a row and answers the metadata that it had.
    fn end(&mut self, place: Place) -> Option<Arc<[u8]>> {
        let block = match self.state.blocks.get(&place.block) {
            Some(block) => block,
            None => &self.fresh,
        };
        block.end(place.row, self.fragment.number());
        block.kept_metadata(place.row)
    }
}
