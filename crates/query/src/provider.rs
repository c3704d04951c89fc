//! A table of the pinned version, as the engine sees it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use catalog::{Column, DataFile, Table};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_optimizer::pruning::PruningPredicate;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use crate::bounds::{FileBounds, statistics};
use crate::columns::{ColumnsById, position};
use crate::error::Error;
use crate::kept::KeptRows;
use crate::scan::{Scan, Source};

/// The only place that data is read from. Nothing that a statement names can become another one.
pub(crate) const LAKE_URL: &str = "lake://lake/";

/// Whoever reads the lake's files for queries, counts what it need not read, and keeps what it would read again.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) files_skipped: Arc<AtomicU64>,
    pub(crate) deleted: Arc<KeptRows>,
}

/// A table with its columns under the names that SQL folds to.
pub(crate) struct LakeTable {
    table: Arc<Table>,
    pub(crate) schema: SchemaRef,
    /// The field ids of the columns.
    pub(crate) ids: Vec<i32>,
    columns: Arc<ColumnsById>,
    pub(crate) reader: Reader,
}

impl LakeTable {
    /// Exposes a table; the columns get lower-case names where that is unambiguous.
    pub(crate) fn new(table: Arc<Table>, reader: Reader) -> Result<Self, Error> {
        let stored = table.arrow_schema()?;
        let names = exposed_names(stored.fields().iter().map(|field| field.name().as_str()));
        let fields = stored.fields().iter().zip(names).zip(table.columns());
        let fields = fields.map(|((field, name), column)| expose(column, field.data_type(), name));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let ids: Vec<i32> = table.columns().iter().map(|column| column.id).collect();
        let columns = Arc::new(ColumnsById::new(ids.clone(), ids_by_name(&table)));
        Ok(Self { table, schema, ids, columns, reader })
    }

    /// Pairs of exposed and stored column names.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = (&str, &str)> {
        let exposed = self.schema.fields().iter().map(|field| field.name().as_str());
        exposed.zip(self.table.columns().iter().map(|column| column.name.as_str()))
    }

    /// The stored name of an exposed column, which likely stands at `likely`.
    pub(crate) fn stored(&self, exposed: &str, likely: usize) -> Option<&str> {
        let at = position(&self.schema, exposed, likely).ok()?;
        self.table.columns().get(at).map(|column| column.name.as_str())
    }

    /// The columns of files that carry no ids.
    pub(crate) fn ids_by_name(&self) -> HashMap<String, i32> {
        ids_by_name(&self.table)
    }

    /// Where the table's files come from.
    pub(crate) fn source(&self) -> Source<'_> {
        Source { dataset: self.table.name(), reader: &self.reader }
    }

    /// The table in the words of the catalog.
    pub(crate) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Drops the files that cannot hold a row which passes the filters.
    fn prune(&self, state: &dyn Session, filters: &[Expr], files: &[DataFile]) -> Result<Vec<bool>> {
        let everything = vec![true; files.len()];
        let Some(filter) = conjunction(filters.iter().cloned()) else { return Ok(everything) };
        let schema = DFSchema::try_from(Schema::clone(&self.schema))?;
        let filter = state.create_physical_expr(filter, &schema)?;
        let Ok(predicate) = PruningPredicate::try_new(filter, Arc::clone(&self.schema)) else { return Ok(everything) };
        let bounds = FileBounds { files, schema: &self.schema, ids: &self.ids };
        Ok(predicate.prune(&bounds).unwrap_or(everything))
    }

    /// The files as the engine lists them, with what is known of each.
    pub(crate) fn list(&self, files: &[DataFile]) -> Vec<PartitionedFile> {
        let known = |file: &DataFile| Arc::new(statistics(file, &self.schema, &self.ids));
        files.iter().map(|file| listed(&file.path, file.size).with_statistics(known(file))).collect()
    }

    fn scan_whole(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        files: &[DataFile],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.list(files);
        let known = files.iter().filter_map(|file| file.statistics.as_deref());
        let total = Statistics::try_merge_iter(known, &self.schema)?;
        let scan = Scan { source: self.source(), schema: Arc::clone(&self.schema), columns: Arc::clone(&self.columns) };
        scan.plan(state, projection, files, |config| config.with_statistics(total).with_limit(limit))
    }

    /// The plans that read these files: those from which nothing was deleted, and the others.
    async fn scan_files(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        files: Vec<DataFile>,
        limit: Option<usize>,
    ) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
        let (whole, cut): (Vec<DataFile>, Vec<DataFile>) = files.into_iter().partition(|file| file.deletes.is_empty());
        let mut plans = self.scan_cut(state, projection, cut).await?;
        if !whole.is_empty() {
            plans.push(self.scan_whole(state, projection, &whole, limit)?);
        }
        Ok(plans)
    }
}

/// Iceberg's name mapping, or else the table's own spelling.
fn ids_by_name(table: &Table) -> HashMap<String, i32> {
    let own_names = || table.columns().iter().map(|column| (column.name.clone(), column.id)).collect();
    table.name_mapping().unwrap_or_else(own_names)
}

/// A file that is read as one piece or several.
pub(crate) fn listed(path: &str, size: u64) -> PartitionedFile {
    // Other engines may have escaped what they put into a name; it is read as it is written.
    let location = Path::parse(path).unwrap_or_else(|_| Path::from(path));
    let meta = ObjectMeta { location, last_modified: Default::default(), size, e_tag: None, version: None };
    PartitionedFile::new_from_meta(meta)
}

/// A column as the engine sees it.
pub(crate) fn expose(column: &Column, stored: &DataType, name: String) -> Field {
    Field::new(name, exposed_type(column, stored), true)
}

/// Texts and bytes are read as views, which the engine compares and groups without copying, and UUIDs as texts.
pub(crate) fn exposed_type(column: &Column, stored: &DataType) -> DataType {
    match stored {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::FixedSizeBinary(_) if column.ty.name() == "uuid" => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        other => other.clone(),
    }
}

/// The engine folds unquoted identifiers to lower case, so a name is exposed in lower case unless another name of the
/// table folds to the same: those are exposed between quotes, which no unquoted identifier spells.
pub(crate) fn exposed_names<'a>(stored: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let mut folded: HashMap<String, usize> = HashMap::new();
    for name in stored.clone() {
        *folded.entry(name.to_ascii_lowercase()).or_default() += 1;
    }
    let exposed = |name: &str| {
        let lower = name.to_ascii_lowercase();
        match folded.get(&lower) {
            Some(1) => lower,
            _ => format!("\"{name}\""),
        }
    };
    stored.map(exposed).collect()
}

impl fmt::Debug for LakeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LakeTable").field(&self.table.name().to_string()).finish()
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    fn statistics(&self) -> Option<Statistics> {
        let rows = usize::try_from(self.table.row_count()).ok()?;
        Some(Statistics::new_unknown(&self.schema).with_num_rows(Precision::Inexact(rows)))
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.table.files().await.map_err(|error| external(error.into()))?;
        let keep = self.prune(state, filters, &files)?;
        let kept: Vec<DataFile> =
            files.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(file, _)| file.clone()).collect();
        let skipped = u64::try_from(files.len() - kept.len()).unwrap_or(u64::MAX);
        self.reader.files_skipped.fetch_add(skipped, Ordering::Relaxed);
        let mut plans = self.scan_files(state, projection, kept, limit).await?;
        match plans.pop() {
            None => {
                let schema = match projection {
                    Some(indices) => Arc::new(self.schema.project(indices)?),
                    None => Arc::clone(&self.schema),
                };
                Ok(Arc::new(EmptyExec::new(schema)))
            }
            Some(only) if plans.is_empty() => Ok(only),
            Some(last) => UnionExec::try_new(plans.into_iter().chain([last]).collect()),
        }
    }
}

/// An error of this room on its way through the engine.
pub(crate) fn external(error: Error) -> datafusion::common::DataFusionError {
    datafusion::common::DataFusionError::External(Box::new(error))
}
