//! Publishing files: the proposal that turns staged files into the next snapshot of one table.

use std::sync::Arc;

use async_trait::async_trait;
use base::{DatasetName, Timestamp, Version};
use sha2::{Digest, Sha256};
use tables::column::Column;
use tables::draft::Draft;
use tables::io;
use tables::lake::Lake;
use tables::publication::{Mode, Publication, Source};
use tables::snapshot::{Next, Step};
use tables::summary::Note;

use crate::catalog::Catalog;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::kept::Tables;
use crate::record::Change;
use crate::sealing::{Sealing, Seals};
use crate::staging::{Staging, may_stand};
use crate::state::{Keyed, State, TableEntry};
use crate::table::Table;
use crate::unswept;

/// What came of a publication.
#[derive(Debug, Clone)]
pub struct Published {
    /// Whether nothing changed, because the table already was what was asked for.
    pub existing: bool,
    /// Whether nothing changed, because its idempotency key was answered before: with what is answered here again.
    pub repeated: bool,
    /// The version that holds the table as answered.
    pub version: Version,
    /// The table at that version.
    pub table: Arc<Table>,
}

/// What an idempotency key stands for, besides the dataset and the mode.
#[derive(Debug, Clone, Copy)]
pub enum Meaning<'a> {
    /// Rows made from this very source.
    Source(&'a Source),
    /// A request, whatever it finds when it is carried out.
    Request(&'a str),
}

impl<'a> Meaning<'a> {
    /// The request if there is one to go by, else the source.
    pub fn of(source: &'a Source, request: Option<&'a str>) -> Self {
        request.map_or(Self::Source(source), Self::Request)
    }
}

impl Catalog {
    /// What a keyed publication came to the first time, if it came before; [`Error::KeyReused`] when its key stands for
    /// another. For those who need not, or cannot even, prepare it again.
    pub async fn answered(
        &self,
        name: &DatasetName,
        mode: Mode,
        meaning: Meaning<'_>,
        key: &str,
    ) -> Result<Option<Published>> {
        let state = self.room.head.ask().await?;
        let Some(keyed) = state.keyed(key, self.room.lake.seams.now()) else { return Ok(None) };
        let same = keyed.request == digest(name, mode, meaning) && keyed.name.as_ref() == Some(name);
        let entry = keyed.entry.as_ref().filter(|_| same).ok_or(Error::KeyReused)?;
        let table = self.room.tables.load(name, entry).await?;
        Ok(Some(Published { existing: false, repeated: true, version: entry.version, table }))
    }
}

/// A publication on its way through the committer.
pub(crate) struct Publishing {
    lake: Lake,
    tables: Arc<Tables>,
    publication: Publication,
    note: Note,
    by_name: bool,
    request: Option<String>,
    /// The one moment at which it is asked whether its key still lives.
    arrived: Timestamp,
    /// Indexes that are sealed in the same commit.
    seals: Vec<Sealing>,
    staging: Staging,
}

/// What a state means for a publication.
enum Verdict {
    /// The state already is what it wants.
    Settled,
    /// It makes the table.
    Create,
    /// It changes the table.
    Change(Arc<Table>),
}

impl Publishing {
    /// A publication of files that carry field ids.
    pub fn new(lake: Lake, tables: Arc<Tables>, publication: Publication) -> Self {
        let note = Note { source: publication.source.clone(), mode: publication.mode, objects: None };
        let Publication { draft, mode, source, request, .. } = &publication;
        let meaning = Meaning::of(source, request.as_deref());
        let request = || digest(&draft.name, *mode, meaning);
        let request = publication.idempotency_key.is_some().then(request);
        let (arrived, staging) = (lake.seams.now(), Staging::new(&lake, &tables));
        let (by_name, seals) = (false, Vec::new());
        Self { lake, tables, publication, note, by_name, request, arrived, seals, staging }
    }

    /// The same publication, with seals of indexes in its commit.
    pub fn sealing(mut self, seals: Seals) -> Self {
        let Seals { sealer, indexes } = seals;
        let (store, author) = (self.lake.store.clone(), self.publication.author.clone());
        let sealing = |index| Sealing::new(store.clone(), Arc::clone(&sealer), index, &author);
        self.seals = indexes.into_iter().map(sealing).collect();
        self
    }

    /// Stages the seals, so that others need not wait for that while the commit is decided.
    pub async fn prepare(&mut self, state: &State) -> Result<()> {
        for seal in &mut self.seals {
            seal.prepare(state).await?;
        }
        Ok(())
    }

    /// A publication of registered objects, whose columns may have to be found by name.
    pub fn registering(mut self, objects: String, by_name: bool) -> Self {
        self.note.objects = Some(objects);
        self.by_name = by_name;
        self
    }

    /// The dataset that it changes.
    pub fn dataset(&self) -> &DatasetName {
        &self.publication.draft.name
    }

    /// When the publication arrived.
    pub fn arrived(&self) -> Timestamp {
        self.arrived
    }

    /// Whether `state` already is what the publication wants. An error refuses it.
    pub async fn is_settled_in(&self, state: &State) -> Result<bool> {
        Ok(matches!(self.judge(state).await?, Verdict::Settled))
    }

    /// Deletes the data files of a publication that needs no commit.
    pub async fn withdraw(mut self) {
        for seal in &mut self.seals {
            seal.end(false).await;
        }
        io::discard(&self.lake.store, data_files(&self.publication)).await;
    }

    async fn judge(&self, state: &State) -> Result<Verdict> {
        if let Some(keyed) = self.keyed(state) {
            let same = Some(&keyed.request) == self.request.as_ref()
                && keyed.name.as_ref() == Some(&self.publication.draft.name);
            return if same { Ok(Verdict::Settled) } else { Err(Error::KeyReused) };
        }
        let draft = &self.publication.draft;
        let moved = || Error::Moved { name: draft.name.clone() };
        let Some(entry) = state.tables.get(&draft.name) else {
            return if draft.is_new { Ok(Verdict::Create) } else { Err(moved()) };
        };
        let table = self.tables.load(&draft.name, entry).await?;
        if table.is_or_was_partitioned() {
            return Err(Error::Partitioned { name: draft.name.clone() });
        }
        if !fits(&table, draft) {
            return Err(moved());
        }
        let replaced_by_itself = self.publication.mode == Mode::Replace && self.is_current(&table);
        Ok(if replaced_by_itself { Verdict::Settled } else { Verdict::Change(table) })
    }

    /// Whether the table's rows were made from the very same source.
    fn is_current(&self, table: &Table) -> bool {
        table.source().as_ref() == Some(&self.publication.source)
    }

    fn keyed<'a>(&self, state: &'a State) -> Option<&'a Keyed> {
        state.keyed(self.publication.idempotency_key.as_ref()?, self.arrived)
    }

    async fn stage(&mut self, state: &State, base: Option<&Table>) -> Result<Vec<Change>> {
        let publication = &self.publication;
        let step = Step {
            lake: &self.lake,
            draft: &publication.draft,
            base: base.map(|table| table.base()),
            files: &publication.files,
            note: &self.note,
            by_name: self.by_name,
            version: state.version,
            at: state.at,
        };
        let Next { metadata, path, rows, fingerprint, files } = step.take().await?;
        self.staging.write(files).await?;
        let put = self.staging.put(&publication.draft.name, path, metadata, (rows, fingerprint))?;
        let namespace = state.missing_namespace(&put.name);
        Ok(namespace.into_iter().chain([Change::TablePut(put)]).collect())
    }
}

/// What `state`, in which a publication is settled, holds of its table.
pub(crate) fn outcome(state: &State, name: &DatasetName) -> Result<Arc<TableEntry>> {
    let entry = state.tables.get(name).map(Arc::clone);
    entry.ok_or_else(|| Error::Bug { doing: "answering a commit", source: "its table is not there".into() })
}

#[async_trait]
impl Proposal for Publishing {
    fn subject(&self) -> Subject {
        if self.seals.is_empty() { Subject::Dataset(self.dataset().clone()) } else { Subject::Whole }
    }

    fn only_adds(&self) -> bool {
        self.publication.mode == Mode::Append
    }

    fn describe(&self) -> Description {
        Description {
            author: self.publication.author.clone(),
            message: self.publication.message.clone(),
            idempotency_key: self.publication.idempotency_key.clone(),
            request: self.request.clone(),
        }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        self.staging.begin();
        let base = match self.judge(state).await? {
            Verdict::Settled => return Ok(Vec::new()),
            Verdict::Create => None,
            Verdict::Change(table) => Some(table),
        };
        let paths = self.publication.files.iter().map(|file| file.path.as_str());
        if !unswept::all(&self.lake.store, state, paths).await? {
            return Err(Error::Moved { name: self.dataset().clone() });
        }
        let mut changes = self.stage(state, base.as_deref()).await?;
        for seal in &mut self.seals {
            changes.extend(seal.change(state).await?);
        }
        Ok(changes)
    }

    async fn settle(&mut self, outcome: &Result<Settled>) {
        let committed = may_stand(outcome);
        for seal in &mut self.seals {
            seal.end(committed).await;
        }
        let brought = data_files(&self.publication).collect::<Vec<_>>();
        self.staging.end(outcome, brought).await;
    }
}

fn data_files(publication: &Publication) -> impl Iterator<Item = String> {
    publication.files.iter().map(|file| file.path.clone())
}

/// Whether files written for a draft fit the table as it is: it is the draft's own, or the draft was of none, so that no
/// table lists files in the directory of another one that has lost its name; it has the draft's columns, with or without
/// those that the draft adds, and holds no column personal of which the draft did not know that.
fn fits(table: &Table, draft: &Draft) -> bool {
    if !draft.is_new && table.table_id() != draft.table_id {
        return false;
    }
    let (known, last_id) = (draft.columns.len() - draft.added, table.read().metadata.last_column_id());
    let evolved = same_columns(table.columns(), &draft.columns);
    let evolves = || draft.first_added().is_some_and(|first| last_id < first);
    evolved || (same_columns(table.columns(), &draft.columns[..known]) && evolves())
}

fn same_columns(table: &[Column], draft: &[Column]) -> bool {
    let same = |(table, draft): (&Column, &Column)| {
        let tagged = table.pii.is_none() || draft.pii.is_some();
        (table.id, &table.name, &table.ty) == (draft.id, &draft.name, &draft.ty) && tagged
    };
    table.len() == draft.len() && table.iter().zip(draft).all(same)
}

/// What a keyed request asks for: the same key may come back with this only.
fn digest(name: &DatasetName, mode: Mode, meaning: Meaning<'_>) -> String {
    let mut hash = Sha256::new();
    let [means, options] = match meaning {
        Meaning::Source(Source { sha256, options }) => [sha256, options.as_str()],
        Meaning::Request(request) => [request, ""],
    };
    for part in [&name.to_string(), &mode.to_string(), means, options] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}
