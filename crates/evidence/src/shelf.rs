//! What lies in the folder of a stream: fragments, and bundles of 256 of them in a row.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use storage::Store;

use crate::error::Result;
use crate::name::{FOLDER, StreamName};

/// How many fragments lie in one bundle.
pub(crate) const BUNDLED: u64 = 256;
/// How many files one listing asks for.
const PAGE: usize = 1000;

/// The numbers of the fragments that lie, or will lie, in one bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group(u64);

impl Group {
    /// The group of a fragment. Numbers begin with 1.
    pub(crate) fn of(number: u64) -> Self {
        Self(number.saturating_sub(1) / BUNDLED)
    }

    pub(crate) fn numbers(self) -> RangeInclusive<u64> {
        self.0 * BUNDLED + 1..=self.last()
    }

    fn last(self) -> u64 {
        (self.0 + 1) * BUNDLED
    }
}

/// The path of a fragment.
pub(crate) fn fragment_path(stream: &StreamName, number: u64) -> String {
    format!("{}{number:020}.jsonl", stream.folder())
}

/// The path of a bundle. It comes right before that of its last fragment, so that a listing behind any fragment that
/// was there before does not miss it.
pub(crate) fn bundle_path(stream: &StreamName, group: Group) -> String {
    format!("{}{:020}-{BUNDLED}.jsonl", stream.folder(), group.last())
}

/// What a listing found of one stream. Others may have appended, bundled and deleted meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// Their sizes, by their numbers.
    fragments: BTreeMap<u64, u64>,
    bundles: BTreeSet<Group>,
}

impl Shelf {
    /// Lists a stream, or what of it lies behind the fragment of a number.
    pub(crate) async fn of(store: &Store, stream: &StreamName, behind: u64) -> Result<Self> {
        let after = (behind > 0).then(|| fragment_path(stream, behind));
        Ok(list(store, &stream.folder(), after).await?.remove(stream).unwrap_or_default())
    }

    /// Every stream of a lake.
    pub(crate) async fn all(store: &Store) -> Result<BTreeMap<StreamName, Self>> {
        list(store, FOLDER, None).await
    }

    /// The number of the last fragment, wherever it lies; 0 where there is none.
    pub(crate) fn last(&self) -> u64 {
        let bundled = self.bundles.last().map(|group| group.last());
        self.fragments.keys().last().copied().max(bundled).unwrap_or(0)
    }

    /// Every group that has begun.
    pub(crate) fn groups(&self) -> impl Iterator<Item = Group> + use<> {
        let last = self.last();
        (0..last.div_ceil(BUNDLED)).map(Group)
    }

    /// The fragments of a group, as far as there are any yet: each number up to the last was given out.
    pub(crate) fn numbers(&self, group: Group) -> RangeInclusive<u64> {
        let numbers = group.numbers();
        *numbers.start()..=self.last().min(*numbers.end())
    }

    pub(crate) fn is_bundled(&self, group: Group) -> bool {
        self.bundles.contains(&group)
    }

    /// Whether every fragment of a group lies here on its own.
    pub(crate) fn is_complete(&self, group: Group) -> bool {
        self.loose(group).count() as u64 == BUNDLED
    }

    /// The fragments of a group that lie here on their own.
    pub(crate) fn loose(&self, group: Group) -> impl Iterator<Item = u64> {
        self.fragments.range(group.numbers()).map(|(number, _)| *number)
    }

    /// How many bytes they are.
    pub(crate) fn size(&self, group: Group) -> u64 {
        self.fragments.range(group.numbers()).map(|(_, size)| *size).sum()
    }

    fn add(&mut self, file: &str, size: u64) -> Option<()> {
        let stem = file.strip_suffix(".jsonl")?;
        match stem.split_once('-') {
            None => drop(self.fragments.insert(stem.parse().ok()?, size)),
            Some((last, _)) => drop(self.bundles.replace(Group::of(last.parse().ok()?))),
        }
        Some(())
    }
}

async fn list(store: &Store, folder: &str, mut after: Option<String>) -> Result<BTreeMap<StreamName, Shelf>> {
    let mut found = BTreeMap::<StreamName, Shelf>::new();
    loop {
        let page = store.list(folder, after.as_deref(), PAGE).await?;
        for entry in &page.entries {
            let place = entry.path.strip_prefix(FOLDER).and_then(|place| place.split_once('/'));
            let Some((name, file)) = place else { continue };
            let Ok(stream) = name.parse() else { continue };
            // Files of other names are nobody's lines.
            let _ = found.entry(stream).or_default().add(file, entry.size);
        }
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
