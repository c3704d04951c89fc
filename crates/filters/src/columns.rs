//! What filters know of the metadata of rows that lie together: of each field that was asked for, which rows have which
//! value; and which rows the last filters were about.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use serde_json::{Map, Value};

use crate::filter::{Filter, Test};
use crate::key::Key;

/// How many fields of the same rows are kept.
const FIELDS: usize = 16;
/// How many answers are kept.
const ANSWERS: usize = 16;

/// A bit for each of the rows, from the lowest of the first word on.
pub type Bits = Arc<[u64]>;

/// The columns of rows that do not change. Each is made when a filter asks for it.
#[derive(Debug, Default)]
pub struct Columns {
    kept: Mutex<Option<Kept>>,
    /// Held by whoever reads the metadata.
    turn: Mutex<()>,
}

#[derive(Debug)]
struct Kept {
    columns: LruCache<Box<str>, Arc<Column>>,
    answers: LruCache<Arc<str>, Bits>,
}

/// Which rows have which value of one field.
#[derive(Debug, Default)]
struct Column {
    /// All values, sorted.
    keys: Vec<Key>,
    /// Where the rows of each value end.
    ends: Vec<u32>,
    /// The rows, value after value.
    rows: Vec<u32>,
    /// The rows that lack the field.
    absent: Vec<u32>,
}

impl Columns {
    /// The rows that a filter is about, if that is known.
    pub fn known(&self, filter: &Filter) -> Option<Bits> {
        self.kept().as_mut()?.answers.get(filter.text()).cloned()
    }

    /// The rows that a filter is about. `members` reads the metadata of a row, where they were not read before.
    pub fn find<E>(
        &self,
        filter: &Filter,
        rows: usize,
        members: impl Fn(usize) -> Result<Map<String, Value>, E>,
    ) -> Result<Bits, E> {
        if let Some(known) = self.known(filter) {
            return Ok(known);
        }
        let columns = self.columns(filter, rows, members)?;
        let mut bits = all(rows);
        for (condition, column) in filter.conditions().iter().zip(columns) {
            let mut fit = vec![0; bits.len()];
            column.mark(&condition.test, &mut fit);
            bits.iter_mut().zip(fit).for_each(|(bits, fit)| *bits &= fit);
        }
        let bits: Bits = bits.into();
        let mut kept = self.kept();
        if let Some(kept) = kept.as_mut() {
            kept.answers.push(Arc::clone(filter.text()), Arc::clone(&bits));
            trim(&mut kept.answers, ANSWERS);
        }
        drop(kept);
        Ok(bits)
    }

    /// About how many bytes of memory they take.
    pub fn memory(&self) -> usize {
        self.kept().as_ref().map_or(0, |kept| {
            let columns = kept.columns.iter().map(|(_, column)| column.memory());
            columns.chain(kept.answers.iter().map(|(_, bits)| size_of_val(bits.as_ref()))).sum()
        })
    }

    /// The columns of the fields of a filter, in its order.
    fn columns<E>(
        &self,
        filter: &Filter,
        rows: usize,
        members: impl Fn(usize) -> Result<Map<String, Value>, E>,
    ) -> Result<Vec<Arc<Column>>, E> {
        // Who waits here finds what the one before has read.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let paths = || filter.conditions().iter().map(|condition| condition.path.as_ref());
        let mut found: HashMap<&str, Arc<Column>> =
            paths().filter_map(|path| Some((path, self.column(path)?))).collect();
        let missing: Vec<&str> = paths().filter(|path| !found.contains_key(path)).collect();
        if !missing.is_empty() {
            let read = read(&missing, rows, members)?;
            found.extend(missing.into_iter().zip(read.into_iter().map(Arc::new)));
        }
        let mut kept = self.kept();
        let kept = kept.get_or_insert_with(|| Kept { columns: LruCache::unbounded(), answers: LruCache::unbounded() });
        found.iter().for_each(|(path, column)| drop(kept.columns.push((*path).into(), Arc::clone(column))));
        trim(&mut kept.columns, FIELDS);
        Ok(paths().filter_map(|path| found.get(path).cloned()).collect())
    }

    fn column(&self, path: &str) -> Option<Arc<Column>> {
        self.kept().as_mut()?.columns.get(path).cloned()
    }

    /// Nothing that can panic runs under the lock, so what is kept is whole.
    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn trim<K: std::hash::Hash + Eq, V>(kept: &mut LruCache<K, V>, most: usize) {
    while kept.len() > most {
        kept.pop_lru();
    }
}

/// A bit for each of so many rows.
fn all(rows: usize) -> Vec<u64> {
    let mut bits = vec![u64::MAX; rows.div_ceil(64)];
    if let Some(last) = bits.last_mut().filter(|_| !rows.is_multiple_of(64)) {
        *last = (1 << (rows % 64)) - 1;
    }
    bits
}

/// Reads the columns of these fields out of the metadata of all rows.
fn read<E>(
    paths: &[&str],
    rows: usize,
    members: impl Fn(usize) -> Result<Map<String, Value>, E>,
) -> Result<Vec<Column>, E> {
    let mut drafts: Vec<Draft> = paths.iter().map(|_| Draft::default()).collect();
    for row in 0..rows {
        let members = members(row)?;
        for (path, draft) in paths.iter().zip(&mut drafts) {
            draft.add(row as u32, value(&members, path));
        }
    }
    Ok(drafts.into_iter().map(Draft::finish).collect())
}

/// The value at a path: that of a member which is called so, dots and all, and else that of a member within one.
fn value<'a>(members: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    members.get(path).or_else(|| {
        let (outer, inner) = path.split_once('.')?;
        value(members.get(outer)?.as_object()?, inner)
    })
}

/// A column on its way.
#[derive(Default)]
struct Draft {
    rows: HashMap<Key, Vec<u32>>,
    absent: Vec<u32>,
}

impl Draft {
    fn add(&mut self, row: u32, value: Option<&Value>) {
        match value {
            None | Some(Value::Null) => self.absent.push(row),
            Some(Value::Array(elements)) => elements.iter().for_each(|element| self.note(row, element)),
            Some(single) => self.note(row, single),
        }
    }

    fn note(&mut self, row: u32, value: &Value) {
        let Some(key) = Key::of(value) else { return };
        let rows = self.rows.entry(key).or_default();
        if rows.last() != Some(&row) {
            rows.push(row);
        }
    }

    fn finish(self) -> Column {
        let mut values: Vec<(Key, Vec<u32>)> = self.rows.into_iter().collect();
        values.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut column = Column { absent: self.absent, ..Column::default() };
        for (key, rows) in values {
            column.keys.push(key);
            column.rows.extend(rows);
            column.ends.push(column.rows.len() as u32);
        }
        column
    }
}

impl Column {
    /// Sets the bits of the rows whose value is as it must be.
    fn mark(&self, test: &Test, bits: &mut [u64]) {
        match test {
            Test::AnyOf { keys, absent } => {
                let found = keys.iter().filter_map(|key| self.keys.binary_search(key).ok());
                found.for_each(|at| set(bits, self.rows_of(at..at + 1)));
                set(bits, if *absent { &self.absent } else { &[] });
            }
            Test::Within(span) => {
                let begin = self.keys.partition_point(|key| span.side(key).is_lt());
                let end = self.keys.partition_point(|key| span.side(key).is_le());
                set(bits, self.rows_of(begin..end));
            }
        }
    }

    /// The rows of neighbouring values.
    fn rows_of(&self, keys: Range<usize>) -> &[u32] {
        let end = |key: usize| key.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.rows[end(keys.start)..end(keys.end)]
    }

    fn memory(&self) -> usize {
        let rows = self.rows.len() + self.ends.len() + self.absent.len();
        self.keys.iter().map(Key::memory).sum::<usize>() + rows * size_of::<u32>()
    }
}

fn set(bits: &mut [u64], rows: &[u32]) {
    rows.iter().for_each(|row| bits[*row as usize / 64] |= 1 << (row % 64));
}
