//! A store that counts, and fails on purpose.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base::Seams;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error as Told, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use storage::Store;

/// What happens to the next publications of a record, one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It works, and the caller never hears of it.
    LosesReply,
    /// It fails without a trace, and the caller cannot tell.
    FailsBefore,
    /// It works, the store repeats it by itself, and reports that the name is taken.
    TakenByItself,
}

/// A store in memory whose calls can be counted and ended.
#[derive(Debug, Clone)]
pub struct Fickle {
    memory: Arc<InMemory>,
    calls: Arc<AtomicUsize>,
    /// Calls that still work; the one after them fails after its effect when `lasting`, and all later ones fail.
    left: Arc<AtomicUsize>,
    lasting: bool,
    mishaps: Arc<Mutex<Vec<Mishap>>>,
}

impl Fickle {
    pub fn new() -> Self {
        Self::over(Arc::new(InMemory::new()), usize::MAX, false)
    }

    /// A store over the same bytes that dies after `left` calls; with `lasting`, the last write still takes effect.
    pub fn over(memory: Arc<InMemory>, left: usize, lasting: bool) -> Self {
        let left = Arc::new(AtomicUsize::new(left));
        Self { memory, calls: Arc::default(), left, lasting, mishaps: Arc::default() }
    }

    pub fn memory(&self) -> Arc<InMemory> {
        Arc::clone(&self.memory)
    }

    pub fn store(&self) -> Store {
        Store::over(Arc::new(self.clone()), "memory://lake", Seams::system())
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Plans mishaps for the next creations of records, the last one first.
    pub fn plan(&self, mishaps: &[Mishap]) {
        *self.mishaps.lock().unwrap() = mishaps.to_vec();
    }

    /// Counts a call. `Err` ends it before its effect, `Ok(true)` after it.
    fn enter(&self) -> Result<bool> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
            usize::MAX => Some(left),
            _ => Some(left.saturating_sub(1)),
        });
        match left.unwrap() {
            0 => Err(dead()),
            1 => Ok(self.lasting),
            _ => Ok(false),
        }
    }

    fn mishap(&self, location: &Path, options: &PutOptions) -> Option<Mishap> {
        let record = location.as_ref().starts_with("_lake/log/") && options.mode == PutMode::Create;
        record.then(|| self.mishaps.lock().unwrap().pop()).flatten()
    }
}

fn dead() -> Told {
    Told::Generic { store: "fickle", source: "the store is gone".into() }
}

impl fmt::Display for Fickle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fickle")
    }
}

#[async_trait]
impl ObjectStore for Fickle {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let dies = self.enter()?;
        let mishap = self.mishap(location, &options);
        if mishap == Some(Mishap::FailsBefore) {
            return Err(dead());
        }
        let put = self.memory.put_opts(location, payload, options).await?;
        match mishap {
            Some(Mishap::LosesReply) => Err(dead()),
            Some(_) => Err(Told::AlreadyExists { path: location.to_string(), source: "412".into() }),
            None if dies => Err(dead()),
            None => Ok(put),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.enter()?;
        self.memory.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.enter()?;
        tokio::task::yield_now().await;
        self.memory.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.enter() {
            Ok(_) => self.memory.delete_stream(locations),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.enter() {
            Ok(_) => self.memory.list(prefix),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.enter()?;
        self.memory.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.enter()?;
        self.memory.copy_opts(from, to, options).await
    }
}
