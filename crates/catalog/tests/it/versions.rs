//! Random histories against a model: what every version holds, and what differs between any two.

use std::collections::{BTreeMap, BTreeSet};

use base::{AsOf, Tag, Version};
use catalog::{Became, Catalog, Error, Mode, Rewrite, TableChange};
use proptest::prelude::*;

use crate::support::{ids_at, load, open, stage};

/// What one version holds: tables by name, and the tags.
#[derive(Debug, Clone, Default)]
struct Model {
    tables: BTreeMap<&'static str, Rows>,
    tags: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, PartialEq)]
struct Rows {
    /// Another number at every re-creation.
    table: usize,
    ids: BTreeSet<i64>,
}

#[derive(Debug, Clone)]
enum Step {
    Load(&'static str, Mode),
    Rewrite(&'static str),
    Drop(&'static str),
    RollBack(&'static str, prop::sample::Index),
    Tag(&'static str, prop::sample::Index),
    Untag(&'static str),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let table = || prop::sample::select(vec!["a", "s.b"]);
    let tag = || prop::sample::select(vec!["x", "y"]);
    let step = prop_oneof![
        4 => (table(), prop::sample::select(vec![Mode::Replace, Mode::Append, Mode::Append])).prop_map(|(t, m)| Step::Load(t, m)),
        2 => table().prop_map(Step::Rewrite),
        1 => table().prop_map(Step::Drop),
        2 => (table(), any::<prop::sample::Index>()).prop_map(|(t, v)| Step::RollBack(t, v)),
        1 => (tag(), any::<prop::sample::Index>()).prop_map(|(t, v)| Step::Tag(t, v)),
        1 => tag().prop_map(Step::Untag),
    ];
    prop::collection::vec(step, 1..14)
}

/// A lake and what every version of it should hold; version 0 is the empty one.
struct Lake {
    catalog: Catalog,
    versions: Vec<Model>,
    tables: usize,
    rows: i64,
}

impl Lake {
    async fn open() -> Self {
        let catalog = open(&testkit::lake::memory().await).await;
        Self { catalog, versions: vec![Model::default()], tables: 0, rows: 0 }
    }

    fn now(&self) -> Model {
        self.versions.last().unwrap().clone()
    }

    /// One of the versions so far, if there are any.
    fn earlier(&self, any: &prop::sample::Index) -> Option<u64> {
        let last = self.versions.len() as u64 - 1;
        (last > 0).then(|| 1 + any.index(last as usize) as u64)
    }

    async fn take(&mut self, step: &Step) {
        let mut now = self.now();
        let changed = match step {
            Step::Load(name, mode) => self.load(&mut now, name, *mode).await,
            Step::Rewrite(name) => self.rewrite(&now, name).await,
            Step::Drop(name) => {
                let dropped = self.catalog.drop_dataset(&name.parse().unwrap(), "test").await;
                assert_eq!(dropped.is_ok(), now.tables.remove(name).is_some());
                dropped.is_ok()
            }
            Step::RollBack(name, to) => self.roll_back(&mut now, name, to).await,
            Step::Tag(tag, version) => {
                let Some(version) = self.earlier(version) else { return };
                let as_of = AsOf::Version(Version(version));
                let put = self.catalog.put_tag(&tag.parse().unwrap(), Some(&as_of), "test").await.unwrap();
                let before = now.tags.insert(tag, version);
                assert_eq!(put.moved_from, before.filter(|before| *before != version).map(Version));
                before != Some(version)
            }
            Step::Untag(tag) => {
                let dropped = self.catalog.drop_tag(&tag.parse().unwrap(), "test").await;
                assert_eq!(dropped.is_ok(), now.tags.remove(tag).is_some());
                dropped.is_ok()
            }
        };
        if changed {
            self.versions.push(now);
        }
        assert_eq!(self.catalog.known_head(), Version(self.versions.len() as u64 - 1), "after {step:?}");
    }

    async fn load(&mut self, now: &mut Model, name: &'static str, mode: Mode) -> bool {
        let new: Vec<i64> = (0..3).map(|row| self.rows + row).collect();
        self.rows += 3;
        load(&self.catalog, name, mode, &new).await.unwrap();
        self.tables += 1;
        let rows = now.tables.entry(name).or_insert(Rows { table: self.tables, ids: BTreeSet::new() });
        if mode == Mode::Replace {
            rows.ids.clear();
        }
        rows.ids.extend(new);
        true
    }

    /// Exchanges the first files of a table for one with the same rows.
    async fn rewrite(&self, now: &Model, name: &str) -> bool {
        if !now.tables.contains_key(name) {
            return false;
        }
        let (parsed, pin) = (name.parse().unwrap(), self.catalog.pin(None).await.unwrap());
        let table = self.catalog.table(&pin, &parsed).await.unwrap();
        let files = table.files().await.unwrap();
        let mut first: Vec<_> = files.iter().collect();
        first.sort_by_key(|file| &file.path);
        first.truncate(2);
        let old: Vec<String> = first.iter().map(|file| file.path.clone()).collect();
        let mut ids = Vec::new();
        for path in &old {
            ids.extend(crate::support::ids_in(self.catalog.store().get(path).await.unwrap()));
        }
        let new = vec![stage(&self.catalog, &table.draft(), &ids).await.unwrap()];
        let rewrite = Rewrite { table, old, new, author: "test".into() };
        !self.catalog.rewrite(rewrite).await.unwrap().existing
    }

    async fn roll_back(&self, now: &mut Model, name: &'static str, to: &prop::sample::Index) -> bool {
        let Some(to) = self.earlier(to) else { return false };
        let as_of = AsOf::Version(Version(to));
        let rolled = self.catalog.roll_back(&name.parse().unwrap(), &as_of, "test").await;
        let Some(rows) = self.versions[to as usize].tables.get(name) else {
            assert!(matches!(rolled, Err(Error::UnknownDataset { version, .. }) if version == Version(to)));
            return false;
        };
        let before = now.tables.insert(name, rows.clone());
        let rolled = rolled.unwrap();
        // Files may have been rewritten since, so the same rows need not mean that nothing is to be done.
        assert!(!rolled.existing || before.as_ref() == Some(rows));
        !rolled.existing
    }

    async fn check(&self) {
        for (number, model) in self.versions.iter().enumerate().skip(1) {
            let pin = self.catalog.pin(Some(&AsOf::Version(Version(number as u64)))).await.unwrap();
            assert_eq!(
                pin.names().map(ToString::to_string).collect::<Vec<_>>(),
                model.tables.keys().copied().collect::<Vec<_>>()
            );
            for (name, rows) in &model.tables {
                let ids = ids_at(&self.catalog, &pin, name).await;
                assert_eq!(ids, rows.ids.iter().copied().collect::<Vec<_>>(), "{name} at version {number}");
            }
            let tags: Vec<(Tag, Version)> = pin.tags().map(|(tag, version)| (tag.clone(), version)).collect();
            let expected = model.tags.iter().map(|(tag, version)| (tag.parse().unwrap(), Version(*version)));
            assert_eq!(tags, expected.collect::<Vec<_>>());
        }
        let nothing = self.catalog.diff(None, &AsOf::Version(Version(0))).await;
        assert!(matches!(nothing, Err(Error::UnknownVersion { .. })), "there never was a version 0");
        for from in 0..self.versions.len() {
            for to in 1..self.versions.len() {
                self.check_diff(from, to).await;
            }
        }
    }

    async fn check_diff(&self, from: usize, to: usize) {
        let [before, after] = [from, to].map(|version| AsOf::Version(Version(version as u64)));
        let diff = self.catalog.diff(Some(&before), &after).await.unwrap();
        assert_eq!((diff.from, diff.to), (Version(from as u64), Version(to as u64)));
        let (before, after) = (&self.versions[from], &self.versions[to]);
        for name in ["a", "s.b"] {
            let found = diff.tables.iter().find(|change| change.name.to_string() == name);
            let told = found.map(|change| (change.change, change.rows_added.unwrap(), change.rows_removed.unwrap()));
            let expected = expected(before.tables.get(name), after.tables.get(name));
            // A table whose files alone are others may be told as changed, by no row.
            let told = told.filter(|told| *told != (Became::Changed, 0, 0));
            assert_eq!(
                told,
                expected.filter(|expected| *expected != (Became::Changed, 0, 0)),
                "{name}: {from} to {to}"
            );
            let count = |model: &Model| model.tables.get(name).map_or(0, |rows| rows.ids.len() as u64);
            let counted = |change: &TableChange| (change.rows_before, change.rows_after);
            assert!(found.is_none_or(|change| counted(change) == (count(before), count(after))));
        }
        let moved = |tag: &&&str| before.tags.get(**tag) != after.tags.get(**tag);
        assert_eq!(diff.tags.len(), ["x", "y"].iter().filter(moved).count());
    }
}

/// What became of a table, with the rows that came and went.
fn expected(before: Option<&Rows>, after: Option<&Rows>) -> Option<(Became, u64, u64)> {
    let count = |rows: &Rows| rows.ids.len() as u64;
    match (before, after) {
        (None, None) => None,
        (None, Some(after)) => Some((Became::Created, count(after), 0)),
        (Some(before), None) => Some((Became::Dropped, 0, count(before))),
        (Some(before), Some(after)) if before.table != after.table => {
            Some((Became::Recreated, count(after), count(before)))
        }
        (Some(before), Some(after)) => {
            let (added, removed) = (after.ids.difference(&before.ids), before.ids.difference(&after.ids));
            Some((Became::Changed, added.count() as u64, removed.count() as u64))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_version_holds_what_it_should_and_differs_by_what_it_should(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut lake = Lake::open().await;
            for step in &steps {
                lake.take(step).await;
            }
            lake.check().await;
        });
    }
}
