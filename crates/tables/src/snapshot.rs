//! Our own Iceberg commit: from a table (or none) and new files to the manifests and the metadata of the next snapshot.

use std::collections::{HashMap, HashSet};

use base::{DatasetName, Timestamp, Version};
use iceberg::io::FileIO;
use iceberg::spec::{
    DEFAULT_SCHEMA_NAME_MAPPING, DataFile, FormatVersion, MAIN_BRANCH, ManifestContentType, ManifestEntryRef,
    ManifestFile, ManifestListWriter, ManifestWriter, ManifestWriterBuilder, MappedField, NameMapping, PartitionSpec,
    SchemaRef, Snapshot, SortOrder, Summary, TableMetadata, TableMetadataBuilder,
};

use crate::column::{Column, fingerprint_of};
use crate::draft::{self, Draft};
use crate::error::{Error, Result};
use crate::footer;
use crate::io::{Shelf, Staged};
use crate::lake::Lake;
use crate::manifests;
use crate::metadata_file;
use crate::pii;
use crate::publication::{Mode, NewFile};
use crate::read_table::ReadTable;
use crate::schema;
use crate::summary::{self, Note, Sums};

/// From how many small manifests on an append merges them.
const MERGE_FROM: usize = 32;
/// Manifests of at least so many bytes are left alone.
pub const MERGE_BELOW: i64 = 8 << 20;
/// New entries take the sequence number of the commit that lists them first.
const INHERITED: i64 = -1;

/// The next snapshot of a table.
#[derive(Debug)]
pub struct Step<'a> {
    /// The lake that the table lies in.
    pub lake: &'a Lake,
    /// The columns, and the place of a new table.
    pub draft: &'a Draft,
    /// The table that the snapshot follows; none when it creates it.
    pub base: Option<Base<'a>>,
    /// The files that it adds.
    pub files: &'a [NewFile],
    /// What is noted of it.
    pub note: &'a Note,
    /// Whether files carry no field ids, so that their columns are found by name.
    pub by_name: bool,
    /// The version that publishes it, and when.
    pub version: Version,
    /// When that is.
    pub at: Timestamp,
}

/// The table that a snapshot follows.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// The table.
    pub table: &'a ReadTable,
    /// Its metadata file, relative to the lake's root.
    pub path: &'a str,
    /// Its rows.
    pub rows: u64,
}

/// A snapshot that is ready to be written and published.
#[derive(Debug)]
pub struct Next {
    /// The table's metadata with it.
    pub metadata: TableMetadata,
    /// The metadata file, relative to the lake's root.
    pub path: String,
    /// The rows of the table with it.
    pub rows: u64,
    /// The fingerprint of the columns.
    pub fingerprint: String,
    /// The files to write first.
    pub files: Vec<Staged>,
}

/// What is the same for all manifests of one snapshot.
pub struct Scribe {
    /// The library's door to the shelf.
    pub io: FileIO,
    directory: String,
    /// The snapshot.
    pub snapshot_id: i64,
    /// The columns of the files.
    pub schema: SchemaRef,
    spec: PartitionSpec,
    /// The columns whose smallest and largest values are not listed.
    personal: HashSet<i32>,
    written: usize,
}

impl Step<'_> {
    /// Works the snapshot out. Nothing is written yet.
    pub async fn take(&self) -> Result<Next> {
        let shelf = self.lake.shelf();
        let (metadata, builder) = self.begin()?;
        let snapshot_id = self.lake.snapshot_id();
        let mut scribe = Scribe::new(&shelf, &metadata, snapshot_id);
        let added = self.describe_files(&scribe.schema)?;
        let added_sums = Sums::of(&added);
        let (mut manifests, removed) = self.earlier(&mut scribe).await?;
        manifests.extend(scribe.list_added(added).await?);
        let manifest_list = scribe.manifest_list();
        let before = metadata.current_snapshot().map(AsRef::as_ref);
        let earliest = self.base.map_or(0, |base| base.table.metadata.last_updated_ms());
        let summary = summary::write(self.note, self.version, before, added_sums, removed);
        let snapshot = Snapshot::builder()
            .with_snapshot_id(snapshot_id)
            .with_parent_snapshot_id(metadata.current_snapshot_id())
            .with_sequence_number(metadata.next_sequence_number())
            .with_timestamp_ms(self.at.millis().max(earliest))
            .with_manifest_list(manifest_list)
            .with_schema_id(metadata.current_schema_id())
            .with_summary(summary)
            .build();
        list_manifests(&scribe.io, &snapshot, manifests).await?;
        let metadata = ending_in(snapshot, builder, &metadata)?;
        self.finish(metadata, self.rows(added_sums), shelf.take())
    }

    /// The rows of the snapshot. Totals of outsiders' snapshots count rows that delete files take away.
    fn rows(&self, added: Sums) -> u64 {
        let kept = match self.note.mode {
            Mode::Replace => 0,
            Mode::Append => self.base.map_or(0, |base| base.rows),
        };
        kept + added.records
    }

    /// The metadata to build on and a builder over it.
    fn begin(&self) -> Result<(TableMetadata, TableMetadataBuilder)> {
        let builder = match self.base {
            Some(base) => self.follow(base)?,
            None => self.create()?,
        };
        // Built once to be read. What is built on stays unbuilt, because building it stamps it with the time.
        let read = |builder: &TableMetadataBuilder| builder.clone().build().map_err(Error::bug("beginning a snapshot"));
        let metadata = read(&builder)?.metadata;
        let mut properties = pii::new_notes(&self.draft.columns, &metadata);
        if self.by_name {
            properties.insert(DEFAULT_SCHEMA_NAME_MAPPING.to_owned(), name_mapping(self.draft)?);
        }
        Ok((metadata, builder.set_properties(properties).map_err(Error::bug("setting properties"))?))
    }

    /// A table before its next snapshot, with the columns that the draft adds.
    fn follow(&self, Base { table, path, .. }: Base<'_>) -> Result<TableMetadataBuilder> {
        let metadata = &table.metadata;
        let location = self.lake.roots.absolute(path);
        let builder = metadata.clone().into_builder(Some(location));
        // Another writer may have added the very same columns by now.
        let missing = &self.draft.columns[table.columns().len()..];
        if missing.is_empty() {
            return Ok(builder);
        }
        let schema = schema::extended(metadata.current_schema(), missing)?;
        builder.add_current_schema(schema).map_err(Error::bug("adding columns"))
    }

    /// A new table before its first snapshot.
    fn create(&self) -> Result<TableMetadataBuilder> {
        let properties = HashMap::from(draft::PROPERTIES.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let builder = TableMetadataBuilder::new(
            schema::iceberg_schema(&self.draft.columns)?,
            PartitionSpec::unpartition_spec(),
            SortOrder::unsorted_order(),
            self.lake.roots.absolute(&self.draft.location),
            FormatVersion::V2,
            properties,
        );
        builder.map(|builder| builder.assign_uuid(self.draft.table_id)).map_err(Error::bug("creating a table"))
    }

    fn describe_files(&self, schema: &SchemaRef) -> Result<Vec<DataFile>> {
        let personal = self.draft.columns.iter().filter(|column| column.pii.is_some());
        let personal: HashSet<i32> = personal.map(|column| column.id).collect();
        let describe = |file: &NewFile| {
            let location = self.lake.roots.absolute(&file.path);
            footer::data_file(file, location, schema, &personal)
        };
        self.files.iter().map(describe).collect()
    }

    /// The manifests that stay, and what goes with those that do not.
    async fn earlier(&self, scribe: &mut Scribe) -> Result<(Vec<ManifestFile>, Sums)> {
        let Some(Base { table: read, .. }) = self.base else { return Ok((Vec::new(), Sums::default())) };
        let name = &self.draft.name;
        let (deletes, manifests): (Vec<_>, Vec<_>) = read
            .manifests(name)
            .await?
            .into_iter()
            .partition(|manifest| manifest.content == ManifestContentType::Deletes);
        match self.note.mode {
            // Without the data files, the delete files of other engines have nothing to delete.
            Mode::Replace => {
                let entries = read.entries(name, &manifests).await?;
                let removed = Sums::of(entries.iter().map(|entry| entry.data_file()));
                Ok((scribe.list_removed(name, &entries).await?, removed))
            }
            Mode::Append => {
                let (small, large): (Vec<_>, Vec<_>) =
                    manifests.into_iter().partition(|manifest| manifest.manifest_length < MERGE_BELOW);
                let small = if small.len() < MERGE_FROM {
                    small
                } else {
                    let entries = read.entries(name, &small).await?;
                    scribe.list_kept(name, &entries).await?
                };
                Ok((deletes.into_iter().chain(large).chain(small).collect(), Sums::default()))
            }
        }
    }

    fn finish(&self, metadata: TableMetadata, rows: u64, mut files: Vec<Staged>) -> Result<Next> {
        let previous = self.base.map(|base| base.path);
        let location = self.base.map_or(self.draft.location.as_str(), |base| base.table.location());
        let path = format!("{location}/metadata/{}", metadata_file::name(previous, self.lake.seams.uuid()));
        files.push((path.clone(), metadata_file::encode(&metadata)?));
        let fingerprint = fingerprint_of(&self.draft.columns);
        Ok(Next { metadata, path, rows, fingerprint, files })
    }
}

impl Scribe {
    /// Whoever writes the manifests of one snapshot of a table.
    pub fn new(shelf: &Shelf, metadata: &TableMetadata, snapshot_id: i64) -> Self {
        Self {
            io: shelf.file_io(),
            directory: format!("{}/metadata", metadata.location()),
            snapshot_id,
            schema: metadata.current_schema().clone(),
            spec: metadata.default_partition_spec().as_ref().clone(),
            personal: pii::noted(metadata).into_iter().filter_map(|(id, kind)| kind.map(|_| id)).collect(),
            written: 0,
        }
    }

    /// The location of the snapshot's manifest list.
    pub fn manifest_list(&self) -> String {
        format!("{}/snap-{}.avro", self.directory, self.snapshot_id)
    }

    /// A manifest of new files; none when there are none.
    pub async fn list_added(&mut self, files: Vec<DataFile>) -> Result<Option<ManifestFile>> {
        if files.is_empty() {
            return Ok(None);
        }
        let mut writer = self.writer()?;
        for file in files {
            writer.add_file(file, INHERITED).map_err(Error::bug("listing a new file"))?;
        }
        close(writer).await.map(Some)
    }

    /// A manifest of files that go.
    pub async fn list_removed(
        &mut self,
        name: &DatasetName,
        entries: &[ManifestEntryRef],
    ) -> Result<Vec<ManifestFile>> {
        self.list(name, entries, |writer, entry, file, numbers| {
            writer.add_delete_file(file, numbers.sequence, entry.file_sequence_number)
        })
        .await
    }

    /// A manifest of files that stay.
    pub async fn list_kept(&mut self, name: &DatasetName, entries: &[ManifestEntryRef]) -> Result<Vec<ManifestFile>> {
        self.list(name, entries, |writer, entry, file, numbers| {
            writer.add_existing_file(file, numbers.snapshot, numbers.sequence, entry.file_sequence_number)
        })
        .await
    }

    async fn list(
        &mut self,
        name: &DatasetName,
        entries: &[ManifestEntryRef],
        add: impl Fn(&mut ManifestWriter, &ManifestEntryRef, DataFile, Numbers) -> iceberg::Result<()>,
    ) -> Result<Vec<ManifestFile>> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut writer = self.writer()?;
        for entry in entries {
            let numbers = Numbers::of(name, entry)?;
            let file = footer::without_bounds(entry.data_file(), &self.personal, self.spec.spec_id())?;
            add(&mut writer, entry, file, numbers).map_err(Error::bug("listing a known file"))?;
        }
        Ok(vec![close(writer).await?])
    }

    fn writer(&mut self) -> Result<ManifestWriter> {
        let location = format!("{}/{}-m{}.avro", self.directory, self.snapshot_id, self.written);
        self.written += 1;
        let output = self.io.new_output(location).map_err(Error::bug("opening a manifest"))?;
        let (schema, spec) = (self.schema.clone(), self.spec.clone());
        Ok(ManifestWriterBuilder::new(output, Some(self.snapshot_id), schema, spec).build_v2_data())
    }
}

/// The numbers under which an entry was first listed.
struct Numbers {
    snapshot: i64,
    sequence: i64,
}

impl Numbers {
    fn of(name: &DatasetName, entry: &ManifestEntryRef) -> Result<Self> {
        let missing = || Error::damaged(format!("a manifest of {name}"), "an entry has no numbers");
        let snapshot = entry.snapshot_id().ok_or_else(missing)?;
        let sequence = entry.sequence_number().ok_or_else(missing)?;
        Ok(Self { snapshot, sequence })
    }
}

/// Ends a manifest. The shelf adds its sum, which its writer does not count.
pub(crate) async fn close(writer: ManifestWriter) -> Result<ManifestFile> {
    let mut written = writer.write_manifest_file().await.map_err(Error::bug("writing a manifest"))?;
    written.manifest_length += i64::try_from(manifests::growth(&written.manifest_path)).unwrap_or_default();
    Ok(written)
}

/// The snapshot that follows what a table's metadata says.
pub(crate) fn following(
    scribe: &Scribe,
    base: &TableMetadata,
    at: Timestamp,
    schema: i32,
    summary: Summary,
) -> Snapshot {
    Snapshot::builder()
        .with_snapshot_id(scribe.snapshot_id)
        .with_parent_snapshot_id(base.current_snapshot_id())
        .with_sequence_number(base.next_sequence_number())
        .with_timestamp_ms(at.millis().max(base.last_updated_ms()))
        .with_manifest_list(scribe.manifest_list())
        .with_schema_id(schema)
        .with_summary(summary)
        .build()
}

/// The metadata that `builder` makes of `base`, with a new current snapshot and without the oldest ones.
pub(crate) fn ending_in(
    snapshot: Snapshot,
    builder: TableMetadataBuilder,
    base: &TableMetadata,
) -> Result<TableMetadata> {
    let builder = metadata_file::leave_out_old(builder, base, &[])?;
    let built = builder.set_branch_snapshot(snapshot, MAIN_BRANCH).and_then(TableMetadataBuilder::build);
    Ok(built.map_err(Error::bug("adding a snapshot"))?.metadata)
}

/// Writes the list of a snapshot's manifests.
pub async fn list_manifests(io: &FileIO, snapshot: &Snapshot, manifests: Vec<ManifestFile>) -> Result<()> {
    let bug = Error::bug("writing a manifest list");
    let output = io.new_output(snapshot.manifest_list()).map_err(&bug)?.writer().await.map_err(&bug)?;
    let (id, parent, sequence) = (snapshot.snapshot_id(), snapshot.parent_snapshot_id(), snapshot.sequence_number());
    let mut writer = ManifestListWriter::v2(output, id, parent, sequence);
    writer.add_manifests(manifests.into_iter()).map_err(&bug)?;
    writer.close().await.map_err(&bug)
}

fn name_mapping(draft: &Draft) -> Result<String> {
    let field = |column: &Column| MappedField::new(Some(column.id), vec![column.name.clone()], Vec::new());
    let mapping = NameMapping::new(draft.columns.iter().map(field).collect());
    serde_json::to_string(&mapping)
        .map_err(|source| Error::Bug { doing: "writing a name mapping", source: Box::new(source) })
}
