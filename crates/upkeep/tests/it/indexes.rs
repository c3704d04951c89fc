//! Sealed indexes: fragments that a seal holds go in time, segments live as long as a version that names them, and backups
//! hold what a version holds.

use std::sync::Arc;

use base::{AsOf, Distance, Fault, IndexName, Seams, Span, Timestamp, Version};
use catalog::{Catalog, Expiry};
use storage::{CacheDir, Store};
use tempfile::TempDir;
use testkit::{Bucket, FixedClock, SeededDice};
use upkeep::{Sweep, Upkeep};
use vectors::{By, Config, Item, Nearness, NewIndex, Search, Survey, Vectors};

use crate::support::{config, keep_last, paths, sweep_now};

const MINUTE: i64 = 60_000_000;

/// A lake whose store and whose processes go by one clock, which the test sets.
struct Timed {
    clock: Arc<FixedClock>,
    seams: Seams,
    store: Store,
    catalog: Catalog,
}

/// The indexes of the lake, as one process has them.
struct Process {
    vectors: Vectors,
    _cache: TempDir,
}

fn index() -> IndexName {
    "people".parse().unwrap()
}

impl Timed {
    async fn open() -> Self {
        let clock = Arc::new(FixedClock::at(Timestamp::from_micros(0)));
        let seams = Seams::new(clock.clone(), Arc::new(SeededDice::new(7)));
        let store = Bucket::new(seams.clone()).store();
        let catalog = Catalog::open(store.clone(), &config(), seams.clone()).await.unwrap();
        Self { clock, seams, store, catalog }
    }

    fn set(&self, minute: i64) {
        self.clock.set(Timestamp::from_micros(minute * MINUTE));
    }

    /// Another process, which looks at the lake anew.
    async fn process(&self) -> Process {
        process(&self.store, &self.seams).await
    }

    fn upkeep(&self) -> Upkeep {
        Upkeep::new(self.catalog.clone(), self.seams.clone())
    }

    async fn sweep(&self, grace: Span) -> Vec<String> {
        let swept = self.upkeep().sweep(&Sweep { grace, ..sweep_now() }).await.unwrap();
        swept.strays.into_iter().map(|stray| stray.path).collect()
    }
}

async fn process(store: &Store, seams: &Seams) -> Process {
    let settings = catalog::Config { max_staleness: Span::millis(0), ..config() };
    let catalog = Catalog::open(store.clone(), &settings, seams.clone()).await.unwrap();
    let cache = TempDir::new().unwrap();
    let opened = CacheDir::open(cache.path()).await.unwrap();
    Process { vectors: Vectors::new(catalog, opened, &Config::default(), seams.clone()), _cache: cache }
}

impl Process {
    async fn create(&self) {
        let (name, author) = (index(), "test".to_owned());
        let new =
            NewIndex { name, dimension: 1, distance: Distance::Euclidean, m: 16, ef_search: None, model: None, author };
        self.vectors.create(new).await.unwrap();
    }

    async fn add(&self, n: u32) {
        let item = Item { id: n.to_string(), vector: vec![n as f32], ..Item::default() };
        self.vectors.add(&index(), vec![item], None).await.unwrap();
    }

    async fn seal(&self) -> Version {
        self.vectors.seal(&index(), "test").await.unwrap().version
    }

    /// The ids of all items, now or as of a version.
    async fn ids(&self, version: Option<Version>) -> Vec<String> {
        let (near, as_of) = (Search::new(By::Near(Nearness::to(vec![0.0])), 99), version.map(AsOf::Version));
        let found = self.vectors.search(&index(), near, as_of.as_ref()).await.unwrap();
        found.results.into_iter().map(|hit| hit.id).collect()
    }
}

fn of_kind<'a>(paths: &'a [String], kind: &str) -> Vec<&'a String> {
    paths.iter().filter(|path| path.contains(kind)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_go_an_hour_after_their_seal_and_nobody_misses_them() {
    let lake = Timed::open().await;
    let (process, sleeper) = (lake.process().await, lake.process().await);
    process.create().await;
    process.add(1).await;
    assert_eq!(sleeper.ids(None).await, ["1"]);
    process.add(2).await;
    let version = process.seal().await;
    process.add(3).await;
    lake.set(59);
    assert_eq!(lake.sweep(Span::millis(0)).await, Vec::<String>::new(), "somebody may still append by an old look");
    lake.set(61);
    assert_eq!(lake.sweep(Span::secs(2 * 3600)).await, Vec::<String>::new(), "the grace is longer");
    let swept = lake.sweep(Span::millis(0)).await;
    assert_eq!((swept.len(), of_kind(&swept, "/fragments/").len()), (2, 2));
    // It has slept since the first item, and goes on with what it finds.
    assert_eq!(sleeper.ids(None).await, ["1", "2", "3"]);
    sleeper.add(4).await;
    for process in [&process, &lake.process().await] {
        assert_eq!(process.ids(None).await, ["1", "2", "3", "4"]);
        assert_eq!(process.ids(Some(version)).await, ["1", "2"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_live_as_long_as_a_version_that_names_them() {
    let lake = Timed::open().await;
    let process = lake.process().await;
    process.create().await;
    let mut versions = Vec::new();
    for n in 0..4 {
        process.add(n).await;
        versions.push(process.seal().await);
    }
    process.vectors.keeper().round().await;
    lake.set(120);
    let swept = lake.sweep(Span::millis(0)).await;
    assert_eq!((swept.len(), of_kind(&swept, "/fragments/").len()), (4, 4));
    assert_eq!(process.ids(Some(versions[1])).await, ["0", "1"]);
    lake.catalog.expire(&Expiry { linger: Expiry::LINGER, ..keep_last(1) }).await.unwrap();
    lake.set(240);
    let swept = lake.sweep(Span::millis(0)).await;
    // Four segments became one; each of their seals had its own file of ends.
    assert_eq!((of_kind(&swept, ".lhvs").len(), of_kind(&swept, ".lhve").len()), (4, 4));
    assert_eq!(lake.process().await.ids(None).await, ["0", "1", "2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_derived_goes_with_what_it_was_derived_of() {
    let lake = Timed::open().await;
    let process = lake.process().await;
    process.create().await;
    process.add(1).await;
    process.seal().await;
    process.vectors.measure_recall(&index(), Survey { sample: 1, k: 1, ef_search: None }).await.unwrap();
    let known = paths(&lake.store, "indexes").await;
    let (segment, recall) = (of_kind(&known, ".lhvs")[0], of_kind(&known, "/derived/recall.json")[0].clone());
    let codes = segment.replace("/segments/", "/derived/").replace(".lhvs", ".lhva");
    let (home, _) = codes.rsplit_once('/').unwrap();
    let [stale, other] = ["00000000000000000009-0.lhva", "recall-of-yore.json"].map(|name| format!("{home}/{name}"));
    for path in [&codes, &stale, &other] {
        lake.store.put(path, b"derived".to_vec().into()).await.unwrap();
    }
    lake.set(120);
    let swept = lake.sweep(Span::millis(0)).await;
    assert_eq!(of_kind(&swept, "/derived/"), [&stale, &other], "nobody knows what they are of");
    lake.catalog.drop_index(&index(), "test").await.unwrap();
    lake.catalog.expire(&Expiry { linger: Expiry::LINGER, ..keep_last(1) }).await.unwrap();
    lake.set(240);
    let swept = lake.sweep(Span::millis(0)).await;
    assert_eq!(of_kind(&swept, "/derived/"), [&codes, &recall]);
}

/// What a backup of a version, or of the newest, holds of the items once it is restored, and whether it says that it holds
/// those that were not sealed.
async fn restored(lake: &Timed, as_of: Option<Version>) -> (Vec<String>, bool) {
    let [backup, restored] = [(), ()].map(|()| Bucket::new(lake.seams.clone()).store());
    let as_of = as_of.map(AsOf::Version);
    let done = lake.upkeep().back_up(&backup, as_of.as_ref()).await.unwrap();
    assert_eq!(done.indexes, 1);
    upkeep::restore(&backup, &restored).await.unwrap();
    (process(&restored, &lake.seams).await.ids(None).await, done.unsealed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_an_older_version_holds_what_that_one_holds() {
    let lake = Timed::open().await;
    let process = lake.process().await;
    process.create().await;
    let empty = lake.catalog.pin_fresh().await.unwrap().version();
    process.add(1).await;
    process.add(2).await;
    let sealed = process.seal().await;
    process.vectors.remove(&index(), vec!["1".to_owned()]).await.unwrap();
    process.add(3).await;
    let newest = process.seal().await;
    process.add(4).await;
    assert_eq!(restored(&lake, Some(empty)).await, (vec![], false));
    assert_eq!(restored(&lake, Some(sealed)).await, (vec!["1".into(), "2".into()], false));
    for as_of in [Some(newest), None] {
        assert_eq!(restored(&lake, as_of).await, (vec!["2".into(), "3".into(), "4".into()], true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_tells_damage_in_files_of_indexes() {
    let lake = Timed::open().await;
    let process = lake.process().await;
    process.create().await;
    process.add(1).await;
    process.seal().await;
    process.add(2).await;
    let files = paths(&lake.store, "indexes/").await;
    let files: Vec<_> = files.into_iter().filter(|path| !path.ends_with("1.lhvf")).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for path in files {
        let sound = lake.store.get(&path).await.unwrap();
        let changed = |at: usize| {
            let mut bytes = sound.to_vec();
            bytes[at] ^= 1;
            bytes
        };
        let places = (0..sound.len()).step_by(7).chain([sound.len() - 1]).map(changed);
        for bytes in places.chain([sound[..sound.len() - 1].to_vec(), vec![]]) {
            lake.store.put(&path, bytes.into()).await.unwrap();
            let backup = Bucket::new(lake.seams.clone()).store();
            let refused = lake.upkeep().back_up(&backup, None).await.unwrap_err();
            assert!(["vectors.damaged", "vectors.newer_format"].contains(&refused.code()), "{path}: {refused}");
            assert!(!backup.exists("backup.json").await.unwrap());
            assert!(!backup.exists(&path).await.unwrap(), "{path}");
        }
        lake.store.put(&path, sound).await.unwrap();
    }
    lake.upkeep().back_up(&Bucket::new(lake.seams.clone()).store(), None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relocated_lake_answers_from_its_segments() {
    let lake = Timed::open().await;
    let process = lake.process().await;
    process.create().await;
    process.add(1).await;
    let sealed = process.seal().await;
    process.add(2).await;
    let moved = Bucket::new(lake.seams.clone()).store();
    for path in paths(&lake.store, "").await {
        moved.put(&path, lake.store.get(&path).await.unwrap()).await.unwrap();
    }
    Catalog::relocate(moved.clone(), &config(), lake.seams.clone(), "test").await.unwrap();
    for path in paths(&lake.store, "").await {
        lake.store.delete(&path).await.unwrap();
    }
    let process = self::process(&moved, &lake.seams).await;
    assert_eq!(process.ids(Some(sealed)).await, ["1"]);
    process.add(3).await;
    process.seal().await;
    assert_eq!(process.ids(None).await, ["1", "2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_holds_what_the_version_and_the_later_fragments_hold() {
    let lake = Timed::open().await;
    let process = lake.process().await;
    process.create().await;
    process.add(1).await;
    let version = process.seal().await;
    process.add(2).await;
    lake.set(120);
    assert_eq!(lake.sweep(Span::millis(0)).await.len(), 1);
    let [backup, restored] = [(), ()].map(|()| Bucket::new(lake.seams.clone()).store());
    lake.upkeep().back_up(&backup, None).await.unwrap();
    upkeep::restore(&backup, &restored).await.unwrap();
    assert_eq!(paths(&restored, "indexes/").await.len(), 3);
    let process = self::process(&restored, &lake.seams).await;
    assert_eq!(process.ids(None).await, ["1", "2"]);
    let newest = lake.catalog.pin_fresh().await.unwrap().version();
    assert!(newest > version);
    assert_eq!(process.ids(Some(newest)).await, ["1"]);
}
