//! A small lake on which everything can be done, and all that can be seen of one.

use std::collections::BTreeMap;

use base::{AsOf, Seams, Span, Version};
use catalog::{Catalog, Config, Pin};
use simulation::deed::{Deed, name};
use simulation::model::Held;
use simulation::rows;
use storage::{CacheDir, Store};
use tempfile::TempDir;
use testkit::Bucket;
use upkeep::{Sweep, Upkeep};
use vectors::{Item, Vectors};

/// What goes wrong, in whatever words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Settings with a short patience.
pub fn config() -> Config {
    Config { commit_timeout: Span::millis(1), checkpoint_every: 3, ..Config::default() }
}

/// The seams of the process that dies: whatever it does again has the same names and times.
pub fn seams() -> Seams {
    testkit::seams(0)
}

pub async fn open(store: &Store) -> Result<Catalog, Failure> {
    Ok(Catalog::open(store.clone(), &config(), seams()).await?)
}

/// Does a deed as the process that dies.
pub async fn perform(store: &Store, deed: Deed) -> Result<(), Failure> {
    perform_by(store, deed, seams()).await
}

/// Does a deed as a process with these seams.
pub async fn perform_by(store: &Store, deed: Deed, seams: Seams) -> Result<(), Failure> {
    let catalog = Catalog::open(store.clone(), &config(), seams.clone()).await?;
    deed.perform(&catalog, "test", &seams).await?;
    Ok(())
}

/// The indexes of a lake, and the directory of what they cache.
pub async fn vectors(store: &Store) -> Result<(Vectors, TempDir), Failure> {
    let directory = TempDir::new()?;
    let cache = CacheDir::open(directory.path()).await?;
    Ok((Vectors::new(open(store).await?, cache, &vectors::Config::default(), seams()), directory))
}

pub fn item(id: &str) -> Item {
    Item { id: id.into(), vector: vec![1.0, 2.0], ..Item::default() }
}

/// A lake with two tables, one of three files and one with a branch, a dropped one, a tag, an index with an item, an object and a stray.
pub async fn furnished() -> Bucket {
    let bucket = Bucket::new(Seams::system());
    let store = bucket.store();
    let deeds = [
        Deed::Append { table: "t", row: 1, keyed: false },
        Deed::Append { table: "t", row: 2, keyed: false },
        Deed::Append { table: "t", row: 3, keyed: false },
        Deed::Replace { table: "u", row: 4 },
        Deed::Replace { table: "gone", row: 5 },
        Deed::Drop { table: "gone" },
        Deed::CreateIndex { index: "x" },
        Deed::Tag { tag: "a", version: Some(2) },
        Deed::Commit { table: "u", row: 30, branch: true, keyed: false },
    ];
    for (deed, seed) in deeds.into_iter().zip(1..) {
        perform_by(&store, deed, testkit::seams(seed)).await.unwrap();
    }
    let (indexes, _directory) = vectors(&store).await.unwrap();
    indexes.add(&"x".parse().unwrap(), vec![item("first")], None).await.unwrap();
    store.put("objects/20", rows::object(20).bytes).await.unwrap();
    let catalog = open(&store).await.unwrap();
    let table = catalog.table(&catalog.pin(None).await.unwrap(), &name("t")).await.unwrap();
    let stray = format!("{}/data/stray.parquet", table.location());
    store.put(&stray, rows::payload(9).bytes).await.unwrap();
    bucket
}

/// The tables at one version; none when it cannot be read any more.
type Tables = Option<BTreeMap<String, Held>>;

/// All that can be seen of a lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Now.
    pub tables: Tables,
    /// At each version of the past.
    pub past: Vec<Tables>,
    /// The tags, and what they name.
    pub tags: BTreeMap<String, u64>,
    /// The indexes and how many items they have.
    pub indexes: BTreeMap<String, usize>,
}

/// Looks at a lake, and at its versions up to `versions`. Whatever a version names must be there.
pub async fn look(store: &Store, versions: u64) -> Sight {
    let catalog = open(store).await.unwrap();
    let pin = catalog.pin_fresh().await.unwrap();
    let mut past = Vec::new();
    for version in 1..=versions.min(pin.version().0) {
        let pin = catalog.pin(Some(&AsOf::Version(Version(version)))).await;
        past.push(if let Ok(pin) = pin { tables(&catalog, &pin).await } else { None });
    }
    let (indexes, _directory) = vectors(store).await.unwrap();
    let mut lengths = BTreeMap::new();
    for (index, _) in pin.indexes() {
        lengths.insert(index.to_string(), indexes.describe(index, None).await.unwrap().length.unwrap_or_default());
    }
    let tags = pin.tags().map(|(tag, version)| (tag.to_string(), version.0)).collect();
    Sight { tables: tables(&catalog, &pin).await, past, tags, indexes: lengths }
}

async fn tables(catalog: &Catalog, pin: &Pin) -> Tables {
    let mut tables = BTreeMap::new();
    for name in pin.names() {
        let table = catalog.table(pin, name).await.unwrap();
        tables.insert(name.to_string(), Held::read(catalog, &table, &seams()).await.unwrap().0);
    }
    Some(tables)
}

/// What tells one content of a store from another: all names, which outside of
/// `_lake` are never used twice, and what stands in there.
pub async fn content(store: &Store) -> String {
    let mut content = String::new();
    for entry in store.list("", None, 100_000).await.unwrap().entries {
        content.push_str(&entry.path);
        if entry.path.starts_with("_lake/") {
            content.push_str(&String::from_utf8_lossy(&store.get(&entry.path).await.unwrap()));
        }
        content.push('\n');
    }
    content
}

/// A sweep of everything that is a stray by now.
pub fn sweep() -> Sweep {
    Sweep { grace: Span::millis(0), dry_run: false, name_first: 100, name_after: None, author: "test".into() }
}

/// Sweeps, and says what a second sweep would still find.
pub async fn sweep_twice(store: &Store) -> Vec<String> {
    let upkeep = Upkeep::new(open(store).await.unwrap(), seams());
    upkeep.sweep(&sweep()).await.unwrap();
    let again = upkeep.sweep(&Sweep { dry_run: true, ..sweep() }).await.unwrap();
    again.strays.into_iter().map(|stray| stray.path).collect()
}
