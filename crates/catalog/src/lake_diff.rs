//! What differs between two versions of the lake: per table its rows and columns, and which indexes and tags there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{AsOf, DatasetName, Fault, Tag, Version};
use futures::{StreamExt, stream};
use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use serde::{Deserialize, Serialize};
use tables::row_diff::{self, Moved};
use tables::schema_change::SchemaChange;

use crate::catalog::{Catalog, Room};
use crate::error::Result;
use crate::manifest::Broken;
use crate::state::{State, TableEntry};

/// How many tables are compared at once.
const TABLES_AT_ONCE: usize = 8;

/// What the later of two versions has otherwise than the earlier one; each list is sorted by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LakeDiff {
    /// The version that is compared with.
    pub from: Version,
    /// The version that differs from it.
    pub to: Version,
    /// The tables that are not as they were.
    pub tables: Vec<TableChange>,
    /// The vector indexes that came, went or came anew. What is in them is no part of a version.
    pub indexes: Vec<NamedChange>,
    /// The namespaces that came or went, or of which something else is noted.
    pub namespaces: Vec<NamedChange>,
    /// The tags that came, went or were moved.
    pub tags: Vec<TagChange>,
}

/// What became of a thing between two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It is there now.
    Created,
    /// It was there.
    Dropped,
    /// Its name means another one now.
    Recreated,
    /// It is the same one, and not as it was.
    Changed,
    /// It is the same one under another name, and may be otherwise too.
    Renamed,
}

/// What became of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableChange {
    /// The dataset.
    pub name: DatasetName,
    /// What became of it.
    pub change: Became,
    /// The name that it had at the earlier version, when that was another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<DatasetName>,
    /// Rows that came: those of the files that came, as far as they are not rows of files that went, rewritten. Rows
    /// that delete files of other engines hide count as there. None when the table does not read.
    pub rows_added: Option<u64>,
    /// Rows that went, counted alike.
    pub rows_removed: Option<u64>,
    /// Rows at the earlier version.
    pub rows_before: u64,
    /// Rows at the later version.
    pub rows_after: u64,
    /// What became of its columns; absent when they are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaChange>,
    /// Why the table does not read; absent when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Broken>,
}

/// What became of anything else that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedChange {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Became,
}

/// What became of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagChange {
    /// The tag.
    pub tag: Tag,
    /// What became of it.
    pub change: Became,
    /// The version that it named.
    pub from: Option<Version>,
    /// The version that it names.
    pub to: Option<Version>,
}

impl Catalog {
    /// What `to` has otherwise than `from`, by default than the version before it, which for the first version is the
    /// empty lake. The versions may stand in either order.
    pub async fn diff(&self, from: Option<&AsOf>, to: &AsOf) -> Result<LakeDiff> {
        let after = self.room.past.find(to).await?;
        let before = match from {
            Some(from) => self.room.past_or_empty(from).await?,
            None => self.room.past_or_empty(&AsOf::Version(after.published())).await?,
        };
        Ok(LakeDiff {
            from: before.version,
            to: after.version,
            tables: self.room.compare_tables(&before, &after).await,
            indexes: named(differing(&before.indexes, &after.indexes, |before, after| {
                before.index_id == after.index_id
            })),
            namespaces: named(differing(&before.namespaces, &after.namespaces, |_, _| true)),
            tags: tags(&before, &after),
        })
    }
}

impl Room {
    async fn past_or_empty(&self, as_of: &AsOf) -> Result<Arc<State>> {
        if *as_of == AsOf::Version(Version(0)) { Ok(Arc::new(State::empty())) } else { self.past.find(as_of).await }
    }

    async fn compare_tables(&self, before: &State, after: &State) -> Vec<TableChange> {
        let compared = pairs(before, after).into_iter().map(|((name, change), pair)| async move {
            let outline = TableChange::outline(&name, change, &pair);
            let Pair { before: Some((_, before)), after: Some(after) } = pair else { return outline };
            let compared = self.compare_table(outline.clone(), &before, &after).await;
            compared.unwrap_or_else(|error| {
                tracing::error!(dataset = %name, error = %error, "a table does not read");
                outline.broken(&error)
            })
        });
        stream::iter(compared).buffered(TABLES_AT_ONCE).collect().await
    }

    /// Fills in what only the tables themselves tell.
    async fn compare_table(
        &self,
        mut change: TableChange,
        before: &TableEntry,
        after: &TableEntry,
    ) -> Result<TableChange> {
        let before = self.tables.load(&change.name, before).await?;
        let after = self.tables.load(&change.name, after).await?;
        let is_one_table = before.table_id() == after.table_id();
        change.schema = SchemaChange::between(before.columns(), after.columns(), is_one_table);
        if change.change.is_one_table() {
            let Moved { added, removed } =
                row_diff::moved(&self.lake, &change.name, before.read(), after.read()).await?;
            (change.rows_added, change.rows_removed) = (Some(added), Some(removed));
        }
        Ok(change)
    }
}

/// A table at the earlier version, with the name that it had, and one at the later version.
#[derive(Default)]
struct Pair {
    before: Option<(DatasetName, Arc<TableEntry>)>,
    after: Option<Arc<TableEntry>>,
}

/// The tables that are not as they were, by their names, and what became of each. A table is the same one as long as its
/// id is.
fn pairs(before: &State, after: &State) -> BTreeMap<(DatasetName, Became), Pair> {
    let (mut pairs, mut came, mut left) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
    for item in before.tables.diff(&after.tables) {
        match item {
            DiffItem::Update { old: (name, old), new: (_, new) } if old.table_id == new.table_id => {
                if old.metadata != new.metadata {
                    let before = Some((name.clone(), Arc::clone(old)));
                    pairs.insert((name.clone(), Became::Changed), Pair { before, after: Some(Arc::clone(new)) });
                }
            }
            DiffItem::Update { old: (name, old), new: (_, new) } => {
                left.insert(old.table_id, (name.clone(), Arc::clone(old)));
                came.push((name.clone(), Arc::clone(new)));
            }
            DiffItem::Remove(name, old) => {
                left.insert(old.table_id, (name.clone(), Arc::clone(old)));
            }
            DiffItem::Add(name, new) => came.push((name.clone(), Arc::clone(new))),
        }
    }
    for (name, entry) in came {
        let before = left.remove(&entry.table_id);
        let change = if before.is_some() { Became::Renamed } else { Became::Created };
        pairs.insert((name, change), Pair { before, after: Some(entry) });
    }
    for (name, entry) in left.into_values() {
        let after = pairs.remove(&(name.clone(), Became::Created)).and_then(|pair| pair.after);
        let change = if after.is_some() { Became::Recreated } else { Became::Dropped };
        pairs.insert((name.clone(), change), Pair { before: Some((name, entry)), after });
    }
    pairs
}

impl Became {
    /// Whether both versions have the very same table.
    fn is_one_table(self) -> bool {
        matches!(self, Self::Changed | Self::Renamed)
    }
}

impl TableChange {
    /// What the log alone tells. Where only one side exists, or the sides are two tables, that is every row.
    fn outline(name: &DatasetName, change: Became, pair: &Pair) -> Self {
        let rows = |entry: Option<&TableEntry>| entry.map_or(0, |entry| entry.row_count);
        let rows_before = rows(pair.before.as_ref().map(|(_, entry)| entry.as_ref()));
        let rows_after = rows(pair.after.as_deref());
        let (rows_added, rows_removed) = (Some(rows_after), Some(rows_before));
        let renamed_from = pair.before.as_ref().map(|(from, _)| from).filter(|from| *from != name).cloned();
        let name = name.clone();
        Self {
            name,
            change,
            renamed_from,
            rows_added,
            rows_removed,
            rows_before,
            rows_after,
            schema: None,
            error: None,
        }
    }

    fn broken(self, error: &crate::error::Error) -> Self {
        let error = Broken { code: error.code().to_owned(), detail: error.to_string() };
        let known = !self.change.is_one_table();
        let (added, removed) = (self.rows_added.filter(|_| known), self.rows_removed.filter(|_| known));
        Self { rows_added: added, rows_removed: removed, error: Some(error), ..self }
    }
}

fn named<'a, K: ToString + 'a>(changes: impl Iterator<Item = (&'a K, Became)>) -> Vec<NamedChange> {
    changes.map(|(name, change)| NamedChange { name: name.to_string(), change }).collect()
}

fn tags(before: &State, after: &State) -> Vec<TagChange> {
    let named = |state: &State, tag: &Tag| state.tags.get(tag).copied();
    let changed = differing(&before.tags, &after.tags, |_, _| true);
    let change = |(tag, change): (&Tag, Became)| TagChange {
        tag: tag.clone(),
        change,
        from: named(before, tag),
        to: named(after, tag),
    };
    changed.map(change).collect()
}

/// The names under which two versions do not have the same, and what became of it.
fn differing<'a, K: Ord, V: PartialEq>(
    before: &'a OrdMap<K, V>,
    after: &'a OrdMap<K, V>,
    is_same: impl Fn(&V, &V) -> bool + 'a,
) -> impl Iterator<Item = (&'a K, Became)> {
    before.diff(after).map(move |item| match item {
        DiffItem::Add(name, _) => (name, Became::Created),
        DiffItem::Remove(name, _) => (name, Became::Dropped),
        DiffItem::Update { old: (name, old), new: (_, new) } => {
            (name, if is_same(old, new) { Became::Changed } else { Became::Recreated })
        }
    })
}
