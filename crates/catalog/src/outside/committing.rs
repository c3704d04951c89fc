//! The proposal that publishes what outsiders make of tables: of one, or of many at once.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use base::DatasetName;
use iceberg::spec::TableMetadata;
use outsiders::loaded::expect_in_place;
use outsiders::{Adoption, Found, Ground, Inspector, TableChanges};
use tables::column::fingerprint_of;
use tables::lake::Lake;
use tables::metadata_file;
use tables::schema;

use super::Keeping;
use super::names::expect_room;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::kept::Tables;
use crate::place::expect_own_place;
use crate::record::Change;
use crate::staging::Staging;
use crate::state::State;
use crate::table::Table;

/// What shall become of a table.
#[derive(Debug)]
pub(super) enum Wish {
    /// It shall exist with this metadata.
    Create(Box<TableMetadata>),
    /// It shall be what a metadata file in the lake says.
    Adopt { metadata: Box<TableMetadata>, adoption: Adoption },
    /// It shall be changed, or created by changes.
    Change(Box<TableChanges>),
}

/// One table of a commit.
#[derive(Debug)]
pub(super) struct Step {
    pub name: DatasetName,
    wish: Wish,
    /// What was found of new snapshots, which never change.
    found: HashMap<i64, Found>,
    /// Whether whoever asks may take away what everybody reads.
    may_take_away: bool,
}

/// A table's next metadata before it is written.
struct Next {
    path: String,
    metadata: TableMetadata,
    rows: u64,
}

/// A commit of an outsider on its way through the committer.
pub(super) struct Committing {
    lake: Lake,
    tables: Arc<Tables>,
    steps: Vec<Step>,
    keeping: Keeping,
    verb: &'static str,
    staging: Staging,
}

/// The steps of changes that each name their table, no two the same one.
pub(super) fn steps(changes: Vec<TableChanges>) -> Result<Vec<Step>> {
    let mut seen = HashSet::new();
    let step = |changes: TableChanges| {
        let name = changes.dataset().map_err(|error| Error::BadName(error.to_string()))?;
        if !seen.insert(name.clone()) {
            return Err(refuse(&name, "a transaction changes each table once"));
        }
        Ok(Step::new(&name, Wish::Change(Box::new(changes))))
    };
    changes.into_iter().map(step).collect()
}

impl Step {
    pub fn new(name: &DatasetName, wish: Wish) -> Self {
        Self { name: name.clone(), wish, found: HashMap::new(), may_take_away: false }
    }

    /// Works out what becomes of the table in `state`; none when nothing changes.
    async fn take(&mut self, lake: &Lake, tables: &Tables, state: &State) -> Result<Option<Next>> {
        let base = match state.tables.get(&self.name) {
            Some(entry) => Some(tables.load(&self.name, entry).await?),
            None => None,
        };
        match &self.wish {
            Wish::Create(metadata) => {
                expect_room(state, &self.name)?;
                let metadata = metadata_file::stamp(metadata.as_ref().clone(), None, state.at)?;
                self.next(lake, None, metadata, 0).map(Some)
            }
            Wish::Adopt { metadata, adoption } => {
                match base {
                    Some(_) if adoption.overwrite && !self.may_take_away => {
                        return Err(Error::TakesAway { name: self.name.clone(), what: "replaces the table" });
                    }
                    Some(_) if adoption.overwrite => {}
                    _ => expect_room(state, &self.name)?,
                }
                let next = adoption.adopted(lake, &self.name, metadata)?;
                let rows = rows_of_adopted(&mut self.found, lake, &self.name, &next).await?;
                self.found.values().try_for_each(|found| expect_unswept(&self.name, state, found))?;
                let next = metadata_file::stamp(next, Some(metadata), state.at)?;
                self.next(lake, Some(adoption.path(lake, &self.name)?), next, rows).map(Some)
            }
            Wish::Change(changes) => {
                match &base {
                    None if changes.creates() => expect_room(state, &self.name)?,
                    None => return Err(state.unknown(&self.name, state.published())),
                    Some(base) => changes.expect(&self.name, &base.read().metadata)?,
                }
                if changes.is_empty() && base.is_some() {
                    return Ok(None);
                }
                self.change(lake, state, base.as_deref()).await.map(Some)
            }
        }
    }

    async fn change(&mut self, lake: &Lake, state: &State, base: Option<&Table>) -> Result<Next> {
        let Wish::Change(changes) = &self.wish else {
            return Err(Error::Bug { doing: "changing a table", source: "there are no changes".into() });
        };
        let metadata = base.map(|table| &table.read().metadata);
        let begun = changes.begin(lake, &self.name, metadata, state.at)?;
        let (location, allows_deletes) = (begun.location(), changes.allows_deletes(&begun));
        let inspector = Inspector { lake, name: &self.name, location, allows_deletes };
        changes.look(&inspector, &begun, &mut self.found).await?;
        self.found.values().try_for_each(|found| expect_unswept(&self.name, state, found))?;
        let (version, at) = (state.version, state.at);
        let (name, found, may_take_away) = (&self.name, &self.found, self.may_take_away);
        let ground = Ground { lake, name, base: metadata, begun: &begun, found, may_take_away, version, at };
        let entry = base.map(Table::entry);
        let next = changes.apply(&ground, entry.map(|entry| lake.roots.absolute(&entry.metadata)))?;
        let rows = match (next.current_snapshot(), entry) {
            (None, _) => 0,
            (Some(now), Some(entry)) if entry.snapshot_id == Some(now.snapshot_id()) => entry.row_count,
            (Some(now), _) => match self.found.get(&now.snapshot_id()) {
                Some(found) => found.rows(),
                None => inspector.rows(now).await?,
            },
        };
        self.next(lake, entry.map(|entry| entry.metadata.as_str()), next, rows)
    }

    fn next(&self, lake: &Lake, previous: Option<&str>, metadata: TableMetadata, rows: u64) -> Result<Next> {
        expect_in_place(lake, &metadata)?;
        let outside = || refuse(&self.name, "its location lies outside the lake");
        let location = lake.roots.relative(metadata.location()).ok_or_else(outside)?;
        let path = format!("{location}/metadata/{}", metadata_file::name(previous, lake.seams.uuid()));
        Ok(Next { path, metadata, rows })
    }
}

fn refuse(name: &DatasetName, why: &str) -> Error {
    outsiders::Error::unacceptable(name, why).into()
}

/// Refuses files that a sweep may be deleting at this moment: no version named them when it began, and they are older
/// than what it leaves alone.
fn expect_unswept(name: &DatasetName, state: &State, found: &Found) -> Result<()> {
    match (&state.swept, found.oldest) {
        (Some(swept), Some(oldest)) if oldest < swept.before => {
            Err(refuse(name, "its files were written so long ago that a sweep may have taken them; write them anew"))
        }
        _ => Ok(()),
    }
}

/// The rows of a table that comes with a history of its own, whose current snapshot is looked at.
async fn rows_of_adopted(
    found: &mut HashMap<i64, Found>,
    lake: &Lake,
    name: &DatasetName,
    metadata: &TableMetadata,
) -> Result<u64> {
    let Some(now) = metadata.current_snapshot() else { return Ok(0) };
    let found = match found.entry(now.snapshot_id()) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => {
            let location = metadata.location();
            unknown.insert(Inspector { lake, name, location, allows_deletes: true }.inspect(now, &[]).await?)
        }
    };
    Ok(found.rows())
}

impl Committing {
    pub fn new(lake: &Lake, tables: &Arc<Tables>, mut steps: Vec<Step>, keeping: Keeping, verb: &'static str) -> Self {
        steps.iter_mut().for_each(|step| step.may_take_away = keeping.caller.may_take_away);
        let staging = Staging::new(lake, tables);
        Self { lake: lake.clone(), tables: Arc::clone(tables), steps, keeping, verb, staging }
    }

    /// Looks at whatever `decide` would look at in `state`, so that it need not while others wait. Nothing is staged.
    pub async fn look(&mut self, head: &State) -> Result<()> {
        if self.keeping.kept(head)?.is_none() {
            let mut next = head.clone();
            next.begin(head.version.next(), head.at.max(self.lake.seams.now()));
            self.take(&next).await?;
        }
        Ok(())
    }

    async fn take(&mut self, state: &State) -> Result<Vec<(DatasetName, Next)>> {
        let mut taken: Vec<(DatasetName, Next)> = Vec::new();
        for step in &mut self.steps {
            let Some(next) = step.take(&self.lake, &self.tables, state).await? else { continue };
            let others = state.tables.iter().map(|(name, entry)| (name, entry.metadata.as_str()));
            let beside = taken.iter().map(|(name, next)| (name, next.path.as_str()));
            let before = state.tables.get(&step.name).map(|entry| entry.metadata.as_str());
            expect_own_place(&step.name, &next.path, before, others.chain(beside))?;
            taken.push((step.name.clone(), next));
        }
        Ok(taken)
    }

    /// Writes the metadata files and keeps what is in them for whoever reads first.
    async fn stage(&mut self, taken: Vec<(DatasetName, Next)>) -> Result<Vec<Change>> {
        let encoded = taken.iter().map(|(_, next)| Ok((next.path.clone(), metadata_file::encode(&next.metadata)?)));
        self.staging.write(encoded.collect::<Result<_>>()?).await?;
        let puts = taken.into_iter().map(|(name, Next { path, metadata, rows })| {
            let fingerprint = fingerprint_of(&schema::columns_of(&metadata));
            self.staging.put(&name, path, metadata, (rows, fingerprint)).map(Change::TablePut)
        });
        puts.collect()
    }
}

#[async_trait]
impl Proposal for Committing {
    fn subject(&self) -> Subject {
        match self.steps.as_slice() {
            [only] => Subject::Dataset(only.name.clone()),
            _ => Subject::Whole,
        }
    }

    fn describe(&self) -> Description {
        let names: Vec<String> = self.steps.iter().map(|step| step.name.to_string()).collect();
        self.keeping.describe(format!("{} {}", self.verb, names.join(", ")))
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        self.staging.begin();
        if self.keeping.kept(state)?.is_some() {
            return Ok(Vec::new());
        }
        let taken = self.take(state).await?;
        self.stage(taken).await
    }

    async fn settle(&mut self, outcome: &Result<Settled>) {
        self.staging.end(outcome, []).await;
    }
}
