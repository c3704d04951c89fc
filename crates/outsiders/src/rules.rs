//! What a table has to be, whoever changes it.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use base::{DatasetName, Timestamp};
use iceberg::spec::{NameMapping, NestedField, PrimitiveType, Schema, Snapshot, TableMetadata, Transform, Type};
use tables::draft::GC_ENABLED;
use tables::lake::Lake;
use tables::metadata_file::OTHERS_UNTIL;
use tables::{pii, summary};

use crate::error::{Error, Result};

/// Why tables of other formats are refused.
pub(crate) const ONLY_V2: &str = "tables have Iceberg's format version 2 here";
const FORMAT_VERSION: &str = "format-version";
/// Names of columns are no longer, in bytes; what we load has none that are.
const LONGEST_NAME: usize = 1024;
/// More digits than this fit no reader's decimal.
const MOST_DIGITS: u32 = 38;
/// Values of one fixed length are no longer, in bytes.
const LONGEST_FIXED: u64 = 1 << 20;
/// Where engines are told to write by properties.
const WRITE_PATHS: [&str; 4] =
    ["write.data.path", "write.metadata.path", "write.object-storage.path", "write.folder-storage.path"];
/// Ids of columns; Iceberg reserves the higher ones.
const IDS: RangeInclusive<i32> = 1..=2_147_483_446;
/// By how many milliseconds another engine's clock may be ahead: Iceberg bears a minute between one commit and the next.
const AHEAD: i64 = 60_000;
/// How engines find columns in files that have no ids.
const NAME_MAPPING: &str = "schema.name-mapping.default";

/// The refusal of what an outsider asks for.
pub(crate) fn refuse(name: &DatasetName, why: impl Into<String>) -> Error {
    Error::unacceptable(name, why)
}

/// The refusal of what the library finds wrong, in its words; they quote the request only.
pub(crate) fn refused(name: &DatasetName) -> impl Fn(iceberg::Error) -> Error {
    let name = name.clone();
    move |error| Error::Unacceptable {
        name: name.clone(),
        why: error.message().to_owned(),
        source: Some(Box::new(error)),
    }
}

/// The properties that a table at `location` takes over. The format's version is no property of ours, but some clients
/// state it as one.
pub(crate) fn admit_properties(
    lake: &Lake,
    name: &DatasetName,
    location: &str,
    mut given: HashMap<String, String>,
) -> Result<HashMap<String, String>> {
    if given.remove(FORMAT_VERSION).is_some_and(|version| version != "2") {
        return Err(refuse(name, ONLY_V2));
    }
    if given.get(GC_ENABLED).is_some_and(|value| value != "false") {
        return Err(refuse(name, STAYS_FALSE));
    }
    if given.contains_key(OTHERS_UNTIL) {
        return Err(refuse(name, NOTED_HERE));
    }
    for (key, value) in &given {
        if WRITE_PATHS.contains(&key.as_str()) && !is_under(lake, location, &format!("{value}/")) {
            return Err(refuse(name, format!("{key} lies under the table's location; files elsewhere are refused")));
        }
        if key == NAME_MAPPING && serde_json::from_str::<NameMapping>(value).is_err() {
            return Err(refuse(name, format!("{key} is no mapping of names in JSON")));
        }
        pii::expect_property(key, value).map_err(|why| refuse(name, format!("{key}: {why}")))?;
    }
    Ok(given)
}

/// Whether something lies under a table's location, both written as addresses.
pub(crate) fn is_under(lake: &Lake, table: &str, location: &str) -> bool {
    let inside = lake.roots.relative(location).zip(lake.roots.relative(table));
    inside.and_then(|(path, table)| path.strip_prefix(table)).is_some_and(|rest| rest.starts_with('/'))
}

/// Refuses transforms that no value can go through.
pub(crate) fn expect_transforms(name: &DatasetName, transforms: impl IntoIterator<Item = Transform>) -> Result<()> {
    let no_width = |transform: &Transform| matches!(transform, Transform::Bucket(0) | Transform::Truncate(0));
    match transforms.into_iter().find(no_width) {
        Some(transform) => Err(refuse(name, format!("the transform {transform} has no width"))),
        None => Ok(()),
    }
}

/// Why nobody else says whose files are whose.
pub(crate) const NOTED_HERE: &str = "lakehouse.others-until is noted by the lake alone";
/// Why `gc.enabled` cannot change.
pub(crate) const STAYS_FALSE: &str = "gc.enabled stays false: versions of the lake read files that no snapshot names";

/// The location of a new table as we write it, if it lies among the tables of the lake. Whether it is free is decided
/// in the commit.
pub(crate) fn expect_location(lake: &Lake, name: &DatasetName, given: &str) -> Result<String> {
    let path = lake.roots.relative(given.trim_end_matches('/')).filter(|path| is_table(path));
    let outside = || refuse(name, "a table's location lies under `tables/` in the lake; leave it out to be given one");
    path.map(|path| lake.roots.absolute(path)).ok_or_else(outside)
}

fn is_table(path: &str) -> bool {
    path.strip_prefix("tables/").is_some_and(|rest| rest.split('/').all(|part| !part.is_empty() && part != "."))
}

/// Refuses columns that cannot be told apart or have no type here.
pub(crate) fn expect_columns(name: &DatasetName, schema: &Schema) -> Result<()> {
    let mut seen = HashSet::new();
    let fields = schema.as_struct().fields();
    if fields.is_empty() {
        return Err(refuse(name, "a table has columns"));
    }
    match fields.iter().find(|field| field.name.is_empty() || !seen.insert(field.name.to_lowercase())) {
        Some(field) if field.name.is_empty() => return Err(refuse(name, "a column has no name")),
        Some(field) => return Err(refuse(name, format!("column {:?} is there twice", field.name))),
        None => {}
    }
    let mut nested = schema.field_id_to_fields().values();
    nested.find_map(|field| flaw(field)).map_or(Ok(()), |flaw| Err(refuse(name, flaw)))
}

/// Why a column cannot be held, if so.
fn flaw(field: &NestedField) -> Option<String> {
    if field.name.len() > LONGEST_NAME {
        let beginning: String = field.name.chars().take(16).collect();
        return Some(format!("the name of column {beginning:?}… is longer than {LONGEST_NAME} bytes"));
    }
    let Type::Primitive(ty) = field.field_type.as_ref() else { return None };
    let why = match ty {
        PrimitiveType::TimestampNs | PrimitiveType::TimestamptzNs => {
            "nanoseconds belong to format version 3".to_owned()
        }
        PrimitiveType::Decimal { precision, scale } if !(1..=MOST_DIGITS).contains(precision) || scale > precision => {
            format!("{ty} has more digits after the point than in all, or not 1 to {MOST_DIGITS} in all")
        }
        PrimitiveType::Fixed(length) if !(1..=LONGEST_FIXED).contains(length) => {
            format!("{ty} is not 1 to {LONGEST_FIXED} bytes long")
        }
        _ => return None,
    };
    Some(format!("column {:?}: {why}", field.name))
}

/// Refuses a snapshot after which the table could take no other: of a later time than ours will be, or with the last
/// number there is.
pub(crate) fn expect_sound(name: &DatasetName, snapshot: &Snapshot, at: Timestamp) -> Result<()> {
    if snapshot.timestamp_ms() > at.millis().saturating_add(AHEAD) {
        return Err(refuse(name, "a snapshot's time is more than a minute ahead of this lake's clock"));
    }
    if snapshot.sequence_number() > i64::MAX / 2 {
        return Err(refuse(
            name,
            format!("sequence number {} leaves none for what follows", snapshot.sequence_number()),
        ));
    }
    Ok(())
}

/// Refuses a snapshot that states another number of rows than its files hold. What an engine carries on from totals that
/// were stated before is wrong only where those were. The first of `counted` is what the files hold.
pub(crate) fn expect_total(name: &DatasetName, snapshot: &Snapshot, counted: [u64; 2]) -> Result<()> {
    match summary::stated_total(snapshot.summary()) {
        Some(stated) if !stated.parse().is_ok_and(|stated| counted.contains(&stated)) => {
            let (id, stated) = (snapshot.snapshot_id(), stated.chars().take(40).collect::<String>());
            let why = format!("snapshot {id} states {stated:?} as total-records, and its files hold {}", counted[0]);
            Err(refuse(name, why))
        }
        _ => Ok(()),
    }
}

/// Refuses a snapshot that was written under a schema which the table does not have.
pub(crate) fn expect_schema(name: &DatasetName, snapshot: &Snapshot, table: &TableMetadata) -> Result<()> {
    match snapshot.schema_id().filter(|id| table.schema_by_id(*id).is_none()) {
        Some(id) => {
            Err(refuse(name, format!("snapshot {} has the schema {id}, which the table lacks", snapshot.snapshot_id())))
        }
        None => Ok(()),
    }
}

/// Refuses a schema under which files of the old one would read wrongly.
pub(crate) fn expect_evolution(name: &DatasetName, old: &TableMetadata, new: &Schema) -> Result<()> {
    let was_there = |id: i32| old.schemas_iter().any(|schema| schema.field_by_id(id).is_some());
    let parents = parents(new);
    // What is new within what is new itself has rows to come only.
    let is_old = |id: i32| parents.get(&id).is_none_or(|parent| was_there(*parent));
    for (id, field) in new.field_id_to_fields() {
        let known = old.current_schema().field_by_id(*id);
        let once = || old.schemas_iter().find_map(|schema| schema.field_by_id(*id));
        match known.or_else(once) {
            Some(known) => expect_promotion(name, known, field)?,
            None if !IDS.contains(id) => {
                return Err(refuse(
                    name,
                    format!("column {:?} has the id {id}, which is none or reserved", field.name),
                ));
            }
            None if *id <= old.last_column_id() => {
                return Err(refuse(name, format!("column {:?} has an id that was given out before", field.name)));
            }
            None if field.required && is_old(*id) => {
                return Err(refuse(name, format!("column {:?} is new and must be optional", field.name)));
            }
            None => {}
        }
    }
    Ok(())
}

/// The field that each nested one lies in, by their ids.
fn parents(schema: &Schema) -> HashMap<i32, i32> {
    let within = |outer: &NestedField| match outer.field_type.as_ref() {
        Type::Struct(inner) => inner.fields().iter().map(|inner| (inner.id, outer.id)).collect(),
        Type::List(list) => vec![(list.element_field.id, outer.id)],
        Type::Map(map) => vec![(map.key_field.id, outer.id), (map.value_field.id, outer.id)],
        Type::Primitive(_) => Vec::new(),
    };
    schema.field_id_to_fields().values().flat_map(|outer| within(outer)).collect()
}

/// Refuses new notes, besides those `known`, on columns that there never were.
pub(crate) fn expect_known_columns(
    name: &DatasetName,
    known: &HashMap<String, String>,
    next: &TableMetadata,
) -> Result<()> {
    let noted = next.properties().iter().filter(|(key, value)| known.get(*key) != Some(*value));
    let mut columns = noted.filter_map(|(key, _)| Some((key, pii::column_of(key)?)));
    match columns.find(|(_, id)| next.schemas_iter().all(|schema| schema.field_by_id(*id).is_none())) {
        Some((key, id)) => Err(refuse(name, format!("{key}: there is no column with the id {id}"))),
        None => Ok(()),
    }
}

fn expect_promotion(name: &DatasetName, old: &NestedField, new: &NestedField) -> Result<()> {
    if new.required && !old.required {
        return Err(refuse(name, format!("column {:?} may hold nulls and cannot be required now", new.name)));
    }
    if can_become(&old.field_type, &new.field_type) {
        return Ok(());
    }
    let (column, from, to) = (&new.name, &old.field_type, &new.field_type);
    Err(refuse(name, format!("column {column:?} is {from} and cannot become {to}")))
}

/// Iceberg's promotions. What is nested is compared field by field, under its own ids.
fn can_become(old: &Type, new: &Type) -> bool {
    match (old, new) {
        (Type::Primitive(old), Type::Primitive(new)) => match (old, new) {
            (PrimitiveType::Int, PrimitiveType::Long) | (PrimitiveType::Float, PrimitiveType::Double) => true,
            (
                PrimitiveType::Decimal { precision: old_precision, scale: old_scale },
                PrimitiveType::Decimal { precision, scale },
            ) => old_scale == scale && old_precision <= precision,
            _ => old == new,
        },
        (Type::Struct(_), Type::Struct(_)) | (Type::List(_), Type::List(_)) | (Type::Map(_), Type::Map(_)) => true,
        _ => false,
    }
}
