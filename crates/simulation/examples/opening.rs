//! Makes a lake of many versions of many tables, opens it, looks at its past, and prints how long each took, for
//! `bench/run.py opening`:
//!
//! ```text
//! opening <directory> <versions> <tables>
//! ```
//!
//! Every record but the first ones says that one more table changed; a checkpoint stands at every 128th version, as in
//! a lake that grew.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that fails ends, and prints its figures")]

use std::time::Instant;

use base::{AsOf, Seams, Version};
use catalog::{Catalog, Change, Config, Record};
use futures::future::join_all;
use serde_json::json;
use simulation::chance::Chance;
use simulation::deed::Deed;
use storage::{Durability, Location, Store};

/// How many versions of the past are looked at.
const LOOKS: u64 = 200;

async fn open(store: &Store) -> Catalog {
    Catalog::open(store.clone(), &Config::default(), Seams::system()).await.unwrap()
}

/// Makes the tables, then records that change them, one after another.
async fn grow(store: &Store, versions: u64, tables: usize) {
    let (catalog, seams) = (open(store).await, Seams::system());
    for table in 0..tables {
        let name: &'static str = Box::leak(format!("table{table}").into_boxed_str());
        Deed::Append { table: name, row: 1, keyed: false }.perform(&catalog, "bench", &seams).await.unwrap();
    }
    let mut made = catalog.versions(None, tables).await.unwrap();
    made.reverse();
    catalog.close().await;
    let every = Config::default().checkpoint_every;
    let mut version = made.len() as u64;
    while version < versions {
        let last = versions.min((version / every + 1) * every);
        let records = (version + 1..=last).map(|version| {
            let of = &made[usize::try_from(version).unwrap() % made.len()];
            publish(store, Record { version: Version(version), at: made[made.len() - 1].at, ..of.clone() })
        });
        join_all(records).await;
        version = last;
        // Opening writes the checkpoint that is due.
        drop(open(store).await);
    }
}

async fn publish(store: &Store, mut record: Record) {
    for commit in &mut record.commits {
        commit.id = base::CommitId::mint(&Seams::system());
        commit.changes.retain(|change| matches!(change, Change::TablePut(_)));
    }
    let path = format!("_lake/log/{:020}.json", record.version.0);
    store.create(&path, record.bytes().unwrap()).await.unwrap();
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let location = Location::Directory(arguments.next().unwrap().into());
    let [versions, tables] = [(); 2].map(|()| arguments.next().unwrap().parse::<u64>().unwrap());
    let config = storage::Config { durability: Durability::Process, ..storage::Config::default() };
    let store = Store::open(&location, &config, Seams::system()).await.unwrap();
    if store.list("_lake/log/", None, 1).await.unwrap().entries.is_empty() {
        grow(&store, versions, usize::try_from(tables).unwrap()).await;
    }
    let begun = Instant::now();
    let catalog = open(&store).await;
    let opened = begun.elapsed();
    assert_eq!(catalog.known_head(), Version(versions));
    let (chance, mut looks) = (Chance::new(7, 0), Vec::new());
    for _ in 0..LOOKS {
        let version = Version(chance.below(versions) + 1);
        let begun = Instant::now();
        let pin = catalog.pin(Some(&AsOf::Version(version))).await.unwrap();
        looks.push(begun.elapsed().as_secs_f64() * 1e3);
        assert_eq!((pin.version(), pin.names().count() as u64), (version, tables.min(version.0)));
    }
    looks.sort_by(f64::total_cmp);
    let (median, worst) = (looks[looks.len() / 2], looks[looks.len() - 1]);
    println!("{}", json!({"open_ms": opened.as_secs_f64() * 1e3, "as_of_ms": median, "as_of_worst_ms": worst}));
}
