//! Layers of written values, each remembering where it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use toml::{Table, Value};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Variable(String),
    /// An option of the command line, such as `--set` or `--lake`.
    Option(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Option(name) => f.write_str(name),
        }
    }
}

/// The last word on each written key.
#[derive(Debug, Default)]
pub struct Written(pub BTreeMap<String, (Value, Origin)>);

impl Written {
    /// Puts a value over whatever an earlier layer said.
    pub fn lay(&mut self, key: impl Into<String>, value: Value, origin: Origin) {
        self.0.insert(key.into(), (value, origin));
    }

    /// Lays every leaf of a table.
    pub fn lay_table(&mut self, table: &Table, origin: &Origin) {
        for (key, value) in leaves(table) {
            self.lay(key, value, origin.clone());
        }
    }

    /// All values as one table of sections.
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        for (key, (value, _)) in &self.0 {
            plant(&mut table, key, value.clone());
        }
        table
    }
}

/// (dotted key, value) of everything in a table that is no table itself.
pub fn leaves(table: &Table) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(inner) => {
                found.extend(leaves(inner).into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            leaf => found.push((name.clone(), leaf.clone())),
        }
    }
    found
}

/// A table that holds only this key.
pub fn alone(key: &str, value: Value) -> Table {
    let mut table = Table::new();
    plant(&mut table, key, value);
    table
}

fn plant(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                plant(inner, rest, value);
            }
        }
    }
}
