//! Rewriting: files of a table are exchanged for others with the very same rows, so that no version answers otherwise.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use iceberg::spec::{MAIN_BRANCH, ManifestContentType, ManifestEntryRef, ManifestFile, Snapshot, TableMetadataBuilder};
use tables::footer;
use tables::lake::Lake;
use tables::metadata_file;
use tables::publication::NewFile;
use tables::snapshot::{MERGE_BELOW, Scribe, list_manifests};
use tables::summary::{self, Sums};

use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::kept::Tables;
use crate::record::{Change, TablePut};
use crate::staging::{Next, Staging};
use crate::state::State;
use crate::table::Table;
use crate::unswept;

/// Files of a table to be exchanged for others that hold the same rows.
#[derive(Debug, Clone)]
pub struct Rewrite {
    /// The table as it was when the new files were written.
    pub table: Arc<Table>,
    /// The files that go, by their paths relative to the lake's root.
    pub old: Vec<String>,
    /// The files that come, written under the table's draft.
    pub new: Vec<NewFile>,
    /// Who asks for it.
    pub author: String,
}

/// A rewrite on its way through the committer.
pub(crate) struct Rewriting {
    lake: Lake,
    tables: Arc<Tables>,
    rewrite: Rewrite,
    staging: Staging,
}

/// What a rewrite makes of the table's manifests.
struct Listed {
    manifests: Vec<ManifestFile>,
    added: Sums,
    removed: Sums,
}

impl Rewriting {
    pub fn new(lake: Lake, tables: Arc<Tables>, rewrite: Rewrite) -> Self {
        let staging = Staging::new(&lake, &tables);
        Self { lake, tables, rewrite, staging }
    }

    /// The table that `state` holds, as far as the new files still fit it. Appends that came meanwhile do no harm;
    /// other columns, or delete files that may name a replaced file, do.
    async fn current(&self, state: &State) -> Result<Arc<Table>> {
        let planned = &self.rewrite.table;
        let Some(entry) = state.tables.get(planned.name()) else { return Err(self.moved()) };
        let table = self.tables.load(planned.name(), entry).await?;
        let fits = table.table_id() == planned.table_id() && table.columns() == planned.columns();
        if fits { Ok(table) } else { Err(self.moved()) }
    }

    fn moved(&self) -> Error {
        Error::Moved { name: self.rewrite.table.name().clone() }
    }

    /// Lists the new files in place of the old ones, and merges the small manifests on the way.
    async fn list(&self, table: &Table, scribe: &mut Scribe) -> Result<Listed> {
        let (name, read) = (table.name(), table.read());
        let all = read.manifests(name).await?;
        let (deletes, lists): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|manifest| manifest.content == ManifestContentType::Deletes);
        if !deletes.is_empty() && table.entry().metadata != self.rewrite.table.entry().metadata {
            return Err(self.moved());
        }
        let old: HashSet<&str> = self.rewrite.old.iter().map(String::as_str).collect();
        let is_old = |entry: &ManifestEntryRef| {
            self.lake.roots.relative(entry.file_path()).is_some_and(|path| old.contains(path))
        };
        let (mut manifests, mut kept, mut gone) = (deletes, Vec::new(), Vec::new());
        for manifest in lists {
            let entries = read.entries(name, std::slice::from_ref(&manifest)).await?;
            if manifest.manifest_length >= MERGE_BELOW && !entries.iter().any(is_old) {
                manifests.push(manifest);
                continue;
            }
            let (leaving, staying): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_old);
            gone.extend(leaving);
            kept.extend(staying);
        }
        if gone.len() != old.len() {
            return Err(self.moved());
        }
        let new = &self.rewrite.new;
        let personal = table.columns().iter().filter(|column| column.pii.is_some()).map(|column| column.id).collect();
        let describe =
            |file: &NewFile| footer::data_file(file, self.lake.roots.absolute(&file.path), &scribe.schema, &personal);
        let new: Vec<_> = new.iter().map(describe).collect::<tables::Result<_>>()?;
        let (added, removed) = (Sums::of(&new), Sums::of(gone.iter().map(|entry| entry.data_file())));
        if added.records != removed.records {
            return Err(Error::Bug { doing: "rewriting files", source: "the numbers of rows differ".into() });
        }
        manifests.extend(scribe.list_kept(name, &kept).await?);
        manifests.extend(scribe.list_removed(name, &gone).await?);
        manifests.extend(scribe.list_added(new).await?);
        Ok(Listed { manifests, added, removed })
    }

    async fn stage(&mut self, state: &State, table: &Table) -> Result<TablePut> {
        let (shelf, base) = (self.lake.shelf(), &table.read().metadata);
        let mut scribe = Scribe::new(&shelf, base, self.lake.snapshot_id());
        let listed = self.list(table, &mut scribe).await?;
        let before = base.current_snapshot().ok_or_else(|| self.moved())?;
        let snapshot = Snapshot::builder()
            .with_snapshot_id(scribe.snapshot_id)
            .with_parent_snapshot_id(Some(before.snapshot_id()))
            .with_sequence_number(base.next_sequence_number())
            .with_timestamp_ms(state.at.millis().max(base.last_updated_ms()))
            .with_manifest_list(scribe.manifest_list())
            .with_schema_id(base.current_schema_id())
            .with_summary(summary::rewritten(before, state.version, listed.added, listed.removed))
            .build();
        list_manifests(&scribe.io, &snapshot, listed.manifests).await?;
        let location = self.lake.roots.absolute(&table.entry().metadata);
        let builder = base.clone().into_builder(Some(location));
        let builder = metadata_file::leave_out_old(builder, base, &[])?;
        let built = builder.set_branch_snapshot(snapshot, MAIN_BRANCH).and_then(TableMetadataBuilder::build);
        let metadata = built.map_err(Error::bug("adding a snapshot"))?.metadata;
        let (row_count, fingerprint) = (table.row_count(), table.fingerprint());
        self.staging.follow(table, Next { metadata, row_count, fingerprint, files: shelf.take() }).await
    }
}

#[async_trait]
impl Proposal for Rewriting {
    fn subject(&self) -> Subject {
        Subject::Dataset(self.rewrite.table.name().clone())
    }

    fn describe(&self) -> Description {
        let Rewrite { table, old, new, author } = &self.rewrite;
        let message = format!("rewrite {}: {} files become {}", table.name(), old.len(), new.len());
        Description { author: author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        self.staging.begin();
        let table = self.current(state).await?;
        let paths = self.rewrite.new.iter().map(|file| file.path.as_str());
        if !unswept::all(&self.lake.store, state, paths).await? {
            return Err(self.moved());
        }
        Ok(vec![Change::TablePut(self.stage(state, &table).await?)])
    }

    async fn settle(&mut self, outcome: &Result<Settled>) {
        let brought = self.rewrite.new.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        self.staging.end(outcome, brought).await;
    }
}
