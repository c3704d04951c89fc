//! Columns, their types, and the fingerprint that two schemas share exactly when they are the same.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use iceberg::spec::{NestedField, PrimitiveType, Type};
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// A 64-bit integer.
    Int64,
    /// A 64-bit float.
    Float64,
    /// A calendar day.
    Date,
    /// A wall-clock time in microseconds, without zone.
    Timestamp,
    /// A moment in microseconds, stored in UTC.
    TimestampTz,
    /// UTF-8 text.
    String,
    /// A type that outsiders or registered files brought along.
    Other(OtherType),
}

/// A type beyond the seven that ingest writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherType(Box<Type>);

/// A column of a table, resolved by its id, never by name or position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The Iceberg field id.
    pub id: i32,
    /// The name exactly as written.
    pub name: String,
    /// The type.
    pub ty: ColumnType,
    /// Whether values may be missing.
    pub nullable: bool,
}

/// A column that has no id yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewColumn {
    /// The name exactly as written.
    pub name: String,
    /// The type.
    pub ty: ColumnType,
}

impl ColumnType {
    /// The name that goes into the fingerprint and the manifest: `int64`, `string`, or Iceberg's own.
    pub fn name(&self) -> String {
        match self {
            Self::Bool => "bool".into(),
            Self::Int64 => "int64".into(),
            Self::Float64 => "float64".into(),
            Self::Date => "date".into(),
            Self::Timestamp => "timestamp".into(),
            Self::TimestampTz => "timestamptz".into(),
            Self::String => "string".into(),
            Self::Other(other) => other.name(),
        }
    }

    /// SQL's name: `BIGINT`, `VARCHAR`.
    pub fn sql_name(&self) -> String {
        match self {
            Self::Bool => "BOOLEAN".into(),
            Self::Int64 => "BIGINT".into(),
            Self::Float64 => "DOUBLE".into(),
            Self::Date => "DATE".into(),
            Self::Timestamp => "TIMESTAMP".into(),
            Self::TimestampTz => "TIMESTAMPTZ".into(),
            Self::String => "VARCHAR".into(),
            Self::Other(other) => other.sql_name(),
        }
    }

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

    pub(crate) fn from_iceberg(ty: &Type) -> Self {
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

    pub(crate) fn iceberg(&self) -> Type {
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

impl OtherType {
    /// Iceberg's name, written as in its metadata.
    fn name(&self) -> String {
        match self.0.as_ref() {
            Type::Primitive(PrimitiveType::Decimal { precision, scale }) => format!("decimal({precision},{scale})"),
            other => other.to_string(),
        }
    }

    fn sql_name(&self) -> String {
        match self.0.as_ref() {
            Type::Struct(_) => "STRUCT".into(),
            Type::List(_) => "ARRAY".into(),
            Type::Map(_) => "MAP".into(),
            Type::Primitive(primitive) => match primitive {
                PrimitiveType::Int => "INTEGER".into(),
                PrimitiveType::Float => "REAL".into(),
                PrimitiveType::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
                PrimitiveType::Fixed(_) | PrimitiveType::Binary => "BLOB".into(),
                other => other.to_string().to_uppercase(),
            },
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// The fingerprint of ordered (name, type) pairs: SHA-256 in hex over names and type names, 0x1F between the fields
/// of a pair and 0x1E between pairs. Whether a column is nullable is not part of it.
pub fn fingerprint<'a>(columns: impl IntoIterator<Item = (&'a str, &'a ColumnType)>) -> String {
    let mut hash = Sha256::new();
    for (place, (name, ty)) in columns.into_iter().enumerate() {
        if place > 0 {
            hash.update([0x1e]);
        }
        hash.update(name);
        hash.update([0x1f]);
        hash.update(ty.name());
    }
    hex::encode(hash.finalize())
}

/// The fingerprint of a table's columns.
pub fn fingerprint_of(columns: &[Column]) -> String {
    fingerprint(columns.iter().map(|column| (column.name.as_str(), &column.ty)))
}

/// The Arrow schema of the columns, each with its id under `PARQUET:field_id`.
pub(crate) fn arrow_schema(columns: &[Column]) -> Result<SchemaRef> {
    let field = |column: &Column| {
        let id = HashMap::from([(PARQUET_FIELD_ID_META_KEY.to_owned(), column.id.to_string())]);
        Ok(Field::new(&column.name, column.ty.arrow()?, column.nullable).with_metadata(id))
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// Gives new columns the ids 1 to n.
pub(crate) fn number(columns: &[NewColumn]) -> Vec<Column> {
    let numbered = (1..).zip(columns);
    numbered.map(|(id, new)| Column { id, name: new.name.clone(), ty: new.ty.clone(), nullable: true }).collect()
}

/// The columns of an Iceberg schema, in order.
pub(crate) fn columns_of(schema: &iceberg::spec::Schema) -> Vec<Column> {
    let column = |field: &Arc<NestedField>| Column {
        id: field.id,
        name: field.name.clone(),
        ty: ColumnType::from_iceberg(&field.field_type),
        nullable: !field.required,
    };
    schema.as_struct().fields().iter().map(column).collect()
}

/// The Iceberg schema of the columns; every column is optional, or writers from outside would be refused.
pub(crate) fn iceberg_schema(columns: &[Column]) -> Result<iceberg::spec::Schema> {
    let field = |column: &Column| Arc::new(NestedField::optional(column.id, &column.name, column.ty.iceberg()));
    let built = iceberg::spec::Schema::builder().with_fields(columns.iter().map(field)).build();
    built.map_err(Error::bug("building a schema"))
}
