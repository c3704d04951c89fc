//! A store that lies or dies on purpose.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error as Told, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What befalls the creation of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It happens, and its reply is lost.
    LosesReply,
    /// It does not happen, and its reply is lost.
    FailsBefore,
    /// It happens, and is said to have found the name taken.
    TakenByItself,
}

/// Memory behind a store that lies as planned and dies when its calls are used up.
#[derive(Debug)]
pub struct Fickle {
    memory: Arc<InMemory>,
    /// Mishaps of the next creations, the last one first.
    mishaps: Mutex<Vec<Mishap>>,
    /// Calls that are left.
    left: AtomicUsize,
    /// Whether the last call still takes effect.
    lasting: bool,
    calls: AtomicUsize,
}

impl Fickle {
    pub fn over(memory: Arc<InMemory>, left: usize, lasting: bool) -> Arc<Self> {
        let (left, calls) = (AtomicUsize::new(left), AtomicUsize::new(0));
        Arc::new(Self { memory, mishaps: Mutex::default(), left, lasting, calls })
    }

    pub fn new() -> Arc<Self> {
        Self::over(Arc::new(InMemory::new()), usize::MAX, false)
    }

    /// A store over it, as behind a network, under this address.
    pub fn store(self: &Arc<Self>, uri: &str) -> storage::Store {
        storage::Store::over(Arc::clone(self) as Arc<dyn ObjectStore>, uri, base::Seams::system())
    }

    pub fn memory(&self) -> Arc<InMemory> {
        Arc::clone(&self.memory)
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Plans mishaps for the next creations, the last one first.
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
        let creates = options.mode == PutMode::Create;
        let mishap = if creates { self.mishaps.lock().unwrap().pop() } else { None };
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
        self.memory.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.enter() {
            Ok(_) => self.memory.list(prefix),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.memory.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.memory.copy_opts(from, to, options).await
    }
}
