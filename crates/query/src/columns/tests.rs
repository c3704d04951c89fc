//! Columns are located by id, by name mapping without ids, and are null where a file lacks them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr_adapter::PhysicalExprAdapterFactory;
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;

use super::ColumnsById;

fn field(name: &str, ty: DataType, id: Option<i32>) -> Field {
    let metadata = id.map(|id| (PARQUET_FIELD_ID_META_KEY.to_owned(), id.to_string()));
    Field::new(name, ty, true).with_metadata(metadata.into_iter().collect())
}

fn schema(fields: Vec<Field>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}

/// The table's columns `id`, `name` and `city` are fields 1, 2 and 3; files spell them `Id`, `Name`, `City`.
fn check(file: Vec<Field>, column: &str, expected: &str) {
    let table = schema(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("name", DataType::Utf8View, true),
        Field::new("city", DataType::Utf8View, true),
    ]);
    let names: HashMap<String, i32> = [("Id", 1), ("Name", 2), ("City", 3)].map(|(n, id)| (n.to_owned(), id)).into();
    let factory = ColumnsById::new(vec![1, 2, 3], names);
    let adapter = factory.create(Arc::clone(&table), schema(file)).unwrap();
    let expr = adapter.rewrite(Arc::new(Column::new_with_schema(column, &table).unwrap())).unwrap();
    assert_eq!(expr.to_string(), expected);
}

#[test]
fn ids_decide_even_against_names() {
    let file = || {
        vec![
            field("name", DataType::Int64, Some(1)),
            field("id", DataType::Utf8View, Some(2)),
            field("City", DataType::Utf8View, Some(9)),
        ]
    };
    check(file(), "id", "name@0");
    check(file(), "name", "id@1");
    check(file(), "city", "NULL");
}

#[test]
fn without_ids_the_name_mapping_decides() {
    let file = || vec![field("Name", DataType::Utf8View, None), field("Id", DataType::Int64, None)];
    check(file(), "id", "Id@1");
    check(file(), "name", "Name@0");
    check(file(), "city", "NULL");
}

#[test]
fn narrower_types_are_widened() {
    check(vec![field("Id", DataType::Int32, Some(1))], "id", "CAST(Id@0 AS Int64)");
}
