//! The lake: reachable, writable, safe for several writers, with a roster that reads.

use std::path::PathBuf;

use catalog::Catalog;
use flows::Rosters;
use query::Query;
use storage::{Location, Store};
use tempfile::TempDir;

use crate::finding::{Finding, Status, chain};
use crate::machine::{self, ground};
use crate::subject::Subject;

/// How many creators race for one name.
const RACERS: usize = 16;
/// What tells a lake from any other place.
const FORMAT: &str = "_lake/format.json";

const LAKE: &str = "lake";
const PUT: &str = "conditional_put";
const ROSTER: &str = "roster";

/// A store to try things on: the lake's own, or one beside it where there is no lake yet.
struct Place {
    store: Store,
    is_lake: bool,
    directory: Option<PathBuf>,
    /// Removed with everything in it when the examination ends.
    _beside: Option<TempDir>,
}

/// fsync, the lake itself, conditional puts, the clock and the roster.
pub async fn checks(subject: &Subject) -> Vec<Finding> {
    let place = match open(subject).await {
        Ok(place) => place,
        Err(detail) => return unreachable(subject, &detail),
    };
    let fsync = machine::fsync(&place.store, place.directory.as_deref(), subject.storage.durability).await;
    let put = conditional_put(&place.store).await;
    let clock = machine::clock(&place.store, || subject.seams.now()).await;
    let (lake, roster) = contents(subject, &place, put.status == Status::Ok).await;
    vec![fsync, lake, put, clock, roster]
}

fn unreachable(subject: &Subject, detail: &str) -> Vec<Finding> {
    let why = "nothing can be read or written without it";
    let fix = match &subject.lake {
        Location::Directory(path) if path.is_file() => format!("mv {0} {0}.old", path.display()),
        Location::Directory(path) => {
            format!("chown -R \"$USER\" {}", ground(path).display())
        }
        _ => "lakehouse config show".to_owned(),
    };
    let unseen = |name| Finding::skipped(name, "the lake cannot be reached");
    let lake = Finding::failed(LAKE, detail, why, fix);
    vec![unseen("fsync"), lake, unseen(PUT), unseen("clock"), unseen(ROSTER)]
}

/// A lake that is not there is not made: what it would lie on is tried in a directory of our own beside it.
async fn open(subject: &Subject) -> Result<Place, String> {
    let location = &subject.lake;
    let Location::Directory(path) = location else {
        let store = connect(location, subject).await?;
        let is_lake = store.exists(FORMAT).await.map_err(|error| chain(&error))?;
        return Ok(Place { store, is_lake, directory: None, _beside: None });
    };
    if path.join("_lake").is_dir() {
        let store = connect(location, subject).await?;
        return Ok(Place { store, is_lake: true, directory: Some(path.clone()), _beside: None });
    }
    if path.exists() && !path.is_dir() {
        return Err(format!("{} is no directory", path.display()));
    }
    let above = ground(path);
    let beside = TempDir::with_prefix_in(".lakehouse-doctor-", &above);
    let beside = beside.map_err(|error| format!("nothing can be made in {}: {error}", above.display()))?;
    let store = connect(&Location::Directory(beside.path().to_owned()), subject).await?;
    Ok(Place { store, is_lake: false, directory: Some(above), _beside: Some(beside) })
}

async fn connect(location: &Location, subject: &Subject) -> Result<Store, String> {
    let opened = Store::open(location, &subject.storage, subject.seams.clone()).await;
    opened.map_err(|error| format!("{location}: {}", chain(&error)))
}

/// Whether a second creator of one name loses, one after the other and in a race.
pub async fn conditional_put(store: &Store) -> Finding {
    let tried = async {
        store.probe().await?;
        store.probe_race(RACERS).await
    };
    match tried.await {
        Ok(()) => Finding::ok(PUT, format!("of {RACERS} racing creators of one name at most one won")),
        Err(storage::Error::ReadOnly { .. }) => {
            let why = "the lake can be read and backed up, and takes nothing new";
            let place = store.uri().trim_start_matches("file://");
            Finding::failed(PUT, "the store is read-only", why, format!("mount -o remount,rw {place}"))
        }
        Err(storage::Error::Full { .. }) => Finding::skipped(PUT, "the store is full"),
        Err(error) => {
            let why = "two writers could both believe that they made a version, and one would lose its data";
            Finding::failed(PUT, chain(&error), why, "lakehouse serve --lake ./lake")
        }
    }
}

/// The lake and its roster, where there is a lake.
async fn contents(subject: &Subject, place: &Place, writable: bool) -> (Finding, Finding) {
    if !place.is_lake {
        let lake = Finding::ok(LAKE, format!("there is no lake at {} yet, and one can be made", subject.lake));
        return (lake, Finding::skipped(ROSTER, "there is no lake yet"));
    }
    let opened = Catalog::open(place.store.clone(), &subject.catalog, subject.seams.clone()).await;
    let catalog = match opened {
        Ok(catalog) => catalog,
        Err(error) => {
            let why = "its versions cannot be told from each other, so nothing in it answers";
            let lake = Finding::failed(LAKE, chain(&error), why, "lakehouse restore ./backup --lake ./again");
            return (lake, Finding::skipped(ROSTER, "the lake cannot be opened"));
        }
    };
    let lake = match catalog.pin(None).await {
        Ok(pin) => {
            let written = if writable { ", and can be written" } else { "" };
            Finding::ok(LAKE, format!("{} is at version {}{written}", subject.lake, pin.version()))
        }
        Err(error) => {
            Finding::failed(LAKE, chain(&error), "nothing in it answers", "lakehouse restore ./backup --lake ./again")
        }
    };
    let roster = roster(subject, &catalog).await;
    catalog.close().await;
    (lake, roster)
}

async fn roster(subject: &Subject, catalog: &Catalog) -> Finding {
    let table = &subject.roster;
    let query = match Query::new(catalog.clone(), &subject.query, subject.seams.clone()) {
        Ok(query) => query,
        Err(error) => return unread(table, &chain(&error)),
    };
    match Rosters::new(query, table.clone()).at(None).await {
        Ok((roster, _)) if roster.absent_table().is_some() => {
            Finding::skipped(ROSTER, format!("the lake has no table {table}: checks of fills know nobody yet"))
        }
        Ok((roster, version)) => {
            Finding::ok(ROSTER, format!("{table} has {} workers at version {version}", roster.len()))
        }
        Err(error) => unread(table, &chain(&error)),
    }
}

fn unread(table: &base::DatasetName, detail: &str) -> Finding {
    let why = "what models propose cannot be checked against who exists";
    Finding::failed(ROSTER, detail, why, format!("lakehouse ingest {table} {}.csv", table.table()))
}
