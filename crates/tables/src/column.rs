//! Columns, their types, and the fingerprint that two schemas share exactly when they are the same.

use std::fmt;

use iceberg::spec::{PrimitiveType, Type};
use sha2::{Digest, Sha256};

use crate::pii::Pii;

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
pub struct OtherType(pub Box<Type>);

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
    /// The class of personal data that it holds, when it is known to hold any.
    pub pii: Option<Pii>,
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
}

impl OtherType {
    /// Iceberg's name, written as in its metadata.
    fn name(&self) -> String {
        match self.0.as_ref() {
            Type::Primitive(PrimitiveType::Decimal { precision, scale }) => format!("decimal({precision},{scale})"),
            other => other.to_string(),
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
