//! Columns as Arrow and Iceberg write them, and back.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use iceberg::spec::{NestedField, PrimitiveType, TableMetadata, Type};
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;

use crate::column::{Column, ColumnType, NewColumn, OtherType};
use crate::error::{Error, Result};
use crate::pii;

#[cfg(test)]
mod tests;

impl ColumnType {
    /// The Arrow type that holds it.
    pub fn arrow(&self) -> Result<DataType> {
        Ok(match self {
            Self::Bool => DataType::Boolean,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            Self::String => DataType::Utf8,
            Self::Other(other) => {
                iceberg::arrow::type_to_arrow_type(&other.0).map_err(Error::bug("mapping a column's type"))?
            }
        })
    }

    /// The type of an Arrow column, when tables can hold it.
    pub fn from_arrow(ty: &DataType) -> Option<Self> {
        let ty = iceberg::arrow::arrow_type_to_type(ty).ok()?;
        let nanoseconds = matches!(ty, Type::Primitive(PrimitiveType::TimestampNs | PrimitiveType::TimestamptzNs));
        (!nanoseconds).then(|| Self::from_iceberg(&ty))
    }

    /// The type of a column as we name it.
    pub fn from_iceberg(ty: &Type) -> Self {
        match ty {
            Type::Primitive(PrimitiveType::Boolean) => Self::Bool,
            Type::Primitive(PrimitiveType::Long) => Self::Int64,
            Type::Primitive(PrimitiveType::Double) => Self::Float64,
            Type::Primitive(PrimitiveType::Date) => Self::Date,
            Type::Primitive(PrimitiveType::Timestamp) => Self::Timestamp,
            Type::Primitive(PrimitiveType::Timestamptz) => Self::TimestampTz,
            Type::Primitive(PrimitiveType::String) => Self::String,
            other => Self::Other(OtherType(Box::new(other.clone()))),
        }
    }

    /// The type as Iceberg names it.
    pub fn iceberg(&self) -> Type {
        let primitive = match self {
            Self::Bool => PrimitiveType::Boolean,
            Self::Int64 => PrimitiveType::Long,
            Self::Float64 => PrimitiveType::Double,
            Self::Date => PrimitiveType::Date,
            Self::Timestamp => PrimitiveType::Timestamp,
            Self::TimestampTz => PrimitiveType::Timestamptz,
            Self::String => PrimitiveType::String,
            Self::Other(other) => return (*other.0).clone(),
        };
        Type::Primitive(primitive)
    }
}

/// The Arrow schema of the columns, each with its id under `PARQUET:field_id`.
pub fn arrow_schema(columns: &[Column]) -> Result<SchemaRef> {
    let field = |column: &Column| {
        let id = HashMap::from([(PARQUET_FIELD_ID_META_KEY.to_owned(), column.id.to_string())]);
        Ok(Field::new(&column.name, column.ty.arrow()?, column.nullable).with_metadata(id))
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// Gives new columns the ids that follow `last`.
pub fn number(columns: &[NewColumn], last: i32) -> Vec<Column> {
    let column = |(id, new): (i32, &NewColumn)| {
        let (name, ty) = (new.name.clone(), new.ty.clone());
        Column { id, name, ty, nullable: true, pii: None }
    };
    (last + 1..).zip(columns).map(column).collect()
}

/// The columns of a table's current schema, in order, with what its properties say of them.
pub fn columns_of(metadata: &TableMetadata) -> Vec<Column> {
    let noted = pii::noted(metadata);
    let column = |field: &Arc<NestedField>| Column { pii: noted.get(&field.id).copied().flatten(), ..column_of(field) };
    metadata.current_schema().as_struct().fields().iter().map(column).collect()
}

/// A column as its field alone describes it.
pub fn column_of(field: &NestedField) -> Column {
    Column {
        id: field.id,
        name: field.name.clone(),
        ty: ColumnType::from_iceberg(&field.field_type),
        nullable: !field.required,
        pii: None,
    }
}

/// The Iceberg schema of the columns; every column is optional, or writers from outside would be refused.
pub fn iceberg_schema(columns: &[Column]) -> Result<iceberg::spec::Schema> {
    let built = iceberg::spec::Schema::builder().with_fields(columns.iter().map(iceberg_field)).build();
    built.map_err(Error::bug("building a schema"))
}

/// A schema with further columns at its end.
pub fn extended(schema: &iceberg::spec::Schema, added: &[Column]) -> Result<iceberg::spec::Schema> {
    let fields = schema.as_struct().fields().iter().cloned().chain(added.iter().map(iceberg_field));
    let builder = iceberg::spec::Schema::builder().with_fields(fields);
    let built = builder.with_identifier_field_ids(schema.identifier_field_ids()).build();
    built.map_err(Error::bug("extending a schema"))
}

fn iceberg_field(column: &Column) -> Arc<NestedField> {
    Arc::new(NestedField::optional(column.id, &column.name, column.ty.iceberg()))
}
