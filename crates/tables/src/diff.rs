//! What differs between a table's columns and those that were given.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use crate::column::{Column, ColumnType, NewColumn};

/// The difference that makes a schema drift. Serialized as the `diff` of the public answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SchemaDiff {
    /// Columns that the table does not have.
    pub added: Vec<DiffColumn>,
    /// Columns of the table that were not given.
    pub removed: Vec<DiffColumn>,
    /// Columns whose type differs, or into which a value does not fit.
    pub retyped: Vec<Retyped>,
    /// Columns that stand at another place.
    pub moved: Vec<MovedColumn>,
    /// Both fingerprints, when only they are known to differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprints: Option<Fingerprints>,
}

/// A column on one side only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its place, counted from 1.
    pub position: usize,
}

/// A column whose type differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retyped {
    /// The column.
    pub name: String,
    /// The table's type.
    pub expected: String,
    /// The type given, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    /// The first line that holds a value which does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The value, when it is told; long ones are cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A column that stands elsewhere; places are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedColumn {
    /// The column.
    pub name: String,
    /// Its place in the table.
    pub expected: usize,
    /// Its place in what was given.
    pub given: usize,
}

/// Two fingerprints that differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fingerprints {
    /// The table's.
    pub expected: String,
    /// The one given.
    pub given: String,
}

impl SchemaDiff {
    /// Compares a table's columns with given ones, by name. Empty when nothing differs.
    pub fn between(table: &[Column], given: &[NewColumn]) -> Self {
        let theirs: HashMap<&str, (usize, &NewColumn)> =
            (1..).zip(given).map(|(place, column)| (column.name.as_str(), (place, column))).collect();
        let ours: HashMap<&str, usize> =
            (1..).zip(table).map(|(place, column)| (column.name.as_str(), place)).collect();
        let mut diff = Self::default();
        for (place, column) in (1..).zip(table) {
            match theirs.get(column.name.as_str()) {
                None => diff.removed.push(DiffColumn::new(&column.name, column.ty.name(), place)),
                Some((given_place, given)) => diff.compare(column, place, given, *given_place),
            }
        }
        let unknown = (1..).zip(given).filter(|(_, column)| !ours.contains_key(column.name.as_str()));
        diff.added.extend(unknown.map(|(place, column)| DiffColumn::new(&column.name, column.ty.name(), place)));
        diff
    }

    /// A value on `line` that does not fit `column`'s type without loss.
    pub fn misfit(column: &str, expected: &str, line: u64) -> Self {
        let (name, expected, line) = (column.into(), expected.into(), Some(line));
        Self { retyped: vec![Retyped { name, expected, given: None, line, value: None }], ..Self::default() }
    }

    /// The same, telling the value that does not fit.
    #[must_use]
    pub fn by(mut self, value: &str) -> Self {
        self.retyped.iter_mut().for_each(|retyped| retyped.value = Some(value.to_owned()));
        self
    }

    /// A column whose values are of a type that is not the table's.
    pub fn retyped(column: &str, expected: &ColumnType, given: &ColumnType) -> Self {
        let (expected, given) = (expected.name(), Some(given.name()));
        let retyped = Retyped { name: column.into(), expected, given, line: None, value: None };
        Self { retyped: vec![retyped], ..Self::default() }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn compare(&mut self, column: &Column, place: usize, given: &NewColumn, given_place: usize) {
        if column.ty != given.ty {
            let (expected, given) = (column.ty.name(), Some(given.ty.name()));
            self.retyped.push(Retyped { name: column.name.clone(), expected, given, line: None, value: None });
        }
        if place != given_place {
            self.moved.push(MovedColumn { name: column.name.clone(), expected: place, given: given_place });
        }
    }
}

impl DiffColumn {
    fn new(name: &str, ty: String, position: usize) -> Self {
        Self { name: name.to_owned(), ty, position }
    }
}

impl fmt::Display for SchemaDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |columns: &[DiffColumn]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let mut parts = Vec::new();
        let mut part = |word: &str, names: Vec<String>| {
            if !names.is_empty() {
                parts.push(format!("{word} {}", shorten(&names)));
            }
        };
        part("added", names(&self.added));
        part("missing", names(&self.removed));
        part("of another type", self.retyped.iter().map(ToString::to_string).collect());
        part("at another place", self.moved.iter().map(|column| column.name.clone()).collect());
        if parts.is_empty() && self.fingerprints.is_some() {
            parts.push("the fingerprints differ".into());
        }
        f.write_str(&parts.join("; "))
    }
}

impl fmt::Display for Retyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (expected {}", self.name, self.expected)?;
        if let Some(given) = &self.given {
            write!(f, ", given {given}")?;
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(value) = &self.value {
            write!(f, " holds {value:?}")?;
        }
        f.write_str(")")
    }
}

/// The message stays readable when hundreds of columns differ; the facts hold them all.
fn shorten(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}
