//! Another engine: it loads a table by Iceberg's protocol, writes files and manifests by itself, and commits them to
//! the branch `main` or to one of its own.

use base::{DatasetName, Seams};
use catalog::{Caller, Catalog, Result, Table};
use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, MAIN_BRANCH, Operation, Snapshot, SnapshotReference,
    SnapshotRetention, Struct, Summary, TableMetadata,
};
use iceberg::{TableRequirement, TableUpdate};
use serde_json::{Value, json};
use tables::io::{Roots, write_all};
use tables::lake::Lake;
use tables::metadata_file;
use tables::read_table::ReadTable;
use tables::snapshot::{Scribe, list_manifests};

use crate::deed::{insist, name};
use crate::ledger::Told;
use crate::rows;

/// The branch that engines work on beside `main`.
const BRANCH: &str = "audit";

/// An engine that works on one table.
pub struct Engine<'a> {
    catalog: &'a Catalog,
    lake: Lake,
    table: DatasetName,
    author: &'a str,
    keyed: bool,
}

impl<'a> Engine<'a> {
    /// An engine that commits in the name of `author`, under a key of the same name if it repeats its requests.
    pub fn new(catalog: &'a Catalog, table: &str, author: &'a str, seams: &Seams) -> Self {
        Self { catalog, lake: lake(catalog, seams), table: name(table), author, keyed: false }
    }

    /// The engine, repeating its requests under one key.
    #[must_use]
    pub fn repeating(self, keyed: bool) -> Self {
        Self { keyed, ..self }
    }

    /// Sets a property.
    pub async fn set_property(&self) -> Result<Told> {
        self.commit(json!({"updates": [{"action": "set-properties", "updates": {"by": self.author}}]})).await
    }

    /// Adds a row to `main`, or to the other branch, which begins as what `main` is.
    pub async fn append(&self, row: i64, branch: bool) -> Result<Told> {
        let loaded = self.load().await?;
        let heads = [MAIN_BRANCH, BRANCH].map(|name| head(&loaded, name));
        let (branch, seen) = match (branch, heads[1]) {
            (false, _) => (MAIN_BRANCH, loaded),
            (true, None) => (BRANCH, loaded),
            (true, Some(head)) => (BRANCH, checked_out(loaded, head)),
        };
        // While the branch is yet to begin, `main` must stay what it begins as.
        let required = [(MAIN_BRANCH, heads[0]), (BRANCH, heads[1])];
        let required = required.into_iter().filter(|(name, _)| *name == branch || heads[1].is_none());
        let snapshot = self.write(&seen, row).await?;
        let moved = moved(branch, snapshot.snapshot_id());
        self.commit(body(&seen, required, vec![TableUpdate::AddSnapshot { snapshot }, moved])).await
    }

    /// Makes `main` what the other branch is; refused where there is none.
    pub async fn fast_forward(&self) -> Result<Told> {
        let loaded = self.load().await?;
        let heads = [MAIN_BRANCH, BRANCH].map(|name| head(&loaded, name));
        let Some(target) = heads[1].filter(|target| heads[0] != Some(*target)) else { return Ok(Told::Needless) };
        let required = [(MAIN_BRANCH, heads[0]), (BRANCH, heads[1])];
        self.commit(body(&loaded, required, vec![moved(MAIN_BRANCH, target)])).await
    }

    async fn load(&self) -> Result<TableMetadata> {
        let loaded = self.catalog.load_outside(&self.catalog.pin(None).await?, &self.table).await?;
        let mut loaded = serde_json::to_value(&loaded).expect("a loaded table");
        Ok(serde_json::from_value(loaded["metadata"].take()).expect("its metadata"))
    }

    /// Writes the files of the next snapshot, with one more row than `seen` has.
    async fn write(&self, seen: &TableMetadata, row: i64) -> Result<Snapshot> {
        let shelf = self.lake.shelf();
        let mut scribe = Scribe::new(&shelf, seen, self.lake.snapshot_id());
        let read = ReadTable::new(&self.lake, &self.table, seen.clone())?;
        let mut manifests = read.manifests(&self.table).await?;
        let file = self.write_file(&read, row).await?;
        manifests.extend(scribe.list_added(vec![file]).await?);
        let snapshot = Snapshot::builder()
            .with_snapshot_id(scribe.snapshot_id)
            .with_parent_snapshot_id(seen.current_snapshot_id())
            .with_sequence_number(seen.next_sequence_number())
            .with_timestamp_ms(self.lake.seams.now().millis().max(seen.last_updated_ms()))
            .with_manifest_list(scribe.manifest_list())
            .with_schema_id(seen.current_schema_id())
            .with_summary(Summary { operation: Operation::Append, additional_properties: [].into() })
            .build();
        list_manifests(&scribe.io, &snapshot, manifests).await?;
        write_all(&self.lake.store, shelf.take()).await?;
        Ok(snapshot)
    }

    async fn write_file(&self, read: &ReadTable, row: i64) -> Result<DataFile> {
        let path = format!("{}/data/{}.parquet", read.location(), self.lake.seams.uuid());
        let bytes = rows::payload(row).bytes;
        let file = DataFileBuilder::default()
            .content(DataContentType::Data)
            .file_path(self.lake.roots.absolute(&path))
            .file_format(DataFileFormat::Parquet)
            .partition(Struct::empty())
            .partition_spec_id(read.metadata.default_partition_spec_id())
            .record_count(1)
            .file_size_in_bytes(bytes.len() as u64)
            .build();
        self.lake.store.put(&path, bytes).await?;
        Ok(file.expect("a described file"))
    }

    async fn commit(&self, body: Value) -> Result<Told> {
        if self.keyed { insist(&self.lake.seams, || self.ask(&body)).await } else { self.ask(&body).await }
    }

    async fn ask(&self, body: &Value) -> Result<Told> {
        let changes = serde_json::from_value(body.clone()).expect("changes of a table");
        let idempotency_key = self.keyed.then(|| self.author.to_owned());
        let caller = Caller { author: self.author.to_owned(), idempotency_key, may_take_away: true };
        let table = self.catalog.commit_outside(&self.table, changes, caller).await?;
        Ok(table.version().map_or(Told::Stands, Told::Committed))
    }
}

/// The files of the branch that engines work on, if the table has one.
pub async fn files_of_branch(catalog: &Catalog, table: &Table, seams: &Seams) -> Result<Option<Vec<String>>> {
    let bytes = catalog.store().get(&table.entry().metadata).await?;
    let metadata = metadata_file::decode(|| "metadata".to_owned(), &bytes)?;
    let Some(head) = head(&metadata, BRANCH) else { return Ok(None) };
    let read = ReadTable::new(&lake(catalog, seams), table.name(), checked_out(metadata, head))?;
    Ok(Some(read.files(table.name()).await?.iter().map(|file| file.path.clone()).collect()))
}

fn lake(catalog: &Catalog, seams: &Seams) -> Lake {
    let store = catalog.store().clone();
    let roots = Roots::new(store.uri(), store.uri(), &[]);
    Lake { store, roots, seams: seams.clone() }
}

fn head(metadata: &TableMetadata, branch: &str) -> Option<i64> {
    metadata.snapshot_for_ref(branch).map(|head| head.snapshot_id())
}

/// The table as whoever works on the branch sees it.
fn checked_out(metadata: TableMetadata, head: i64) -> TableMetadata {
    let builder = metadata.into_builder(None).set_ref(MAIN_BRANCH, reference(head));
    builder.and_then(|builder| builder.build()).expect("another main").metadata
}

fn moved(branch: &str, to: i64) -> TableUpdate {
    TableUpdate::SetSnapshotRef { ref_name: branch.to_owned(), reference: reference(to) }
}

fn reference(head: i64) -> SnapshotReference {
    SnapshotReference::new(head, SnapshotRetention::branch(None, None, None))
}

/// A request to change the table if it still is what was seen, and its branches are where they were.
fn body<'a>(
    seen: &TableMetadata,
    branches: impl IntoIterator<Item = (&'a str, Option<i64>)>,
    updates: Vec<TableUpdate>,
) -> Value {
    let required = branches
        .into_iter()
        .map(|(branch, snapshot_id)| TableRequirement::RefSnapshotIdMatch { r#ref: branch.to_owned(), snapshot_id });
    let same = TableRequirement::UuidMatch { uuid: seen.uuid() };
    let requirements: Vec<_> = [same].into_iter().chain(required).collect();
    json!({"requirements": requirements, "updates": updates})
}
