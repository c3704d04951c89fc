//! What a lake should hold, in the plainest terms, and how each deed changes that.

use std::collections::{BTreeMap, BTreeSet};

use base::Seams;
use catalog::{Catalog, Change, Commit, Pii, Result, Table};
use uuid::Uuid;

use crate::deed::Deed;
use crate::engine::files_of_branch;
use crate::rows::{ID, rows_of};

/// What a lake holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    /// The tables by their names.
    pub tables: BTreeMap<String, Held>,
    /// The version that each tag names.
    pub tags: BTreeMap<String, u64>,
    /// The indexes.
    pub indexes: BTreeSet<String>,
    /// Versions below may be gone, save those with tags.
    pub oldest: u64,
}

/// What a table holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// What it is, whatever its name.
    pub id: Uuid,
    /// Its rows, sorted.
    pub rows: Vec<i64>,
    /// The rows of the branch that engines work on, if it has one.
    pub branch: Option<Vec<i64>>,
    /// Its columns, in order.
    pub columns: Vec<String>,
    /// What was said of the column `id`.
    pub class: Option<Pii>,
}

/// Where a deed stands in the log.
pub struct Place<'a> {
    /// The version.
    pub version: u64,
    /// What the log says about it.
    pub commit: &'a Commit,
    /// What the versions before hold.
    pub before: &'a [Model],
}

impl Held {
    /// What a table holds as it is stored, and its data files.
    pub async fn read(catalog: &Catalog, table: &Table, seams: &Seams) -> Result<(Self, Vec<String>)> {
        let mut files: Vec<String> = table.files().await?.iter().map(|file| file.path.clone()).collect();
        let rows = rows_in(catalog, &files).await?;
        let branch = match files_of_branch(catalog, table, seams).await? {
            Some(of_branch) => {
                let rows = rows_in(catalog, &of_branch).await?;
                files.extend(of_branch);
                Some(rows)
            }
            None => None,
        };
        let columns = table.columns().iter().map(|column| column.name.clone()).collect();
        let class = table.columns().iter().find(|column| column.name == ID).and_then(|column| column.pii);
        Ok((Self { id: table.table_id(), rows, branch, columns, class }, files))
    }
}

async fn rows_in(catalog: &Catalog, files: &[String]) -> Result<Vec<i64>> {
    let mut rows = Vec::new();
    for file in files {
        rows.extend(rows_of(&catalog.store().get(file).await?));
    }
    rows.sort_unstable();
    Ok(rows)
}

impl Model {
    /// Takes in what a deed makes of a lake. The error says how the log tells it otherwise than it can have been.
    pub fn take_in(&mut self, deed: &Deed, place: &Place<'_>) -> Result<(), String> {
        for change in &place.commit.changes {
            if let Change::Expire { oldest } = change {
                self.oldest = oldest.0;
            }
        }
        match deed {
            Deed::Append { table, row, .. } => add(&mut self.written(table, &[ID], place)?.rows, *row),
            Deed::Evolve { table, row, column } => {
                let held = self.written(table, &[ID, column], place)?;
                add(&mut held.rows, *row);
                if !held.columns.iter().any(|known| known == column) {
                    held.columns.push((*column).to_owned());
                }
            }
            Deed::Replace { table, row } | Deed::Register { table, row } => {
                self.written(table, &[ID], place)?.rows = vec![*row];
            }
            Deed::Commit { table, row, branch: false, .. } => add(&mut self.known(table, place)?.rows, *row),
            Deed::Commit { table, row, branch: true, .. } => {
                let held = self.known(table, place)?;
                let begun = held.rows.clone();
                add(held.branch.get_or_insert(begun), *row);
            }
            Deed::FastForward { table } => {
                let held = self.known(table, place)?;
                held.rows = held.branch.clone().ok_or("main went on to a branch that is not there")?;
            }
            Deed::Rename { from, to } => self.rename(from, to, place)?,
            Deed::Classify { table, class } => self.known(table, place)?.class = *class,
            Deed::RollBack { table, to } => self.roll_back(table, *to, place)?,
            Deed::Drop { table } => drop(self.tables.remove(*table)),
            Deed::Compact { .. } | Deed::SetProperty { .. } | Deed::Expire { .. } | Deed::Sweep { .. } => {}
            Deed::Tag { tag, version } => {
                self.tags.insert((*tag).to_owned(), version.unwrap_or(place.version - 1));
            }
            Deed::Untag { tag } => drop(self.tags.remove(*tag)),
            Deed::CreateIndex { index } => drop(self.indexes.insert((*index).to_owned())),
            Deed::DropIndex { index } => drop(self.indexes.remove(*index)),
        }
        Ok(())
    }

    /// A table that must be there.
    fn known(&mut self, name: &str, place: &Place<'_>) -> Result<&mut Held, String> {
        let put = place.put(name)?;
        let held = self.tables.get_mut(name).ok_or_else(|| format!("{name} is changed and is not there"))?;
        if held.id == put { Ok(held) } else { Err(format!("{name} became another table")) }
    }

    /// A table that may have been made by this very deed.
    fn written(&mut self, name: &str, columns: &[&str], place: &Place<'_>) -> Result<&mut Held, String> {
        if !self.tables.contains_key(name) {
            let id = place.put(name)?;
            let was_there = place.before.iter().any(|model| model.tables.values().any(|held| held.id == id));
            if was_there {
                return Err(format!("{name} is new and is what was there before"));
            }
            let columns = columns.iter().map(|column| (*column).to_owned()).collect();
            self.tables.insert(name.to_owned(), Held { id, columns, ..Held::default() });
        }
        self.known(name, place)
    }

    fn rename(&mut self, from: &str, to: &str, place: &Place<'_>) -> Result<(), String> {
        let held = self.tables.remove(from).ok_or_else(|| format!("{from} is renamed and is not there"))?;
        if held.id != place.put(to)? || self.tables.contains_key(to) {
            return Err(format!("{from} took the place of another table, {to}"));
        }
        self.tables.insert(to.to_owned(), held);
        Ok(())
    }

    /// The rows and the columns are those of the version, and of the table that it is now, or was at last, the rest.
    fn roll_back(&mut self, name: &str, to: u64, place: &Place<'_>) -> Result<(), String> {
        let id = place.put(name)?;
        let then = place.at(to).ok_or("there was no such version")?;
        let target = then.find(id).ok_or("it was not there then")?.1.clone();
        if then.tables.get(name).is_some_and(|held| held.id != id) {
            return Err(format!("{name} was another table in version {to}"));
        }
        let base = match self.find(id) {
            Some((now, _)) if now != name => return Err(format!("{name} has the name {now} now")),
            Some((_, held)) => held.clone(),
            None => place.last(id, to.max(self.oldest)).unwrap_or(&target).clone(),
        };
        self.tables.insert(name.to_owned(), Held { rows: target.rows, columns: target.columns, ..base });
        Ok(())
    }

    fn find(&self, id: Uuid) -> Option<(&str, &Held)> {
        self.tables.iter().find(|(_, held)| held.id == id).map(|(name, held)| (name.as_str(), held))
    }
}

impl<'a> Place<'a> {
    /// What the commit makes the table of this name.
    fn put(&self, name: &str) -> Result<Uuid, String> {
        let put = self.commit.changes.iter().find_map(|change| match change {
            Change::TablePut(put) if put.name.to_string() == name => Some(put.table_id),
            _ => None,
        });
        put.ok_or_else(|| format!("it does not put {name}"))
    }

    fn at(&self, version: u64) -> Option<&'a Model> {
        self.before.get(usize::try_from(version).ok()?.checked_sub(1)?)
    }

    /// The table as it was at last, in `first` or later.
    fn last(&self, id: Uuid, first: u64) -> Option<&'a Held> {
        let skipped = usize::try_from(first).unwrap_or(usize::MAX).saturating_sub(1);
        let kept = self.before.get(skipped..)?;
        kept.iter().rev().find_map(|model| model.find(id).map(|(_, held)| held))
    }
}

fn add(rows: &mut Vec<i64>, row: i64) {
    rows.push(row);
    rows.sort_unstable();
}
