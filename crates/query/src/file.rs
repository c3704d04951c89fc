//! A file of the lake as the engine reads it: what its writer summed is checked before it is decoded.

use std::any::Any;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use base::DatasetName;
use bytes::Bytes;
use catalog::checksums::{self, Opened};
use datafusion::catalog::Session;
use datafusion::common::Result as EngineResult;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileMetrics;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadata, FileMetadataCache};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::ParquetMetaData;

use crate::error::Error;

/// Opens the files of one dataset; what it read of their ends is kept for all queries.
#[derive(Debug)]
pub(crate) struct Files {
    dataset: DatasetName,
    store: Arc<dyn ObjectStore>,
    ends: Arc<dyn FileMetadataCache>,
}

impl Files {
    pub(crate) fn new(dataset: &DatasetName, store: &Arc<dyn ObjectStore>, state: &dyn Session) -> Self {
        let ends = state.runtime_env().cache_manager.get_file_metadata_cache();
        Self { dataset: dataset.clone(), store: Arc::clone(store), ends }
    }

    /// A file to be read.
    pub(crate) fn open(&self, file: ObjectMeta, metrics: ParquetFileMetrics) -> File {
        let Self { dataset, store, ends } = self;
        let (dataset, store, ends) = (dataset.clone(), Arc::clone(store), Arc::clone(ends));
        File { dataset, store, ends, meta: file, opened: None, metrics }
    }
}

impl ParquetFileReaderFactory for Files {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        _: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> EngineResult<Box<dyn AsyncFileReader + Send>> {
        let metrics = ParquetFileMetrics::new(partition, file.object_meta.location.as_ref(), metrics);
        Ok(Box::new(self.open(file.object_meta, metrics)))
    }
}

/// A file that is being read.
pub(crate) struct File {
    dataset: DatasetName,
    store: Arc<dyn ObjectStore>,
    ends: Arc<dyn FileMetadataCache>,
    meta: ObjectMeta,
    opened: Option<Opened>,
    metrics: ParquetFileMetrics,
}

impl File {
    /// The end of the file. Files never change, so it is read once.
    async fn end(&mut self) -> ParquetResult<&Opened> {
        if self.opened.is_none() {
            self.opened = Some(match self.known() {
                Some(known) => known,
                None => self.read_end().await?,
            });
        }
        self.opened.as_ref().ok_or_else(|| ParquetError::General("the file has no end".to_owned()))
    }

    fn known(&self) -> Option<Opened> {
        let entry = self.ends.get(&self.meta.location).filter(|entry| entry.is_valid_for(&self.meta))?;
        entry.file_metadata.as_any().downcast_ref::<End>().map(|end| end.0.clone())
    }

    async fn read_end(&self) -> ParquetResult<Opened> {
        let fetch = |range: Range<u64>| async move { Ok(self.fetch(vec![range]).await?.swap_remove(0)) };
        let opened = checksums::open(self.meta.size, fetch).await.map_err(|error| self.damaged(error))?;
        let entry = CachedFileMetadataEntry::new(self.meta.clone(), Arc::new(End(opened.clone())));
        self.ends.put(&self.meta.location, entry);
        Ok(opened)
    }

    /// Bytes as they are stored, and as many as were asked for.
    async fn fetch(&self, ranges: Vec<Range<u64>>) -> ParquetResult<Vec<Bytes>> {
        let whole = |read: &Vec<Bytes>| {
            ranges.iter().zip(read).all(|(range, bytes)| bytes.len() as u64 == range.end - range.start)
        };
        match self.store.get_ranges(&self.meta.location, &ranges).await {
            Ok(read) if whole(&read) => Ok(read),
            Ok(_) => Err(self.damaged(self.shorter())),
            Err(error) => Err(self.unread(error).await),
        }
    }

    /// What a failed read means: damage when the file is gone or of another size, else the store's failure.
    async fn unread(&self, error: object_store::Error) -> ParquetError {
        if matches!(error, object_store::Error::NotFound { .. }) {
            return self.damaged(ParquetError::General("it is not there".to_owned()));
        }
        match self.store.head(&self.meta.location).await {
            Ok(found) if found.size < self.meta.size => self.damaged(self.shorter()),
            _ => ParquetError::External(error.into()),
        }
    }

    fn shorter(&self) -> ParquetError {
        ParquetError::General(format!("it is shorter than the {} bytes that its manifest states", self.meta.size))
    }

    async fn read(&mut self, ranges: Vec<Range<u64>>) -> ParquetResult<Vec<Bytes>> {
        let checksums = self.end().await?.checksums.clone();
        let read = self.fetch(ranges.clone()).await?;
        self.metrics.bytes_scanned.add(read.iter().map(Bytes::len).sum());
        for (range, bytes) in ranges.iter().zip(&read) {
            let checked = checksums.as_ref().map_or(Ok(()), |checksums| checksums.check(range.start, bytes));
            checked.map_err(|cause| self.damaged(ParquetError::External(cause)))?;
        }
        Ok(read)
    }

    /// Says which file of which dataset is damaged, unless that was said already or the store failed.
    fn damaged(&self, source: ParquetError) -> ParquetError {
        match source {
            ParquetError::External(inner) if inner.is::<Error>() || inner.is::<object_store::Error>() => {
                ParquetError::External(inner)
            }
            source => {
                let what = format!("the file {} of {}", self.meta.location, self.dataset);
                let damaged = catalog::Error::Damaged { what, source: source.into() };
                ParquetError::External(Box::new(Error::from(damaged)))
            }
        }
    }
}

impl AsyncFileReader for File {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move { Ok(self.read(vec![range]).await?.swap_remove(0)) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.read(ranges).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move { Ok(Arc::clone(&self.end().await?.footer)) }.boxed()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.metrics.scan_efficiency_ratio.add_part(self.metrics.bytes_scanned.value());
        // Several readers of one file tell the same total.
        self.metrics.scan_efficiency_ratio.set_total(usize::try_from(self.meta.size).unwrap_or(usize::MAX));
    }
}

/// The end of a file, as the engine's cache keeps it.
struct End(Opened);

impl FileMetadata for End {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn memory_size(&self) -> usize {
        self.0.footer.memory_size() + self.0.checksums.as_ref().map_or(0, |checksums| checksums.memory_size())
    }

    fn extra_info(&self) -> HashMap<String, String> {
        HashMap::new()
    }
}
