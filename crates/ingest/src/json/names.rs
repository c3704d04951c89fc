//! Which columns the keys of a file make: nested ones are joined with dots.

use std::collections::HashMap;

use super::parse::Flaw;
use crate::csv::{COLUMN_LIMIT, NAME_LIMIT};

#[cfg(test)]
mod tests;

/// Keys of a file, those with objects in them counted too; twice as many as a table may have columns.
const KEY_LIMIT: usize = 2 * COLUMN_LIMIT;

/// The keys seen so far and the columns that they make.
///
/// A key makes a column when it ever had a value, or when it never had anything but null and no other key lies under it.
#[derive(Debug, Clone)]
pub struct Names {
    keys: Vec<Key>,
    /// The full name of every key in lower case.
    taken: HashMap<String, u32>,
    /// Columns that are there before any key is seen: those of the table.
    fixed: Vec<String>,
    /// The keys of the record before, in their order: the next record most often has them again.
    trail: Vec<u32>,
    step: usize,
    record: u64,
    /// Keys that had their first value in this record, so that it can be taken back.
    raised: Vec<u32>,
    grown: bool,
}

#[derive(Debug, Clone)]
struct Key {
    parent: u32,
    key: Box<[u8]>,
    /// The full name, joined with dots.
    name: String,
    under: HashMap<Box<[u8]>, u32>,
    /// Whether it ever had a value that is no object and not null.
    has_value: bool,
    column: Option<usize>,
    /// The record that had it last.
    record: u64,
}

impl Names {
    /// The object around everything.
    pub const ROOT: u32 = 0;

    /// No keys yet, and the columns of a table if there is one.
    pub fn new(fixed: Vec<String>) -> Self {
        let root = Key {
            parent: Self::ROOT,
            key: Box::default(),
            name: String::new(),
            under: HashMap::new(),
            has_value: false,
            column: None,
            record: 0,
        };
        let (taken, trail, raised) = (HashMap::new(), Vec::new(), Vec::new());
        Self { keys: vec![root], taken, fixed, trail, step: 0, record: 0, raised, grown: false }
    }

    /// How many columns there may be at most.
    pub fn width(&self) -> usize {
        self.fixed.len() + self.keys.len()
    }

    /// Whether keys were seen since [`Self::settle`] that make other columns.
    pub fn has_grown(&self) -> bool {
        self.grown
    }

    /// Begins a record.
    pub fn begin(&mut self) {
        self.record += 1;
        self.step = 0;
        self.raised.clear();
    }

    /// Forgets what the record brought that was begun last.
    pub fn take_back(&mut self, keys: usize) {
        for added in self.keys.drain(keys..).rev().collect::<Vec<_>>() {
            self.taken.remove(&added.name.to_lowercase());
            if let Some(parent) = self.keys.get_mut(added.parent as usize) {
                parent.under.remove(&added.key);
            }
        }
        for key in self.raised.drain(..) {
            if let Some(key) = self.keys.get_mut(key as usize) {
                key.has_value = false;
            }
        }
        self.trail.clear();
    }

    /// Ends a record that was good; notes whether it brought columns.
    pub fn keep(&mut self, keys: usize) {
        self.trail.truncate(self.step);
        let raised = self.raised.iter().any(|&key| self.keys[key as usize].column.is_none());
        self.grown |= raised || self.keys.len() > keys;
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key of that name in the object at `parent`.
    pub fn find(&mut self, parent: u32, key: &[u8]) -> Result<u32, Flaw> {
        let expected = self.trail.get(self.step).copied().filter(|&next| {
            let next = &self.keys[next as usize];
            next.parent == parent && *next.key == *key
        });
        let known = expected.or_else(|| self.keys[parent as usize].under.get(key).copied());
        let found = known.map_or_else(|| self.add(parent, key), Ok)?;
        if expected.is_none() {
            self.trail.truncate(self.step);
            self.trail.push(found);
        }
        self.step += 1;
        let known = &mut self.keys[found as usize];
        if known.record == self.record {
            return Err(Flaw::Key { name: known.name.clone(), reason: "the key stands twice in one object" });
        }
        known.record = self.record;
        Ok(found)
    }

    /// Notes that a key has a value.
    pub fn raise(&mut self, key: u32) {
        let known = &mut self.keys[key as usize];
        if !known.has_value {
            known.has_value = true;
            self.raised.push(key);
        }
    }

    /// The column of a key, if it makes one.
    pub fn column(&self, key: u32) -> Option<usize> {
        self.keys[key as usize].column
    }

    /// Decides the columns: the fixed ones, then the others in the order in which they were seen. None when there are
    /// too many.
    pub fn settle(&mut self) -> Option<Vec<String>> {
        let places: HashMap<&str, usize> = self.fixed.iter().map(String::as_str).zip(0..).collect();
        let mut columns = self.fixed.clone();
        for key in &mut self.keys[1..] {
            let is_empty = key.under.is_empty() && !is_above(&key.name, &self.fixed);
            key.column = places.get(key.name.as_str()).copied();
            if key.column.is_none() && (key.has_value || is_empty) {
                key.column = Some(columns.len());
                columns.push(key.name.clone());
            }
        }
        self.grown = false;
        (columns.len() <= COLUMN_LIMIT).then_some(columns)
    }

    fn add(&mut self, parent: u32, key: &[u8]) -> Result<u32, Flaw> {
        let text = String::from_utf8_lossy(key);
        let above = &self.keys[parent as usize].name;
        let name = if parent == Self::ROOT { text.into_owned() } else { format!("{above}.{text}") };
        if key.trim_ascii().is_empty() {
            return Err(Flaw::Key { name, reason: "the key is blank" });
        }
        if key.contains(&0) {
            return Err(Flaw::Key { name, reason: "the key holds a NUL" });
        }
        if name.len() > NAME_LIMIT {
            return Err(Flaw::Key { name, reason: "the column's name would be longer than 1024 bytes" });
        }
        if self.keys.len() > KEY_LIMIT {
            return Err(Flaw::TooManyKeys);
        }
        let lower = name.to_lowercase();
        if let Some(&other) = self.taken.get(&lower) {
            let same = self.keys[other as usize].name == name;
            let reason =
                if same { "another key makes the same column" } else { "it is another key's name but for case" };
            return Err(Flaw::Key { name, reason });
        }
        #[expect(clippy::cast_possible_truncation, reason = "there are at most KEY_LIMIT keys")]
        let id = self.keys.len() as u32;
        self.taken.insert(lower, id);
        self.keys[parent as usize].under.insert(key.into(), id);
        let (under, key) = (HashMap::new(), key.into());
        self.keys.push(Key { parent, key, name, under, has_value: false, column: None, record: 0 });
        Ok(id)
    }
}

/// Whether columns lie under a key of that name.
fn is_above(name: &str, columns: &[String]) -> bool {
    columns.iter().any(|column| column.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}
