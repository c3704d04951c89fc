//! The changes of one table: what they require, and the metadata that they lead to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use base::{DatasetName, NameError, Timestamp, Version};
use iceberg::spec::{FormatVersion, MAIN_BRANCH, Snapshot, SnapshotReference, TableMetadata, TableMetadataBuilder};
use iceberg::{TableRequirement, TableUpdate};
use serde::Deserialize;
use tables::draft::GC_ENABLED;
use tables::lake::Lake;
use tables::metadata_file::{self, OTHERS_UNTIL};
use tables::summary::{self, Counted, Sums};

use crate::creation;
use crate::error::{Error, Result};
use crate::inspect::{ALLOW_DELETES, Found, Inspector};
use crate::rules::{self, refuse, refused};

/// Changes of one table, and what must hold for them.
#[derive(Debug, Clone, Deserialize)]
pub struct TableChanges {
    #[serde(default)]
    identifier: Option<Identifier>,
    #[serde(default)]
    requirements: Vec<TableRequirement>,
    #[serde(default)]
    updates: Vec<TableUpdate>,
}

/// The changes of many tables.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Transaction {
    /// Those of each table.
    pub table_changes: Vec<TableChanges>,
}

/// A table's name as the protocol writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Identifier {
    /// The parts of its namespace.
    pub namespace: Vec<String>,
    /// Its name in there.
    pub name: String,
}

impl Identifier {
    /// The dataset's name. Namespaces have one level here.
    pub fn dataset(&self) -> Result<DatasetName, NameError> {
        DatasetName::new(&self.namespace.join("."), &self.name)
    }
}

/// What changes are applied to, and when.
pub struct Ground<'a> {
    /// The lake that the table lies in.
    pub lake: &'a Lake,
    /// The table's name.
    pub name: &'a DatasetName,
    /// The table; none when the changes create it.
    pub base: Option<&'a TableMetadata>,
    /// The table, or what it begins with.
    pub begun: &'a TableMetadata,
    /// What was found of the snapshots that the changes add.
    pub found: &'a HashMap<i64, Found>,
    /// Whether whoever asks may take away what everybody reads.
    pub may_take_away: bool,
    /// The version that publishes them.
    pub version: Version,
    /// When it does.
    pub at: Timestamp,
}

impl TableChanges {
    /// The table, which changes state where they stand beside those of others.
    pub fn dataset(&self) -> Result<DatasetName, NameError> {
        self.identifier.as_ref().map_or_else(|| "".parse(), Identifier::dataset)
    }

    /// Refuses changes that say they are of another table.
    pub fn expect_of(&self, name: &DatasetName) -> Result<()> {
        match &self.identifier {
            Some(stated) if stated.dataset().ok().as_ref() != Some(name) => {
                Err(refuse(name, "the identifier in the body names another table than the path"))
            }
            _ => Ok(()),
        }
    }

    /// Whether they require that there is no such table yet.
    pub fn creates(&self) -> bool {
        self.requirements.contains(&TableRequirement::NotExist)
    }

    /// Whether they change nothing.
    pub fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    /// Refuses a table of which a requirement does not hold.
    pub fn expect(&self, name: &DatasetName, base: &TableMetadata) -> Result<()> {
        self.requirements.iter().try_for_each(|requirement| {
            let failed = requirement.check(Some(base)).err();
            failed.map_or(Ok(()), |failed| Err(unmet(name, failed.message())))
        })
    }

    /// The table that the changes apply to, or what it begins with.
    pub fn begin(
        &self,
        lake: &Lake,
        name: &DatasetName,
        base: Option<&TableMetadata>,
        at: Timestamp,
    ) -> Result<TableMetadata> {
        base.map_or_else(|| creation::begin(lake, name, &self.updates, at), |base| Ok(base.clone()))
    }

    /// The snapshots that the changes add.
    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.updates.iter().filter_map(|update| match update {
            TableUpdate::AddSnapshot { snapshot } => Some(snapshot),
            _ => None,
        })
    }

    /// Looks at the snapshots that the changes add to the table, where `found` does not have them yet.
    pub async fn look(
        &self,
        inspector: &Inspector<'_>,
        begun: &TableMetadata,
        found: &mut HashMap<i64, Found>,
    ) -> Result<()> {
        for snapshot in self.snapshots() {
            if let Entry::Vacant(unknown) = found.entry(snapshot.snapshot_id()) {
                unknown.insert(inspector.inspect(snapshot, &self.earlier(snapshot, begun)).await?);
            }
        }
        Ok(())
    }

    /// The snapshots whose files a new one may keep: its parent, which the changes may add too, and the current one.
    fn earlier<'a>(&'a self, new: &Snapshot, begun: &'a TableMetadata) -> Vec<&'a Snapshot> {
        let parent = new.parent_snapshot_id();
        let added = self.snapshots().take_while(|added| added.snapshot_id() != new.snapshot_id());
        let added = added.filter(|added| parent == Some(added.snapshot_id()));
        let known = parent.and_then(|parent| begun.snapshot_by_id(parent)).into_iter().chain(begun.current_snapshot());
        let mut earlier: Vec<_> = added.chain(known.map(AsRef::as_ref)).collect();
        earlier.dedup_by_key(|snapshot| snapshot.snapshot_id());
        earlier
    }

    /// Whether the table lets other engines commit delete files, before the changes or by them.
    pub fn allows_deletes(&self, begun: &TableMetadata) -> bool {
        let is_set =
            |properties: &HashMap<String, String>| properties.get(ALLOW_DELETES).is_some_and(|set| set == "true");
        is_set(begun.properties())
            || self.updates.iter().any(|update| match update {
                TableUpdate::SetProperties { updates } => is_set(updates),
                _ => false,
            })
    }

    /// The table's next metadata. `location` is where its metadata lies now, if it has any.
    pub fn apply(&self, ground: &Ground<'_>, location: Option<String>) -> Result<TableMetadata> {
        let mut builder = ground.begun.clone().into_builder(location);
        if self.snapshots().next().is_some() {
            builder = metadata_file::leave_out_old(builder, ground.begun, &self.mentioned())?;
        }
        let mut applying = Applying::new(ground);
        for update in &self.updates {
            builder = applying.apply(builder, update)?;
        }
        let metadata = builder.build().map_err(refused(ground.name))?.metadata;
        self.expect_whole(ground, &metadata)?;
        Ok(metadata_file::stamp(metadata, ground.base, ground.at)?)
    }

    /// The snapshots that the changes speak of.
    fn mentioned(&self) -> Vec<i64> {
        let parents = self.snapshots().filter_map(Snapshot::parent_snapshot_id);
        let referenced = self.updates.iter().filter_map(|update| match update {
            TableUpdate::SetSnapshotRef { reference, .. } => Some(reference.snapshot_id),
            _ => None,
        });
        parents.chain(referenced).collect()
    }

    /// Rows that a new snapshot leaves out are replaced, as a load can. The main branch without a snapshot, or at an
    /// earlier one, or at one aside, is what rollbacks and drops do.
    fn expect_nothing_taken_away(&self, ground: &Ground<'_>, base: &TableMetadata, next: &TableMetadata) -> Result<()> {
        let (before, after) = (base.current_snapshot_id(), next.current_snapshot_id());
        let is_new = |id: i64| self.snapshots().any(|snapshot| snapshot.snapshot_id() == id);
        let is_kept = before.is_none_or(|before| comes_after(base, after, before));
        if ground.may_take_away || is_kept || after.is_some_and(is_new) {
            return Ok(());
        }
        let what = if after.is_some() { "moves the table to a snapshot aside or before" } else { "empties the table" };
        Err(Error::TakesAway { name: ground.name.clone(), what })
    }

    fn expect_whole(&self, ground: &Ground<'_>, metadata: &TableMetadata) -> Result<()> {
        if let Some(base) = ground.base {
            rules::expect_evolution(ground.name, base, metadata.current_schema())?;
            self.expect_nothing_taken_away(ground, base, metadata)?;
        }
        rules::expect_known_columns(ground.name, ground.begun.properties(), metadata)?;
        self.snapshots().try_for_each(|snapshot| rules::expect_schema(ground.name, snapshot, metadata))?;
        let found = self.snapshots().filter_map(|snapshot| ground.found.get(&snapshot.snapshot_id()));
        let mut specs = found.flat_map(|found| &found.specs);
        match specs.find(|id| metadata.partition_spec_by_id(**id).is_none()) {
            Some(id) => {
                Err(refuse(ground.name, format!("a manifest has the partition spec {id}, which the table lacks")))
            }
            None => Ok(()),
        }
    }
}

/// Changes being applied one by one.
struct Applying<'a> {
    ground: &'a Ground<'a>,
    /// The last sequence number so far.
    sequence: i64,
    /// Branches that the changes have moved, and tags.
    heads: HashMap<String, Option<i64>>,
    /// The snapshots added so far, with the totals after each and its parent.
    added: HashMap<i64, (Sums, Option<i64>)>,
}

impl<'a> Applying<'a> {
    fn new(ground: &'a Ground<'a>) -> Self {
        let (heads, added) = (HashMap::new(), HashMap::new());
        Self { ground, sequence: ground.begun.last_sequence_number(), heads, added }
    }

    fn apply(&mut self, builder: TableMetadataBuilder, update: &TableUpdate) -> Result<TableMetadataBuilder> {
        let name = self.ground.name;
        match update {
            TableUpdate::UpgradeFormatVersion { format_version: FormatVersion::V2 } => return Ok(builder),
            TableUpdate::UpgradeFormatVersion { .. } => return Err(refuse(name, rules::ONLY_V2)),
            TableUpdate::AssignUuid { uuid } if *uuid != self.ground.begun.uuid() => {
                return Err(refuse(name, "a table keeps its uuid"));
            }
            TableUpdate::SetLocation { location } => return self.stay(builder, location),
            TableUpdate::SetProperties { updates } => {
                let Ground { lake, begun, .. } = self.ground;
                let admitted = rules::admit_properties(lake, name, begun.location(), updates.clone())?;
                return builder.set_properties(admitted).map_err(refused(name));
            }
            TableUpdate::RemoveProperties { removals } if removals.iter().any(|key| key == GC_ENABLED) => {
                return Err(refuse(name, rules::STAYS_FALSE));
            }
            TableUpdate::RemoveProperties { removals } if removals.iter().any(|key| key == OTHERS_UNTIL) => {
                return Err(refuse(name, rules::NOTED_HERE));
            }
            TableUpdate::AddSchema { schema } => rules::expect_columns(name, schema)?,
            TableUpdate::AddSpec { spec } => {
                rules::expect_transforms(name, spec.fields().iter().map(|field| field.transform))?;
            }
            TableUpdate::AddSortOrder { sort_order } => {
                rules::expect_transforms(name, sort_order.fields.iter().map(|field| field.transform))?;
            }
            TableUpdate::AddSnapshot { snapshot } => return self.add_snapshot(builder, snapshot),
            TableUpdate::SetSnapshotRef { ref_name, reference } => self.move_ref(ref_name, reference)?,
            TableUpdate::RemoveSnapshotRef { ref_name } => drop(self.heads.insert(ref_name.clone(), None)),
            TableUpdate::RemoveSnapshots { snapshot_ids } => {
                return Ok(metadata_file::leave_out(builder, self.ground.begun, snapshot_ids)?);
            }
            TableUpdate::SetStatistics { statistics } => self.expect_inside(&statistics.statistics_path)?,
            TableUpdate::SetPartitionStatistics { partition_statistics } => {
                self.expect_inside(&partition_statistics.statistics_path)?;
            }
            TableUpdate::AddEncryptionKey { .. } | TableUpdate::RemoveEncryptionKey { .. } => {
                return Err(refuse(name, rules::ONLY_V2));
            }
            _ => {}
        }
        update.clone().apply(builder).map_err(refused(name))
    }

    /// A table keeps its location, however that is written.
    fn stay(&self, builder: TableMetadataBuilder, location: &str) -> Result<TableMetadataBuilder> {
        let path = |location: &str| self.ground.lake.roots.relative(location.trim_end_matches('/')).map(str::to_owned);
        if path(location) == path(self.ground.begun.location()) {
            return Ok(builder);
        }
        Err(refuse(self.ground.name, "a table keeps its location"))
    }

    fn expect_inside(&self, location: &str) -> Result<()> {
        if rules::is_under(self.ground.lake, self.ground.begun.location(), location) {
            return Ok(());
        }
        Err(refuse(self.ground.name, "a statistics file does not lie under the table's location"))
    }

    fn add_snapshot(&mut self, builder: TableMetadataBuilder, snapshot: &Snapshot) -> Result<TableMetadataBuilder> {
        let (name, sequence) = (self.ground.name, snapshot.sequence_number());
        if sequence <= self.sequence {
            return Err(unmet(
                name,
                &format!("sequence number {sequence} is taken; the table is at {}", self.sequence),
            ));
        }
        let parent = snapshot.parent_snapshot_id();
        let is_known = |id: &i64| self.added.contains_key(id) || self.ground.begun.snapshot_by_id(*id).is_some();
        // So parents never go round.
        if parent.is_some_and(|id| !is_known(&id) && self.ground.found.contains_key(&id)) {
            return Err(refuse(name, "a snapshot comes before its parent, or is its own"));
        }
        rules::expect_sound(name, snapshot, self.ground.at)?;
        let missing = || tables::Error::Bug { doing: "committing a snapshot", source: "it was not looked at".into() };
        let found = self.ground.found.get(&snapshot.snapshot_id()).ok_or_else(missing)?;
        let before = parent.map_or_else(Sums::default, |parent| self.totals(parent));
        let carried = before.change(found.added, found.removed);
        rules::expect_total(name, snapshot, [found.living.records, carried.records])?;
        let totals = Sums { size: carried.size, ..found.living };
        let rows = (parent.map_or(0, |parent| self.rows(parent)), found.rows());
        let counted = Counted { totals, deletes: found.deletes, rows, added: found.added.records };
        let summary = summary::of_outsider(snapshot.summary(), self.ground.version, counted);
        self.sequence = sequence;
        self.added.insert(snapshot.snapshot_id(), (totals, parent));
        builder.add_snapshot(with_summary(snapshot, summary)).map_err(refused(name))
    }

    fn rows(&self, snapshot: i64) -> u64 {
        let known = || self.ground.begun.snapshot_by_id(snapshot).map(|snapshot| summary::rows(snapshot));
        self.ground.found.get(&snapshot).map(Found::rows).or_else(known).unwrap_or_default()
    }

    fn totals(&self, snapshot: i64) -> Sums {
        let known = || self.ground.begun.snapshot_by_id(snapshot).map(|snapshot| Sums::totals(snapshot));
        self.added.get(&snapshot).map(|(totals, _)| *totals).or_else(known).unwrap_or_default()
    }

    /// A new snapshot must follow what its branch holds, or it would undo what others committed in between.
    fn move_ref(&mut self, ref_name: &str, reference: &SnapshotReference) -> Result<()> {
        if ref_name.is_empty() {
            return Err(refuse(self.ground.name, "a branch or a tag has no name"));
        }
        if ref_name == MAIN_BRANCH && !reference.is_branch() {
            return Err(refuse(self.ground.name, "main is a branch and cannot become a tag"));
        }
        let head = match self.heads.get(ref_name) {
            Some(moved) => *moved,
            None => self.ground.begun.snapshot_for_ref(ref_name).map(|snapshot| snapshot.snapshot_id()),
        };
        let is_new = self.added.contains_key(&reference.snapshot_id);
        if reference.is_branch() && is_new && head.is_some() && !self.follows(reference.snapshot_id, head) {
            let why = format!("the new snapshot does not follow the one that {ref_name:?} is at");
            return Err(unmet(self.ground.name, &why));
        }
        self.heads.insert(ref_name.to_owned(), Some(reference.snapshot_id));
        Ok(())
    }

    /// Whether a snapshot is `head`, or comes after it by way of others that the changes add.
    fn follows(&self, snapshot: i64, head: Option<i64>) -> bool {
        let parent = |id: &i64| self.added.get(id).and_then(|(_, parent)| *parent);
        std::iter::successors(Some(snapshot), parent).any(|id| Some(id) == head)
    }
}

/// Whether a snapshot of a table is `earlier`, or follows from it.
fn comes_after(table: &TableMetadata, snapshot: Option<i64>, earlier: i64) -> bool {
    let parent = |id: &i64| table.snapshot_by_id(*id).and_then(|snapshot| snapshot.parent_snapshot_id());
    // Parents are followed no further than there are snapshots, should they ever go round.
    std::iter::successors(snapshot, parent).take(table.snapshots().len()).any(|id| id == earlier)
}

/// The refusal of changes that were made for another state of the table.
fn unmet(name: &DatasetName, why: &str) -> Error {
    let why = why.trim_start_matches("Requirement failed: ").to_owned();
    Error::RequirementFailed { name: name.clone(), why }
}

fn with_summary(snapshot: &Snapshot, summary: iceberg::spec::Summary) -> Snapshot {
    let builder = Snapshot::builder()
        .with_snapshot_id(snapshot.snapshot_id())
        .with_parent_snapshot_id(snapshot.parent_snapshot_id())
        .with_sequence_number(snapshot.sequence_number())
        .with_timestamp_ms(snapshot.timestamp_ms())
        .with_manifest_list(snapshot.manifest_list())
        .with_summary(summary);
    match snapshot.schema_id() {
        Some(schema) => builder.with_schema_id(schema).build(),
        None => builder.build(),
    }
}
