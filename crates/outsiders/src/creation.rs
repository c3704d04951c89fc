//! Tables that outsiders create: from a wish, from a metadata file in the lake, or from the changes of a transaction.

use std::collections::HashMap;

use base::{DatasetName, Timestamp};
use iceberg::TableUpdate;
use iceberg::spec::{
    FormatVersion, PartitionSpec, Schema, SortOrder, TableMetadata, TableMetadataBuilder, UnboundPartitionSpec,
};
use serde::Deserialize;
use serde_json::json;
use tables::draft;
use tables::lake::Lake;
use tables::metadata_file;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::rules::{self, refuse, refused};

/// The partition fields of a table without any end here.
const LAST_PARTITION_ID: i32 = 999;

/// A table that an outsider wants.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NewTable {
    /// Its name within the namespace.
    pub name: String,
    /// Whether it is only prepared, to be created by a commit.
    #[serde(default)]
    pub stage_create: bool,
    location: Option<String>,
    schema: Schema,
    partition_spec: Option<UnboundPartitionSpec>,
    write_order: Option<SortOrder>,
    properties: Option<HashMap<String, String>>,
}

/// A metadata file that shall be a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Adoption {
    /// The table's name within the namespace.
    pub name: String,
    metadata_location: String,
    /// Whether it replaces a table of the name.
    #[serde(default)]
    pub overwrite: bool,
}

impl NewTable {
    /// The metadata of the table, with fresh ids.
    pub fn metadata(&self, lake: &Lake, name: &DatasetName, at: Timestamp) -> Result<TableMetadata> {
        let given = self.properties.clone().unwrap_or_default();
        let location = match &self.location {
            Some(given) => rules::expect_location(lake, name, given)?,
            None => lake.roots.absolute(&draft::new_location(name, &lake.seams)),
        };
        let admitted = rules::admit_properties(lake, name, &location, given)?;
        let properties = ours().into_iter().chain(admitted).collect();
        let spec = self.partition_spec.clone().unwrap_or_else(|| PartitionSpec::unpartition_spec().into_unbound());
        let order = self.write_order.clone().unwrap_or_else(SortOrder::unsorted_order);
        let sorted = order.fields.iter().map(|field| field.transform);
        rules::expect_transforms(name, spec.fields().iter().map(|field| field.transform).chain(sorted))?;
        let builder =
            TableMetadataBuilder::new(self.schema.clone(), spec, order, location, FormatVersion::V2, properties);
        let built = builder.map(|builder| builder.assign_uuid(lake.seams.uuid())).and_then(TableMetadataBuilder::build);
        let metadata = built.map_err(refused(name))?.metadata;
        rules::expect_columns(name, metadata.current_schema())?;
        rules::expect_known_columns(name, &HashMap::new(), &metadata)?;
        Ok(metadata_file::stamp(metadata, None, at)?)
    }
}

impl Adoption {
    /// The metadata as it is read from its file.
    pub async fn metadata(&self, lake: &Lake, name: &DatasetName) -> Result<TableMetadata> {
        let bytes = lake.store.get(self.path(lake, name)?).await.map_err(|error| match error {
            storage::Error::NotFound { .. } => refuse(name, "there is no metadata file at this location"),
            error => error.into(),
        })?;
        let metadata = metadata_file::decode(String::new, &bytes);
        let metadata = metadata.map_err(|error| Error::Unacceptable {
            name: name.clone(),
            why: "the file at this location is no table metadata".to_owned(),
            source: Some(Box::new(error)),
        })?;
        if metadata.format_version() != FormatVersion::V2 {
            return Err(refuse(name, rules::ONLY_V2));
        }
        rules::expect_location(lake, name, metadata.location())?;
        rules::expect_columns(name, metadata.current_schema())?;
        Ok(metadata)
    }

    /// The metadata as that of a table of the lake: what it names by now is others', and stays.
    pub fn adopted(&self, lake: &Lake, name: &DatasetName, metadata: &TableMetadata) -> Result<TableMetadata> {
        let location = lake.roots.absolute(self.path(lake, name)?);
        let builder = metadata.clone().into_builder(Some(location));
        let others = metadata_file::all_of_others(metadata);
        let kept = HashMap::from([(draft::GC_ENABLED.to_owned(), "false".to_owned()), others]);
        let built = builder.set_properties(kept).and_then(TableMetadataBuilder::build);
        Ok(built.map_err(refused(name))?.metadata)
    }

    /// The path of the metadata file.
    pub fn path<'a>(&'a self, lake: &Lake, name: &DatasetName) -> Result<&'a str> {
        let path = lake.roots.relative(&self.metadata_location).filter(|path| path.starts_with("tables/"));
        path.ok_or_else(|| refuse(name, "the metadata file does not lie among the tables of the lake"))
    }
}

/// What a table is before the first of the changes that create it: nothing but what they say it shall begin with. Its
/// ids are theirs, as files may have been written under them.
pub(crate) fn begin(lake: &Lake, name: &DatasetName, changes: &[TableUpdate], at: Timestamp) -> Result<TableMetadata> {
    let find = |pick: fn(&TableUpdate) -> bool| changes.iter().find(|change| pick(change));
    let Some(TableUpdate::AddSchema { schema }) = find(|change| matches!(change, TableUpdate::AddSchema { .. })) else {
        return Err(refuse(name, "a table is created with a schema"));
    };
    let spec = match find(|change| matches!(change, TableUpdate::AddSpec { .. })) {
        Some(TableUpdate::AddSpec { spec }) => spec.clone(),
        _ => PartitionSpec::unpartition_spec().into_unbound(),
    };
    let order = match find(|change| matches!(change, TableUpdate::AddSortOrder { .. })) {
        Some(TableUpdate::AddSortOrder { sort_order }) => sort_order.clone(),
        _ => SortOrder::unsorted_order(),
    };
    let location = match find(|change| matches!(change, TableUpdate::SetLocation { .. })) {
        Some(TableUpdate::SetLocation { location }) => rules::expect_location(lake, name, location)?,
        _ => lake.roots.absolute(&draft::new_location(name, &lake.seams)),
    };
    let uuid = match find(|change| matches!(change, TableUpdate::AssignUuid { .. })) {
        Some(TableUpdate::AssignUuid { uuid }) => *uuid,
        _ => lake.seams.uuid(),
    };
    let spec = spec.bind(schema.clone()).map_err(refused(name))?;
    Beginning { schema, spec, order, location, uuid, at }.metadata(name)
}

struct Beginning<'a> {
    schema: &'a Schema,
    spec: PartitionSpec,
    order: SortOrder,
    location: String,
    uuid: Uuid,
    at: Timestamp,
}

impl Beginning<'_> {
    /// The library makes new metadata with new ids only, but reads any that is written.
    fn metadata(self, name: &DatasetName) -> Result<TableMetadata> {
        let last_partition = self.spec.fields().iter().map(|field| field.field_id).max();
        let written = json!({
            "format-version": 2,
            "table-uuid": self.uuid,
            "location": self.location,
            "last-sequence-number": 0,
            "last-updated-ms": self.at.millis(),
            "last-column-id": self.schema.highest_field_id(),
            "current-schema-id": self.schema.schema_id(),
            "schemas": [self.schema],
            "default-spec-id": self.spec.spec_id(),
            "partition-specs": [self.spec],
            "last-partition-id": last_partition.unwrap_or(LAST_PARTITION_ID).max(LAST_PARTITION_ID),
            "default-sort-order-id": self.order.order_id,
            "sort-orders": [self.order],
            "properties": ours(),
        });
        serde_json::from_value(written).map_err(|error| Error::Unacceptable {
            name: name.clone(),
            why: "what the changes begin with is no table".to_owned(),
            source: Some(error.into()),
        })
    }
}

/// The properties that every table has.
fn ours() -> HashMap<String, String> {
    HashMap::from(draft::PROPERTIES.map(|(key, value)| (key.to_owned(), value.to_owned())))
}
