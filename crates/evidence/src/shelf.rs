//! What lies in the folder of a stream: fragments, and bundles of many of them in a row.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use storage::Store;

use crate::error::Result;
use crate::group::{Group, bundle_path, fragment_path};
use crate::name::{FOLDER, StreamName};

/// How many files one listing asks for.
const PAGE: usize = 1000;

/// What a listing found of one stream, with sizes. Others may have appended, bundled and deleted meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    fragments: BTreeMap<u64, u64>,
    bundles: BTreeMap<Group, u64>,
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

    /// The bytes of all files, among them those that are about to be deleted.
    pub(crate) fn bytes(&self) -> u64 {
        self.fragments.values().chain(self.bundles.values()).sum()
    }

    /// The number of the last fragment, wherever it lies; 0 where there is none.
    pub(crate) fn last(&self) -> u64 {
        let bundled = self.bundles.keys().map(|group| group.last()).max();
        self.fragments.keys().last().copied().max(bundled).unwrap_or(0)
    }

    /// The stream from its first fragment on, as it lies here: in the largest bundles that there are, and in fragments
    /// between and behind them.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let (mut groups, mut next, last) = (Vec::new(), 1, self.last());
        while next <= last {
            let group = self.bundle_of(next).unwrap_or(Group::of(next));
            groups.push(group);
            next = group.last() + 1;
        }
        groups
    }

    /// The largest bundle that a fragment lies in.
    fn bundle_of(&self, number: u64) -> Option<Group> {
        Group::around(number).rev().find(|group| self.is_bundled(*group))
    }

    /// The fragments of a group, as far as there are any yet: each number up to the last was given out.
    pub(crate) fn numbers(&self, group: Group) -> RangeInclusive<u64> {
        group.first()..=self.last().min(group.last())
    }

    pub(crate) fn is_bundled(&self, group: Group) -> bool {
        self.bundles.contains_key(&group)
    }

    /// Notes a bundle that was made.
    pub(crate) fn put(&mut self, group: Group, size: u64) {
        self.bundles.insert(group, size);
    }

    /// The groups of a level that can become bundles: all that they are made of lies here, in no bundle yet, and comes to
    /// `largest` bytes at most.
    pub(crate) fn due(&self, level: usize, largest: u64) -> Vec<Group> {
        let begun: BTreeSet<Group> = match level {
            0 => self.fragments.keys().map(|number| Group::of(*number)).collect(),
            _ => self.bundles.keys().filter(|part| part.level() + 1 == level).filter_map(|part| part.whole()).collect(),
        };
        let is_due = |group: &Group| {
            self.bundle_of(group.first()).is_none_or(|bundle| bundle.level() < level)
                && self.size(*group).is_some_and(|size| size <= largest)
        };
        begun.into_iter().filter(is_due).collect()
    }

    /// How many bytes the parts of a group are together; none where one is missing.
    fn size(&self, group: Group) -> Option<u64> {
        match group.level() {
            0 => group.numbers().map(|number| self.fragments.get(&number)).sum(),
            _ => group.parts().map(|part| self.bundles.get(&part)).sum(),
        }
    }

    /// Takes out what lies in a larger bundle too, and says where it lies.
    pub(crate) fn take_covered(&mut self, stream: &StreamName) -> Vec<String> {
        let Self { fragments, bundles } = self;
        let is_bundled = |group: Group| bundles.contains_key(&group);
        let covered = fragments.extract_if(.., |number, _| Group::around(*number).any(is_bundled));
        let mut paths: Vec<String> = covered.map(|(number, _)| fragment_path(stream, number)).collect();
        let smaller: Vec<Group> = bundles.keys().copied().filter(|group| group.larger().any(is_bundled)).collect();
        for group in smaller {
            bundles.remove(&group);
            paths.push(bundle_path(stream, group));
        }
        paths
    }

    fn add(&mut self, file: &str, size: u64) -> Option<()> {
        let stem = file.strip_suffix(".jsonl")?;
        match stem.split_once('-') {
            None => drop(self.fragments.insert(stem.parse().ok()?, size)),
            Some((last, span)) => self.put(Group::named(last.parse().ok()?, span.parse().ok()?)?, size),
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
