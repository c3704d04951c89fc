//! The lake: reachable, writable, safe for several writers, with a roster that reads and packs that can judge.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Fault, Kind};
use catalog::{Catalog, Pin};
use evidence::Evidence;
use flows::{Jury, Rosters, StreamTables};
use query::Query;
use storage::{Location, Store};
use tempfile::TempDir;

use crate::finding::{Finding, Status, chain};
use crate::machine::{self, ground};
use crate::mend;
use crate::subject::Subject;

/// How many creators race for one name.
const RACERS: usize = 16;
/// What tells a lake from any other place.
const FORMAT: &str = "_lake/format.json";
/// Makes another lake of the last backup: whoever has one puts its path.
const RESTORE: &str = "lakehouse restore ./backup --lake ./again";

const LAKE: &str = "lake";
const PUT: &str = "conditional_put";
const ROSTER: &str = "roster";
const PACKS: &str = "packs";

/// A store to try things on: the lake's own, or one beside it where there is no lake yet.
struct Place {
    store: Store,
    is_lake: bool,
    directory: Option<PathBuf>,
    /// Removed with everything in it when the examination ends.
    _beside: Option<TempDir>,
}

/// fsync, the lake itself, conditional puts, the clock, the roster and the packs.
pub async fn checks(subject: &Subject) -> Vec<Finding> {
    let place = match open(subject).await {
        Ok(place) => place,
        Err(unreached) => return unreachable(subject, &unreached),
    };
    let fsync = machine::fsync(&place.store, place.directory.as_deref(), subject.storage.durability).await;
    let put = conditional_put(&place.store).await;
    let clock = machine::clock(&place.store, || subject.seams.now()).await;
    let [lake, roster, packs] = contents(subject, &place, put.status == Status::Ok).await;
    vec![fsync, lake, put, clock, roster, packs]
}

/// Why nothing can be tried where the lake lies or would lie.
struct Unreached {
    detail: String,
    /// What the machine said, where it is the machine that refuses.
    kind: Option<ErrorKind>,
}

fn unreachable(subject: &Subject, Unreached { detail, kind }: &Unreached) -> Vec<Finding> {
    let why = "nothing can be read or written without it; `lakehouse config show` tells what is set";
    let fix = match (&subject.lake, kind) {
        (Location::Directory(path), Some(ErrorKind::NotADirectory)) => Some(mend::move_away(path)),
        (Location::Directory(path), Some(ErrorKind::PermissionDenied)) => Some(mend::own(path)),
        (Location::Directory(path), Some(ErrorKind::ReadOnlyFilesystem)) => Some(mend::remount(&ground(path))),
        _ => None,
    };
    let unseen = |name| Finding::skipped(name, "the lake cannot be reached");
    let lake = Finding::failed(LAKE, detail, why).mended_by(fix);
    vec![unseen("fsync"), lake, unseen(PUT), unseen("clock"), unseen(ROSTER), unseen(PACKS)]
}

/// A lake that is not there is not made: what it would lie on is tried in a directory of our own beside it.
async fn open(subject: &Subject) -> Result<Place, Unreached> {
    let location = &subject.lake;
    let Location::Directory(path) = location else {
        let store = connect(location, subject).await?;
        let is_lake = store.exists(FORMAT).await.map_err(|error| Unreached::by(&error, ""))?;
        return Ok(Place { store, is_lake, directory: None, _beside: None });
    };
    if path.join("_lake").is_dir() {
        let store = connect(location, subject).await?;
        return Ok(Place { store, is_lake: true, directory: Some(path.clone()), _beside: None });
    }
    if path.exists() && !path.is_dir() {
        let detail = format!("{} is no directory", path.display());
        return Err(Unreached { detail, kind: Some(ErrorKind::NotADirectory) });
    }
    let above = ground(path);
    let beside = TempDir::with_prefix_in(".lakehouse-doctor-", &above);
    let beside =
        beside.map_err(|error| Unreached::by(&error, format!("nothing can be made in {}: ", above.display())))?;
    let store = connect(&Location::Directory(beside.path().to_owned()), subject).await?;
    Ok(Place { store, is_lake: false, directory: Some(above), _beside: Some(beside) })
}

async fn connect(location: &Location, subject: &Subject) -> Result<Store, Unreached> {
    let opened = Store::open(location, &subject.storage, subject.seams.clone()).await;
    opened.map_err(|error| Unreached::by(&error, format!("{location}: ")))
}

impl Unreached {
    fn by(error: &(dyn Error + 'static), place: impl Display) -> Self {
        let mut causes = iter::successors(Some(error), |error| (**error).source());
        let kind = causes.find_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind);
        Self { detail: format!("{place}{}", chain(error)), kind }
    }
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
            let directory = store.uri().strip_prefix("file://");
            let fix = directory.map(|directory| mend::remount(Path::new(directory)));
            Finding::failed(PUT, "the store is read-only", why).mended_by(fix)
        }
        Err(storage::Error::Full { .. }) => Finding::skipped(PUT, "the store is full"),
        Err(error) => {
            let why = "two writers could both believe that they made a version, and one would lose its data: a lake \
                       belongs on a disk or in a store where a second creator fails";
            Finding::failed(PUT, chain(&error), why)
        }
    }
}

/// The lake, its roster and its packs, where there is a lake.
async fn contents(subject: &Subject, place: &Place, writable: bool) -> [Finding; 3] {
    let unseen = |lake, why: &str| [lake, Finding::skipped(ROSTER, why), Finding::skipped(PACKS, why)];
    if !place.is_lake {
        let lake = Finding::ok(LAKE, format!("there is no lake at {} yet, and one can be made", subject.lake));
        return unseen(lake, "there is no lake yet");
    }
    let opened = Catalog::open(place.store.clone(), &subject.catalog, subject.seams.clone()).await;
    let catalog = match opened {
        Ok(catalog) => catalog,
        Err(error) => {
            let why = "its versions cannot be told from each other, so nothing in it answers";
            let lake = Finding::failed(LAKE, chain(&error), why).mended_by(RESTORE.to_owned());
            return unseen(lake, "the lake cannot be opened");
        }
    };
    let lake = match catalog.pin(None).await {
        Ok(pin) => {
            let written = if writable { ", and can be written" } else { "" };
            let well = format!("{} is at version {}{written}", subject.lake, pin.version());
            names(subject, place, &pin).await.unwrap_or_else(|| Finding::ok(LAKE, well))
        }
        Err(error) => Finding::failed(LAKE, chain(&error), "nothing in it answers").mended_by(RESTORE.to_owned()),
    };
    let [roster, packs] = judges(subject, place, &catalog).await;
    catalog.close().await;
    [lake, roster, packs]
}

/// What is wrong with the names of a lake: a table and a stream may have come to be at one moment.
async fn names(subject: &Subject, place: &Place, pin: &Pin) -> Option<Finding> {
    let evidence = Evidence::new(place.store.clone(), subject.seams.clone());
    match flows::streams::hiding_tables(&evidence, pin).await {
        Ok(tables) => tables.first().map(|table| {
            let why = "SQL answers with the table, and finds none of the stream's lines";
            let detail = format!("{table} is a table and a stream");
            Finding::failed(LAKE, detail, why).mended_by(mend::at(&subject.lake, format!("catalog drop {table}")))
        }),
        Err(error) => {
            let why = "what happened in sessions and runs cannot be read";
            let failed = Finding::failed(LAKE, chain(&error), why);
            Some(if error.kind() == Kind::Damaged { failed.mended_by(RESTORE.to_owned()) } else { failed })
        }
    }
}

/// The roster, and the packs beside it.
async fn judges(subject: &Subject, place: &Place, catalog: &Catalog) -> [Finding; 2] {
    let query = match Query::new(catalog.clone(), &subject.query, subject.seams.clone()) {
        Ok(query) => query,
        Err(error) => {
            let unread = unread(&subject.lake, &subject.roster, &chain(&error));
            return [unread, Finding::skipped(PACKS, "the lake cannot be asked")];
        }
    };
    let evidence = Evidence::new(place.store.clone(), subject.seams.clone());
    let query = query.with_streams(Arc::new(StreamTables::new(evidence)));
    let rosters = Rosters::new(query.clone(), subject.roster.clone());
    [roster(&subject.lake, &rosters).await, packs(&subject.lake, &rosters, &Jury::new(query)).await]
}

async fn roster(lake: &Location, rosters: &Rosters) -> Finding {
    let table = rosters.table();
    match rosters.at(None).await {
        Ok((roster, _)) if roster.absent_table().is_some() => {
            Finding::skipped(ROSTER, format!("the lake has no table {table}: checks of fills know nobody yet"))
        }
        Ok((roster, version)) => {
            Finding::ok(ROSTER, format!("{table} has {} workers at version {version}", roster.len()))
        }
        Err(error) => unread(lake, table, &chain(&error)),
    }
}

async fn packs(lake: &Location, rosters: &Rosters, jury: &Jury) -> Finding {
    // A table that is no roster is told by its own check; packs are tried without it then.
    let roster = rosters.at(None).await.map(|(roster, _)| roster).unwrap_or_default();
    let fit = async {
        let pin = rosters.query().catalog().pin(None).await?;
        jury.fit(&pin, &roster).await
    };
    match fit.await {
        Ok(0) => Finding::ok(PACKS, "no pack is kept"),
        Ok(count) => Finding::ok(PACKS, format!("{count} packs can judge")),
        Err(flows::Error::PackFailed { pack, source, .. }) if source.code() == "query.unsupported" => Finding::skipped(
            PACKS,
            format!("{pack} searches indexes: a running server says in /readyz whether it can judge"),
        ),
        Err(error @ flows::Error::PackFailed { .. }) => {
            let why = "nothing of its kind is checked without it: every check answers 503";
            let pack = error.facts().get("pack").and_then(|pack| pack.as_str().map(str::to_owned)).unwrap_or_default();
            Finding::failed(PACKS, chain(&error), why)
                .mended_by(mend::at(lake, format!("packs drop {}", mend::word(pack))))
        }
        Err(error) => {
            let why = "what models propose cannot be checked by the packs that are kept";
            Finding::failed(PACKS, chain(&error), why)
        }
    }
}

fn unread(lake: &Location, table: &base::DatasetName, detail: &str) -> Finding {
    let why = "what models propose cannot be checked against who exists";
    Finding::failed(ROSTER, detail, why).mended_by(mend::at(lake, format!("ingest {table} {}.csv", table.table())))
}
