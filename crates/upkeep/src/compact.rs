//! Compaction: small files of a table are merged into larger ones that hold the very same rows, and so are written anew
//! those that tell of personal values.

use std::collections::HashSet;
use std::sync::Arc;

use base::{ByteSize, DatasetName, Version};
use catalog::{DataFile, NewFile, Rewrite, Table};
use ingest::{BatchWriter, Site};
use parquet::errors::ParquetError;
use serde::{Deserialize, Serialize};
use storage::task;
use tokio::runtime::Handle;

use crate::error::{Error, Result};
use crate::rows::{Columns, Rows, RowsError};
use crate::stated;
use crate::tally::{Tally, Teller, can_tally};
use crate::telling::telling;
use crate::upkeep::Upkeep;

/// How often a table is looked at anew because others changed the files that were being merged.
const ATTEMPTS: usize = 3;

/// What to compact, and how.
#[derive(Debug, Clone)]
pub struct Compact {
    /// The dataset; none compacts all of them.
    pub name: Option<DatasetName>,
    /// The size that files should have. Those of at least half of it are left alone, unless they tell of personal values.
    pub target: ByteSize,
    /// Whether only to say what would be done.
    pub dry_run: bool,
    /// Who asks for it.
    pub author: String,
}

impl Compact {
    /// The usual size.
    pub const TARGET: ByteSize = ByteSize(256 << 20);
}

/// What became of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compacted {
    /// The dataset.
    pub name: DatasetName,
    /// How many files were merged, or would be; none when there was nothing to do.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
    /// How many files they became, or about how many they would.
    pub files_after: u64,
    /// The bytes of those; 0 in a dry run.
    pub bytes_after: u64,
    /// The version that holds the new files; none when nothing changed.
    pub version: Option<Version>,
    /// Why the dataset was left alone, when it was not because there was nothing to do.
    pub left_alone: Option<String>,
}

/// Files of a table that become one or a few.
type Group = Vec<DataFile>;

/// What the files of a group became.
struct Merged {
    files: Vec<NewFile>,
    tally: Tally,
}

impl Upkeep {
    /// Merges small files. Tables are done one after another, each in a commit of its own; one that cannot be compacted
    /// says why and stops no other.
    pub async fn compact(&self, compact: &Compact) -> Result<Vec<Compacted>> {
        let pin = self.catalog.pin_fresh().await?;
        let names: Vec<DatasetName> = match &compact.name {
            Some(name) => vec![name.clone()],
            None => pin.names().cloned().collect(),
        };
        let mut done = Vec::with_capacity(names.len());
        for name in names {
            done.push(match self.compact_one(&name, compact).await {
                Err(error) if compact.name.is_none() => {
                    tracing::warn!(dataset = %name, error = %error, "a table could not be compacted");
                    Compacted::left_alone(&name, error.to_string())
                }
                compacted => compacted?,
            });
        }
        Ok(done)
    }

    async fn compact_one(&self, name: &DatasetName, compact: &Compact) -> Result<Compacted> {
        for _ in 0..ATTEMPTS {
            let pin = self.catalog.pin_fresh().await?;
            let table = self.catalog.table(&pin, name).await?;
            match self.compact_table(table, compact).await {
                Err(Error::Catalog(catalog::Error::Moved { .. })) => {}
                settled => return settled,
            }
        }
        Ok(Compacted::left_alone(name, "others kept changing its files".into()))
    }

    async fn compact_table(&self, table: Arc<Table>, compact: &Compact) -> Result<Compacted> {
        if let Some(why) = obstacle(&table)? {
            return Ok(Compacted::left_alone(table.name(), why.into()));
        }
        let files = table.files().await?;
        let telling = telling(self.catalog.store(), &table, &files).await?;
        let groups = groups(&files, compact.target, &telling);
        let planned = Compacted::planned(table.name(), &groups);
        if groups.is_empty() && files.iter().any(|file| !file.deletes.is_empty()) {
            return Ok(Compacted::left_alone(table.name(), "other engines deleted rows from its files".into()));
        }
        if compact.dry_run || groups.is_empty() {
            return Ok(planned);
        }
        let old = groups.iter().flatten().map(|file| file.path.clone()).collect();
        let new = self.merge_all(&table, groups, compact.target).await?;
        let Some(new) = new else {
            return Ok(Compacted::left_alone(table.name(), "a file holds columns of another type".into()));
        };
        let (files_after, bytes_after) = (new.len() as u64, new.iter().map(|file| file.size).sum());
        let rewrite = Rewrite { table, old, new, author: compact.author.clone() };
        let published = self.catalog.rewrite(rewrite).await?;
        Ok(Compacted { files_after, bytes_after, version: Some(published.version), ..planned })
    }

    /// Writes the files of all groups anew; none when a file cannot be. What was written by then is removed again unless
    /// all of it is sound.
    async fn merge_all(&self, table: &Table, groups: Vec<Group>, target: ByteSize) -> Result<Option<Vec<NewFile>>> {
        let mut written = Vec::new();
        for group in groups {
            match self.merge(table, group, target).await {
                Ok(Some(files)) => written.extend(files),
                failed => {
                    self.remove(&written).await;
                    return failed.map(|_| None);
                }
            }
        }
        Ok(Some(written))
    }

    async fn merge(&self, table: &Table, group: Group, target: ByteSize) -> Result<Option<Vec<NewFile>>> {
        let Some(merged) = self.write(table, group, target).await? else { return Ok(None) };
        let reread = self.tally(table, &merged.files).await;
        match reread {
            Ok(tally) if tally == merged.tally => Ok(Some(merged.files)),
            Ok(_) => {
                self.remove(&merged.files).await;
                Err(Error::RowsDiffer { name: table.name().clone() })
            }
            Err(error) => {
                self.remove(&merged.files).await;
                Err(error)
            }
        }
    }

    /// Reads the files of a group and writes their rows, in order, while tallying them.
    async fn write(&self, table: &Table, group: Group, target: ByteSize) -> Result<Option<Merged>> {
        let (store, runtime) = (self.catalog.store().clone(), Handle::current());
        let site = Site { store: store.clone(), seams: self.seams.clone(), runtime: runtime.clone() };
        let (draft, by_name, name) = (table.draft(), table.name_mapping(), table.name().clone());
        let work = move || {
            let mut writer = BatchWriter::new(&draft, site, target)?;
            let schema = writer.schema().clone();
            let columns = Columns { schema: &schema, by_name: by_name.as_ref() };
            let mut teller = Teller::new(&schema)?;
            for file in &group {
                let opened = runtime.block_on(Rows::open(&store, &file.path, file.size, &columns));
                let Some(mut rows) = opened.map_err(|error| unreadable((&name, &file.path), error))? else {
                    return Ok(None);
                };
                let mut count = 0;
                while let Some(batch) =
                    runtime.block_on(rows.next()).map_err(|error| unusable((&name, &file.path), error))?
                {
                    expect_stated((&name, &file.path), stated::holds(file, &batch)?)?;
                    count += batch.num_rows() as u64;
                    teller.add(&batch)?;
                    writer.write(&batch)?;
                }
                expect_stated((&name, &file.path), count == file.rows)?;
            }
            Ok(Some(Merged { files: writer.finish()?, tally: teller.tally() }))
        };
        task::blocking("merge files", work).await.map_err(|_| Error::Lost)?
    }

    /// The tally of files as the store gives them back.
    async fn tally(&self, table: &Table, files: &[NewFile]) -> Result<Tally> {
        let schema = table.arrow_schema()?;
        let (columns, name) = (Columns { schema: &schema, by_name: None }, table.name());
        let mut teller = Teller::new(&schema)?;
        for file in files {
            let opened = Rows::open(self.catalog.store(), &file.path, file.size, &columns).await;
            let rows = opened.map_err(|error| unreadable((name, &file.path), error))?;
            let mut rows = rows.ok_or_else(|| Error::RowsDiffer { name: name.clone() })?;
            while let Some(batch) = rows.next().await.map_err(|error| unusable((name, &file.path), error))? {
                teller.add(&batch)?;
            }
        }
        Ok(teller.tally())
    }

    async fn remove(&self, files: &[NewFile]) {
        for file in files {
            if let Err(error) = self.catalog.store().delete(&file.path).await {
                tracing::warn!(path = file.path, error = %error, "a file that is not needed stays behind");
            }
        }
    }
}

impl Compacted {
    fn left_alone(name: &DatasetName, why: String) -> Self {
        Self { left_alone: Some(why), ..Self::planned(name, &[]) }
    }

    fn planned(name: &DatasetName, groups: &[Group]) -> Self {
        let files = || groups.iter().flatten();
        Self {
            name: name.clone(),
            files: files().count() as u64,
            bytes: files().map(|file| file.size).sum(),
            rows: files().map(|file| file.rows).sum(),
            files_after: groups.len() as u64,
            bytes_after: 0,
            version: None,
            left_alone: None,
        }
    }
}

/// Why a table cannot be compacted as it is.
fn obstacle(table: &Table) -> Result<Option<&'static str>> {
    if table.is_or_was_partitioned() {
        return Ok(Some("another engine partitions it"));
    }
    Ok((!can_tally(table.arrow_schema()?.as_ref())).then_some("it has columns of maps"))
}

/// Small files, and those that are telling, in their order, put together until they would exceed the target. Those from
/// which other engines deleted rows stay: the deletes would not apply to a file that is newer than they are.
fn groups(files: &[DataFile], target: ByteSize, telling: &HashSet<String>) -> Vec<Group> {
    let (mut groups, mut open, mut bytes) = (Vec::new(), Group::new(), 0);
    let tells = |file: &DataFile| telling.contains(&file.path);
    for file in files.iter().filter(|file| file.deletes.is_empty() && (file.size < target.0 / 2 || tells(file))) {
        if bytes + file.size > target.0 {
            groups.push(std::mem::take(&mut open));
            bytes = 0;
        }
        bytes += file.size;
        open.push(file.clone());
    }
    groups.push(open);
    groups.retain(|group| group.len() > 1 || group.iter().any(tells));
    groups
}

/// Damage that its encoding hides must not be written anew, where nobody would find it any more.
fn expect_stated(file: (&DatasetName, &str), is_stated: bool) -> Result<()> {
    let differs = || ParquetError::General("it holds other rows than its manifest states".to_owned());
    if is_stated { Ok(()) } else { Err(unreadable(file, differs())) }
}

/// A file that is cut or gone does not read; otherwise a failure of the store is one.
pub(crate) fn unreadable((name, path): (&DatasetName, &str), source: ParquetError) -> Error {
    let unreadable = |source| Error::Unreadable { name: name.clone(), path: path.to_owned(), source };
    match source {
        ParquetError::External(inner) => match inner.downcast::<storage::Error>() {
            Ok(inner) if matches!(*inner, storage::Error::NotFound { .. } | storage::Error::Range { .. }) => {
                unreadable(ParquetError::External(inner))
            }
            Ok(inner) => Error::Storage(*inner),
            Err(inner) => unreadable(ParquetError::External(inner)),
        },
        source => unreadable(source),
    }
}

fn unusable(file: (&DatasetName, &str), error: RowsError) -> Error {
    match error {
        RowsError::File(source) => unreadable(file, source),
        RowsError::Columns(source) => Error::Columns(source),
    }
}
