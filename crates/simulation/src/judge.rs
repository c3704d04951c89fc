//! What must hold when all is quiet again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{AsOf, Fault, Kind, Seams, Span, Version};
use catalog::{Catalog, Config, Pin, Record};
use storage::Store;
use upkeep::{Sweep, Upkeep};

use crate::deed::{Deed, name};
use crate::ledger::{Ledger, Told};
use crate::model::{Held, Model, Place};
use crate::process::Process;
use crate::rows;
use crate::writer::World;

/// How many deeds of each kind stand in the log of a run, and its faults; none when all is well.
pub async fn judge(world: &World) -> (BTreeMap<&'static str, usize>, Vec<String>) {
    let seams = Process::start(&world.timeline).seams(0, world.seed);
    let store = Store::over(Arc::new(world.bucket.clone()), world.uri, seams.clone());
    let catalog = match Catalog::open(store, &Config::default(), seams.clone()).await {
        Ok(catalog) => catalog,
        Err(error) => return (BTreeMap::new(), vec![format!("the lake does not open: {error} ({error:?})")]),
    };
    let mut verdict = Verdict::new(world.ledger.faults(), catalog.clone(), seams.clone());
    let records = world.archive.records().await;
    let records: Vec<Record> = records.values().map(|bytes| serde_json::from_slice(bytes).expect("a record")).collect();
    verdict.judge_line(&records);
    let models = verdict.judge_deeds(&world.ledger, &records);
    verdict.judge_versions(&world.ledger, &models).await;
    verdict.judge_going_on().await;
    if world.seed.is_multiple_of(SWEPT) {
        verdict.judge_sweep().await;
        verdict.held.clear();
        verdict.judge_versions(&world.ledger, &models).await;
    }
    if !verdict.faults.is_empty() {
        verdict.faults.append(&mut verdict.history);
    }
    (verdict.stands, verdict.faults)
}

/// What was found.
struct Verdict {
    catalog: Catalog,
    seams: Seams,
    faults: Vec<String>,
    /// What tables that were read hold, by their metadata.
    held: BTreeMap<String, Held>,
    /// The data files of all versions that read.
    files: BTreeSet<String>,
    /// The rows of all deeds that stand in the log.
    committed: BTreeSet<i64>,
    /// How many deeds of each kind stand there.
    stands: BTreeMap<&'static str, usize>,
    /// The deeds that stand, for whoever has to find out how a fault came about.
    history: Vec<String>,
}

/// Every so many seeds, the lake is swept afterwards.
const SWEPT: u64 = 4;

impl Verdict {
    fn new(faults: Vec<String>, catalog: Catalog, seams: Seams) -> Self {
        let (held, files, committed, stands, history) = Default::default();
        Self { catalog, seams, faults, held, files, committed, stands, history }
    }

    fn expect(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(fault());
        }
    }

    /// One linear history: numbers without a gap, times that never go back, no commit twice.
    fn judge_line(&mut self, records: &[Record]) {
        let numbered = records.iter().zip(1..).all(|(record, number)| record.version == Version(number));
        self.expect(numbered, || "the records are not numbered one after another".to_owned());
        let forward = records.windows(2).all(|pair| pair[0].at <= pair[1].at);
        self.expect(forward, || "the times of the records go back".to_owned());
        let commits: Vec<_> = records.iter().flat_map(|record| &record.commits).map(|commit| commit.id).collect();
        let once = commits.iter().collect::<BTreeSet<_>>().len() == commits.len();
        self.expect(once, || "a commit stands in the log twice".to_owned());
    }

    /// Each deed stands in the log as its writer was told. Answers what each version should hold.
    fn judge_deeds(&mut self, ledger: &Ledger, records: &[Record]) -> Vec<Model> {
        let deeds = ledger.deeds();
        let mut stands: BTreeMap<&str, Vec<Version>> = BTreeMap::new();
        let (mut model, mut models) = (Model::default(), Vec::new());
        for record in records {
            for commit in &record.commits {
                stands.entry(&commit.author).or_default().push(record.version);
                let Some((deed, _)) = deeds.get(&commit.author) else {
                    self.faults.push(format!("nobody did {:?}", commit.author));
                    continue;
                };
                self.committed.extend(deed.row());
                *self.stands.entry(deed.kind()).or_default() += 1;
                let place = Place { version: record.version.0, commit, before: &models };
                self.history.push(format!("version {}: {} {deed:?}", record.version, commit.author));
                if let Err(odd) = model.take_in(deed, &place) {
                    self.faults.push(format!("{} {deed:?} in version {}: {odd}", commit.author, record.version));
                }
            }
            models.push(model.clone());
        }
        for (id, (deed, told)) in &deeds {
            let stands = stands.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            let fits = match told {
                Told::Committed(version) => stands == [*version],
                Told::Stands => stands.len() == 1,
                Told::Holds(version) => stands.is_empty() || stands == [*version],
                Told::Needless | Told::Refused => stands.is_empty(),
                Told::Unknown => stands.len() <= 1,
            };
            self.expect(fits, || format!("{id} {deed:?} was told {told:?} and stands in {stands:?}"));
        }
        models
    }

    /// Every version answers; those that were given up may be gone, save those with tags.
    async fn judge_versions(&mut self, ledger: &Ledger, models: &[Model]) {
        let Some(last) = models.last() else { return };
        for (version, model) in (1..).zip(models) {
            let kept = version >= last.oldest || last.tags.values().any(|tagged| *tagged == version);
            match self.catalog.pin(Some(&AsOf::Version(Version(version)))).await {
                Ok(pin) => {
                    self.judge_version(&pin, model).await;
                    self.judge_sights(ledger, &pin);
                }
                Err(error) => self.expect(!kept && error.kind() == Kind::NotFound, || {
                    format!("version {version} of {}, {} on: {error}", models.len(), last.oldest)
                }),
            }
        }
    }

    /// A version answers what its history adds up to, and every file that it reaches is there.
    async fn judge_version(&mut self, pin: &Pin, model: &Model) {
        let version = pin.version();
        let mut found = BTreeMap::new();
        for table in pin.names() {
            match self.read(pin, &table.to_string()).await {
                Ok(held) => {
                    found.insert(table.to_string(), held);
                }
                Err(fault) => self.faults.push(format!("version {version}: {table} does not read: {fault}")),
            }
        }
        self.expect(found == model.tables, || {
            format!("version {version} holds {found:?} and should hold {:?}", model.tables)
        });
        let indexes: BTreeSet<String> = pin.indexes().map(|(index, _)| index.to_string()).collect();
        self.expect(indexes == model.indexes, || {
            format!("version {version} has the indexes {indexes:?}, not {:?}", model.indexes)
        });
        let tags: BTreeMap<String, u64> = pin.tags().map(|(tag, version)| (tag.to_string(), version.0)).collect();
        self.expect(tags == model.tags, || format!("version {version} has the tags {tags:?}, not {:?}", model.tags));
    }

    async fn read(&mut self, pin: &Pin, table: &str) -> catalog::Result<Held> {
        let table = self.catalog.table(pin, &name(table)).await?;
        let metadata = table.entry().metadata.clone();
        if let Some(held) = self.held.get(&metadata) {
            return Ok(held.clone());
        }
        let (held, files) = Held::read(&self.catalog, &table, &self.seams).await?;
        let counted = held.rows.len() as u64 == table.row_count();
        self.expect(counted, || format!("{metadata} holds another number of rows"));
        self.files.extend(files);
        self.held.insert(metadata, held.clone());
        Ok(held)
    }

    /// Whatever anybody saw of a version is what it holds for ever.
    fn judge_sights(&mut self, ledger: &Ledger, pin: &Pin) {
        for ((_, table), metadata) in ledger.seen().iter().filter(|((version, _), _)| *version == pin.version()) {
            let now = pin.entry(&name(table)).map(|entry| entry.metadata.as_str());
            self.expect(now == Some(metadata), || format!("{table} in version {} was seen as another", pin.version()));
        }
    }

    /// A sweep leaves the data files that versions reach. It may also leave those of snapshots that tables list for other
    /// engines and no version pins, but none that was never committed.
    async fn judge_sweep(&mut self) {
        let sweep =
            Sweep { grace: Span::secs(60), dry_run: false, name_first: 0, name_after: None, author: "judge".into() };
        let swept = Upkeep::new(self.catalog.clone(), self.seams.clone()).sweep(&sweep).await.expect("a sweep");
        self.expect(swept.unread.is_empty(), || format!("the sweep cannot read {:?}", swept.unread));
        let left = self.catalog.store().list("tables/", None, usize::MAX >> 1).await.expect("a list").entries;
        let data = left.into_iter().map(|entry| entry.path).filter(|path| path.ends_with(".parquet"));
        let data: BTreeSet<String> = data.collect();
        for path in data.difference(&self.files).cloned().collect::<Vec<_>>() {
            let rows = rows::rows_of(&self.catalog.store().get(&path).await.expect("a listed file"));
            let committed = rows.iter().all(|row| self.committed.contains(row));
            self.expect(committed, || format!("a stray is left: {path}"));
        }
        let again = Sweep { dry_run: true, name_first: 9, ..sweep };
        let again = Upkeep::new(self.catalog.clone(), self.seams.clone()).sweep(&again).await.expect("a look");
        self.expect(again.files == 0, || format!("a second sweep would delete {:?}", again.strays));
    }

    /// Whatever was left behind, the lake goes on.
    async fn judge_going_on(&mut self) {
        let after = Deed::CreateIndex { index: "after" }.perform(&self.catalog, "judge", &self.seams).await;
        self.expect(after.is_ok(), || format!("the lake does not go on: {after:?}"));
    }
}
