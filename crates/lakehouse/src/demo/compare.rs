//! What differs between two versions of one table, row by row.
//!
//! One statement sees one version, so both are asked and their answers compared here.

use std::collections::BTreeMap;

use base::{AsOf, Version};
use client::{Ask, Client, Rows};
use serde_json::Value;

use crate::output::{Sheet, cell};

/// The most rows that one JSON answer may hold.
const WHOLE: u64 = 100_000;

/// Rows that are in one version only, or in both with other values.
pub struct Difference {
    columns: Vec<String>,
    pub joined: Vec<Vec<Value>>,
    pub left: Vec<Vec<Value>>,
    /// (before, after).
    pub changed: Vec<(Vec<Value>, Vec<Value>)>,
}

/// Asks `sql`, whose first column is the key, as of both versions.
pub async fn between(client: &Client, sql: &str, from: Version, to: Version) -> anyhow::Result<Difference> {
    let before = at(client, sql, from).await?;
    let after = at(client, sql, to).await?;
    let columns = after.columns.iter().map(|column| column.name.clone()).collect();
    let mut old = keyed(before);
    let mut difference = Difference { columns, joined: Vec::new(), left: Vec::new(), changed: Vec::new() };
    for (key, row) in keyed(after) {
        match old.remove(&key) {
            None => difference.joined.push(row),
            Some(earlier) if earlier != row => difference.changed.push((earlier, row)),
            Some(_) => {}
        }
    }
    difference.left.extend(old.into_values());
    Ok(difference)
}

async fn at(client: &Client, sql: &str, version: Version) -> anyhow::Result<Rows> {
    let as_of = Some(AsOf::Version(version));
    let ask = Ask { sql: sql.to_owned(), as_of, max_rows: Some(WHOLE), ..Ask::default() };
    let rows = client.sql(&ask).await?;
    anyhow::ensure!(!rows.truncated, "the table is too large to be compared row by row here");
    Ok(rows)
}

fn keyed(rows: Rows) -> BTreeMap<String, Vec<Value>> {
    rows.rows.into_iter().map(|row| (row.first().map(cell).unwrap_or_default(), row)).collect()
}

impl Difference {
    /// A few rows of each kind; a changed value shows as `before → after`.
    pub fn sheet(&self, of_each: usize) -> Sheet {
        let header = std::iter::once("what".to_owned()).chain(self.columns.iter().cloned()).collect();
        let changed = self.changed.iter().take(of_each).map(|(old, new)| {
            let values = old.iter().zip(new);
            line(
                "changed",
                values.map(|(old, new)| if old == new { cell(new) } else { format!("{} → {}", cell(old), cell(new)) }),
            )
        });
        let joined = self.joined.iter().take(of_each).map(|row| line("joined", row.iter().map(cell)));
        let left = self.left.iter().take(of_each).map(|row| line("left", row.iter().map(cell)));
        Sheet { header, rows: changed.chain(joined).chain(left).collect(), numeric: Vec::new() }
    }
}

fn line(what: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(what.to_owned()).chain(cells).collect()
}
