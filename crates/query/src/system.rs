//! `information_schema`, made from the pin, and what DESCRIBE answers. A table that cannot be read is listed without columns; it never hides
//! the others.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use catalog::{Catalog, Pin};
use datafusion::catalog::{MemTable, TableProvider};

use crate::error::{Error, Result};
use crate::provider::exposed_type;
use crate::types::sql_name;

/// The one catalog that SQL knows.
pub(crate) const CATALOG: &str = "lakehouse";
/// The schema of these tables.
pub(crate) const SYSTEM_SCHEMA: &str = "information_schema";

/// One of the system's tables; none for another name.
pub(crate) async fn table(catalog: &Catalog, pin: &Pin, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
    let batch = match name {
        "schemata" => schemata(pin)?,
        "tables" => tables(pin)?,
        "columns" => columns(catalog, pin).await?,
        _ => return Ok(None),
    };
    held(batch).map(Some)
}

/// What DESCRIBE answers for a query with these columns: their names, and their types in SQL.
pub(crate) fn description(names: &[String], types: &SchemaRef) -> Result<Arc<dyn TableProvider>> {
    let types: Vec<String> = types.fields().iter().map(|field| sql_name(field.data_type())).collect();
    held(texts(&[
        ("column_name", names.iter().map(String::as_str).collect()),
        ("data_type", types.iter().map(String::as_str).collect()),
        ("is_nullable", vec!["YES"; names.len()]),
    ])?)
}

fn held(rows: RecordBatch) -> Result<Arc<dyn TableProvider>> {
    let table = MemTable::try_new(rows.schema(), vec![vec![rows]]).map_err(broken)?;
    Ok(Arc::new(table))
}

fn schemata(pin: &Pin) -> Result<RecordBatch> {
    let mut names: Vec<&str> = pin.namespaces().collect();
    names.push(SYSTEM_SCHEMA);
    texts(&[("catalog_name", vec![CATALOG; names.len()]), ("schema_name", names)])
}

fn tables(pin: &Pin) -> Result<RecordBatch> {
    let mut rows: Vec<[&str; 3]> = pin.names().map(|name| [name.namespace(), name.table(), "BASE TABLE"]).collect();
    rows.extend(["columns", "schemata", "tables"].map(|name| [SYSTEM_SCHEMA, name, "VIEW"]));
    texts(&[
        ("table_catalog", vec![CATALOG; rows.len()]),
        ("table_schema", rows.iter().map(|row| row[0]).collect()),
        ("table_name", rows.iter().map(|row| row[1]).collect()),
        ("table_type", rows.iter().map(|row| row[2]).collect()),
    ])
}

/// One column of one table.
struct Line {
    schema: String,
    table: String,
    column: String,
    position: i64,
    ty: String,
    nullable: &'static str,
}

async fn columns(catalog: &Catalog, pin: &Pin) -> Result<RecordBatch> {
    let mut lines = Vec::new();
    for name in pin.names() {
        let read = async {
            let table = catalog.table(pin, name).await?;
            Ok::<_, catalog::Error>((table.arrow_schema()?, table))
        };
        let (schema, table) = match read.await {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(table = %name, error = %error, "a table's columns cannot be read; the others are listed");
                continue;
            }
        };
        let columns = table.columns().iter().zip(schema.fields());
        lines.extend((1..).zip(columns).map(|(position, (column, field))| Line {
            schema: name.namespace().to_owned(),
            table: name.table().to_owned(),
            column: column.name.clone(),
            position,
            ty: sql_name(&exposed_type(column, field.data_type())),
            nullable: if column.nullable { "YES" } else { "NO" },
        }));
    }
    let named = texts(&[
        ("table_catalog", vec![CATALOG; lines.len()]),
        ("table_schema", lines.iter().map(|line| line.schema.as_str()).collect()),
        ("table_name", lines.iter().map(|line| line.table.as_str()).collect()),
        ("column_name", lines.iter().map(|line| line.column.as_str()).collect()),
        ("data_type", lines.iter().map(|line| line.ty.as_str()).collect()),
        ("is_nullable", lines.iter().map(|line| line.nullable).collect()),
    ])?;
    let positions: ArrayRef = Arc::new(lines.iter().map(|line| line.position).collect::<Int64Array>());
    with_positions(&named, positions)
}

fn with_positions(named: &RecordBatch, positions: ArrayRef) -> Result<RecordBatch> {
    let mut fields: Vec<Field> = named.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new("ordinal_position", DataType::Int64, false));
    let mut arrays = named.columns().to_vec();
    arrays.push(positions);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(broken)
}

fn texts(columns: &[(&str, Vec<&str>)]) -> Result<RecordBatch> {
    let fields: Vec<Field> = columns.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, false)).collect();
    let arrays = columns.iter().map(|(_, values)| Arc::new(StringArray::from(values.clone())) as ArrayRef);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays.collect()).map_err(broken)
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unreadable(Box::new(error))
}
