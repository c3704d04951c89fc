//! How the columns of a file meet those of a table: the same ones, or, when the table may evolve, further ones too.

use std::collections::HashMap;

use base::DatasetName;
use catalog::{Column, NewColumn, SchemaDiff};

use crate::error::Result;
use crate::request::Evolve;

#[cfg(test)]
mod tests;

/// Which columns of a file feed which columns of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Fit {
    /// For each column of the table, the file's that feeds it; none where rows of the file have no value.
    pub known: Vec<Option<usize>>,
    /// The file's columns that the table does not have; they are added to its end, in this order.
    pub added: Vec<usize>,
}

/// Fits a file's columns to a table's, or refuses them as drift.
///
/// With [`Evolve::None`] they must be the same in the same order. With [`Evolve::Add`] they are found by name: further
/// ones are added, and missing ones are null. What may be a rename is refused all the same, since adding a column would
/// part the values of one thing: a missing and a further column of one type that stand behind the same neighbour, or
/// names that differ in case only. Columns that `arrived` lacks, the table's when the load arrived, were added by others
/// since and are nobody's old name: a race alone refuses nothing.
pub fn fit(name: &DatasetName, table: &[Column], given: &[NewColumn], evolve: Evolve, arrived: &[i32]) -> Result<Fit> {
    let mut diff = SchemaDiff::between(table, given);
    if evolve == Evolve::Add {
        diff.moved.clear();
        if !may_be_rename(table, given, arrived) {
            diff.added.clear();
            diff.removed.clear();
        }
    }
    // Tables of other engines may demand a value in every row.
    let lacking = |column: &Column| !column.nullable && given.iter().all(|given| given.name != column.name);
    if diff.is_empty() && table.iter().any(lacking) {
        diff = SchemaDiff::between(table, given);
    }
    if !diff.is_empty() {
        return Err(catalog::Error::drift(name, diff).into());
    }
    let places: HashMap<&str, usize> =
        given.iter().enumerate().map(|(place, column)| (column.name.as_str(), place)).collect();
    let known = table.iter().map(|column| places.get(column.name.as_str()).copied()).collect();
    let is_new = |place: &usize| table.iter().all(|column| column.name != given[*place].name);
    Ok(Fit { known, added: (0..given.len()).filter(is_new).collect() })
}

fn may_be_rename(table: &[Column], given: &[NewColumn], arrived: &[i32]) -> bool {
    let old = table.iter().filter(|column| arrived.contains(&column.id));
    let ours: Vec<_> = old.map(|column| (column.name.as_str(), column.ty.name())).collect();
    let theirs: Vec<_> = given.iter().map(|column| (column.name.as_str(), column.ty.name())).collect();
    let (missing, mut further) = (alone(&ours, &theirs), alone(&theirs, &ours));
    // One that others have added meanwhile is there, and no new name either.
    further.retain(|further| table.iter().all(|column| column.name != further.name));
    let same = |further: &Alone<'_>| {
        missing.iter().any(|missing| (missing.behind, &missing.ty) == (further.behind, &further.ty))
            || ours.iter().any(|(name, _)| name.to_lowercase() == further.name.to_lowercase())
    };
    further.iter().any(same)
}

/// A column that only one side has.
struct Alone<'a> {
    name: &'a str,
    ty: &'a str,
    /// The nearest column before it that both have.
    behind: Option<&'a str>,
}

fn alone<'a>(columns: &'a [(&'a str, String)], others: &[(&str, String)]) -> Vec<Alone<'a>> {
    let others: HashMap<&str, ()> = others.iter().map(|(name, _)| (*name, ())).collect();
    let mut behind = None;
    let mut alone = Vec::new();
    for (name, ty) in columns {
        if others.contains_key(name) {
            behind = Some(*name);
        } else {
            alone.push(Alone { name, ty, behind });
        }
    }
    alone
}
