//! Which fragments lie, or will lie, in one bundle: rows of them that everybody finds by arithmetic, at several levels.

use std::ops::RangeInclusive;

use crate::name::StreamName;

/// How many fragments lie in a bundle of each level, the smallest first; each level is made of the one below it.
const SPANS: [u64; 3] = [256, 4_096, 65_536];
/// How many levels there are.
pub(crate) const LEVELS: usize = SPANS.len();
/// How many fragments lie in the smallest bundle.
pub(crate) const BUNDLED: u64 = SPANS[0];

/// The numbers of the fragments that lie, or will lie, in one bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    level: usize,
    at: u64,
}

impl Group {
    /// The smallest group of a fragment. Numbers begin with 1.
    pub(crate) fn of(number: u64) -> Self {
        Self::at_level(0, number)
    }

    /// The groups of a fragment, the smallest first.
    pub(crate) fn around(number: u64) -> impl DoubleEndedIterator<Item = Self> {
        (0..LEVELS).map(move |level| Self::at_level(level, number))
    }

    /// The group of a bundle that is named by its last fragment and their number.
    pub(crate) fn named(last: u64, span: u64) -> Option<Self> {
        let level = SPANS.iter().position(|known| *known == span)?;
        (last > 0 && last.is_multiple_of(span)).then(|| Self::at_level(level, last))
    }

    fn at_level(level: usize, number: u64) -> Self {
        Self { level, at: number.saturating_sub(1) / SPANS[level] }
    }

    /// From 0.
    pub(crate) fn level(self) -> usize {
        self.level
    }

    pub(crate) fn first(self) -> u64 {
        self.at * self.span() + 1
    }

    pub(crate) fn last(self) -> u64 {
        (self.at + 1) * self.span()
    }

    pub(crate) fn numbers(self) -> RangeInclusive<u64> {
        self.first()..=self.last()
    }

    /// The larger groups that hold it, the smallest first.
    pub(crate) fn larger(self) -> impl Iterator<Item = Self> {
        Self::around(self.first()).filter(move |group| group.level > self.level)
    }

    /// The group of the next level that it is a part of; none at the last.
    pub(crate) fn whole(self) -> Option<Self> {
        self.larger().next()
    }

    /// The groups of the level below that it is made of; none at the first level, which is made of fragments.
    pub(crate) fn parts(self) -> impl Iterator<Item = Self> {
        let below = self.level.checked_sub(1);
        let parts = below.map(|level| self.numbers().step_by(SPANS[level] as usize).map(move |number| (level, number)));
        parts.into_iter().flatten().map(|(level, number)| Self::at_level(level, number))
    }

    fn span(self) -> u64 {
        SPANS[self.level]
    }
}

/// The path of a fragment.
pub(crate) fn fragment_path(stream: &StreamName, number: u64) -> String {
    format!("{}{number:020}.jsonl", stream.folder())
}

/// The path of a bundle. It comes right before that of its last fragment, so that a listing behind any fragment that
/// was there before does not miss it.
pub(crate) fn bundle_path(stream: &StreamName, group: Group) -> String {
    format!("{}{:020}-{}.jsonl", stream.folder(), group.last(), group.span())
}

/// The paths of what a bundle is made of, in order.
pub(crate) fn part_paths(stream: &StreamName, group: Group) -> Vec<String> {
    match group.level() {
        0 => group.numbers().map(|number| fragment_path(stream, number)).collect(),
        _ => group.parts().map(|part| bundle_path(stream, part)).collect(),
    }
}
