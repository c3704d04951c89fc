//! A store in memory whose objects carry the times of a clock, and that can be copied as it stands.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use base::{Seams, Timestamp};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use storage::Store;

/// Where test lakes lie.
pub(crate) const URI: &str = "memory://lake";

/// Objects in memory. A clone is the same bucket.
#[derive(Clone)]
pub struct Bucket {
    memory: Arc<InMemory>,
    written: Arc<Mutex<HashMap<Path, Timestamp>>>,
    seams: Seams,
}

impl Bucket {
    /// An empty bucket that tells times by the clock of `seams`.
    pub fn new(seams: Seams) -> Self {
        Self { memory: Arc::new(InMemory::new()), written: Arc::default(), seams }
    }

    /// Another bucket with the same objects.
    #[must_use]
    pub fn fork(&self) -> Self {
        let written = Arc::new(Mutex::new(self.written().clone()));
        Self { memory: Arc::new(self.memory.fork()), written, seams: self.seams.clone() }
    }

    /// A store over it that never fails, treated as one behind a network.
    pub fn store(&self) -> Store {
        Store::over(Arc::new(self.clone()), URI, self.seams.clone())
    }

    fn note(&self, location: &Path) {
        self.written().insert(location.clone(), self.seams.now());
    }

    fn timed(&self, mut meta: ObjectMeta) -> ObjectMeta {
        if let Some(written) = self.written().get(&meta.location) {
            meta.last_modified = chrono::DateTime::from_timestamp_micros(written.micros()).unwrap_or_default();
        }
        meta
    }

    fn written(&self) -> MutexGuard<'_, HashMap<Path, Timestamp>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bucket")
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bucket")
    }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let put = self.memory.put_opts(location, payload, options).await?;
        self.note(location);
        Ok(put)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        // Only the end of an upload writes, and by then a little more time may have passed.
        self.note(location);
        self.memory.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut got = self.memory.get_opts(location, options).await?;
        got.meta = self.timed(got.meta);
        Ok(got)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.memory.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.memory.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let bucket = self.clone();
        self.memory.list(prefix).map(move |listed| listed.map(|meta| bucket.timed(meta))).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut listed = self.memory.list_with_delimiter(prefix).await?;
        listed.objects = listed.objects.into_iter().map(|meta| self.timed(meta)).collect();
        Ok(listed)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.memory.copy_opts(from, to, options).await?;
        self.note(to);
        Ok(())
    }
}
