//! Parquet files of the lake as a plan.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{CachedParquetFileReaderFactory, ParquetFileReaderFactory};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use parquet::file::metadata::ParquetMetaData;

use crate::columns::ColumnsById;
use crate::provider::{LAKE_URL, Reader};

/// How files are read: as which columns, and where each is found in a file.
pub(crate) struct Scan<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) schema: SchemaRef,
    pub(crate) columns: Arc<ColumnsById>,
}

impl<'a> Scan<'a> {
    /// Reads columns by their ids, and by name from files without ids.
    pub(crate) fn new(reader: &'a Reader, fields: Vec<(i32, Field)>, ids_by_name: HashMap<String, i32>) -> Self {
        let ids = fields.iter().map(|(id, _)| *id).collect();
        let schema = Arc::new(Schema::new(fields.into_iter().map(|(_, field)| field).collect::<Vec<_>>()));
        Self { reader, schema, columns: Arc::new(ColumnsById::new(ids, ids_by_name)) }
    }

    /// The plan that reads these files; `with` adds to its settings.
    pub(crate) fn plan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        files: Vec<PartitionedFile>,
        with: impl FnOnce(FileScanConfigBuilder) -> FileScanConfigBuilder,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let global = state.config_options().execution.parquet.clone();
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(TableParquetOptions { global, ..Default::default() })
            .with_parquet_file_reader_factory(Arc::new(factory(self.reader, state)));
        let scan = FileScanConfigBuilder::new(ObjectStoreUrl::parse(LAKE_URL)?, Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_expr_adapter(Some(Arc::clone(&self.columns) as _));
        Ok(DataSourceExec::from_data_source(with(scan).build()))
    }
}

/// The footer of a file.
pub(crate) async fn footer(
    reader: &Reader,
    state: &dyn Session,
    file: PartitionedFile,
) -> Result<Arc<ParquetMetaData>> {
    let (hint, metrics) = (file.metadata_size_hint, ExecutionPlanMetricsSet::new());
    let mut open = factory(reader, state).create_reader(0, file, hint, &metrics)?;
    Ok(open.get_metadata(None).await?)
}

fn factory(reader: &Reader, state: &dyn Session) -> CachedParquetFileReaderFactory {
    let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
    CachedParquetFileReaderFactory::new(Arc::clone(&reader.store), cache)
}
