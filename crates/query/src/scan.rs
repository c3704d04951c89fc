//! Parquet files of the lake as a plan.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use base::DatasetName;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use parquet::file::metadata::ParquetMetaData;

use crate::columns::ColumnsById;
use crate::file::Files;
use crate::provider::{LAKE_URL, Reader};

/// How files are read: those of which dataset, as which columns, and where each is found in a file.
pub(crate) struct Scan<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) schema: SchemaRef,
    pub(crate) columns: Arc<ColumnsById>,
}

/// Whose files are read, and where they lie.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) dataset: &'a DatasetName,
    pub(crate) reader: &'a Reader,
}

impl<'a> Scan<'a> {
    /// Reads columns by their ids, and by name from files without ids.
    pub(crate) fn new(source: Source<'a>, fields: Vec<(i32, Field)>, ids_by_name: HashMap<String, i32>) -> Self {
        let ids = fields.iter().map(|(id, _)| *id).collect();
        let schema = Arc::new(Schema::new(fields.into_iter().map(|(_, field)| field).collect::<Vec<_>>()));
        Self { source, schema, columns: Arc::new(ColumnsById::new(ids, ids_by_name)) }
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
            .with_parquet_file_reader_factory(Arc::new(self.source.files(state)));
        let scan = FileScanConfigBuilder::new(ObjectStoreUrl::parse(LAKE_URL)?, Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_expr_adapter(Some(Arc::clone(&self.columns) as _));
        Ok(DataSourceExec::from_data_source(with(scan).build()))
    }
}

impl Source<'_> {
    /// The footer of a file.
    pub(crate) async fn footer(self, state: &dyn Session, file: PartitionedFile) -> Result<Arc<ParquetMetaData>> {
        let mut open = self.files(state).create_reader(0, file, None, &ExecutionPlanMetricsSet::new())?;
        Ok(open.get_metadata(None).await?)
    }

    fn files(self, state: &dyn Session) -> Files {
        Files::new(self.dataset, &self.reader.store, state)
    }
}
