//! The store of one lake: named bytes, read and written through one set of verbs whatever lies below.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use base::{Seams, Timestamp};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::{
    GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion,
};

use crate::config::{Config, S3Config};
use crate::error::{Error, Result};
use crate::local::Directory;
use crate::location::Location;
use crate::map::Mapped;
use crate::path::{decode, encode};
use crate::s3;
use crate::task;
use crate::writer::Writer;

pub use crate::listing::Page;

/// How often a create that met another one under way is tried again.
const CONTENDED: usize = 5;

/// The store of one lake. All paths are relative to the lake's root, `/` between components. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Arc<dyn ObjectStore>,
    /// The backend again where it is a directory, which can do what the trait of all backends does not offer.
    directory: Option<Directory>,
    server: Option<Server>,
    uri: String,
    seams: Seams,
    nature: Nature,
}

/// Where a bucket is reached by others than us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The server's URL; empty for AWS itself.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
}

/// In what stores differ, as far as the verbs above them must know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nature {
    /// Whether a network lies between, so that a lost reply leaves the outcome of a write open.
    pub(crate) remote: bool,
    /// Writes of at least this many bytes go out in parts of this size.
    pub(crate) part: usize,
}

const MEMORY: Nature = Nature { remote: false, part: usize::MAX };
const DIRECTORY: Nature = Nature { remote: false, part: 1 << 20 };
const REMOTE: Nature = Nature { remote: true, part: 8 << 20 };

/// What is known of a stored object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the lake's root.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// When it was written.
    pub modified: Timestamp,
    /// Changes with every write; without quotes.
    pub etag: String,
}

/// An object being read.
pub struct Reading {
    /// What is read.
    pub entry: Entry,
    /// The bytes of it that the stream yields.
    pub range: Range<u64>,
    /// The bytes, in pieces of bounded size.
    pub stream: BoxStream<'static, Result<Bytes>>,
}

impl Store {
    /// Opens the store of a lake, creating its directory, and proves that a second create of one name fails on it. A
    /// directory that takes no writes now, for its disk is full or read-only, is opened to be read.
    pub async fn open(location: &Location, config: &Config, seams: Seams) -> Result<Self> {
        let store = match location {
            Location::Memory => Self::new(Arc::new(InMemory::new()), "memory://lake", MEMORY, seams),
            Location::Directory(path) => {
                let directory = Directory::open(path, config.durability, seams.clone()).await?;
                let uri = directory.uri()?;
                let backend = Arc::new(directory.clone());
                let (directory, server) = (Some(directory), None);
                Self { inner: Arc::new(Inner { backend, directory, server, uri, seams, nature: DIRECTORY }) }
            }
            Location::S3 { bucket, prefix } => {
                let backend = s3::connect(bucket, prefix, &config.s3)?;
                let S3Config { endpoint, region, .. } = config.s3.clone();
                let (uri, server) = (location.to_string(), Some(Server { endpoint, region }));
                Self { inner: Arc::new(Inner { backend, directory: None, server, uri, seams, nature: REMOTE }) }
            }
        };
        match store.probe().await {
            Err(error) if error.refuses_writes() && store.inner.directory.is_some() => {
                tracing::warn!(%error, lake = store.uri(), "nothing can be written now");
            }
            probed => probed?,
        }
        Ok(store)
    }

    /// Gives up a part of the room that a directory sets aside, for a commit that frees room on a full disk.
    pub async fn spend_reserve(&self) -> Result<()> {
        let Some(directory) = &self.inner.directory else { return Ok(()) };
        directory.spend_reserve().await.map_err(|error| self.fault("", error))
    }

    /// A store over a backend of other making that is rooted at the lake, treated as one behind a network. Nothing is
    /// proven: call [`Store::probe`].
    pub fn over(backend: Arc<dyn ObjectStore>, uri: &str, seams: Seams) -> Self {
        Self::new(backend, uri, REMOTE, seams)
    }

    fn new(backend: Arc<dyn ObjectStore>, uri: &str, nature: Nature, seams: Seams) -> Self {
        let (directory, server, uri) = (None, None, uri.to_owned());
        Self { inner: Arc::new(Inner { backend, directory, server, uri, seams, nature }) }
    }

    /// The lake's absolute address without a trailing slash: `file:///abs/lake`, `s3://bucket/prefix` or
    /// `memory://lake`.
    pub fn uri(&self) -> &str {
        &self.inner.uri
    }

    /// Where the bucket is reached, when the store is one.
    pub fn server(&self) -> Option<&Server> {
        self.inner.server.as_ref()
    }

    /// The backend, rooted at the lake, for libraries that read through it.
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.inner.backend)
    }

    /// The object's file, mapped; none when the store is no directory.
    pub(crate) async fn mapped_in_place(&self, path: &str) -> Result<Option<Mapped>> {
        let Some(directory) = &self.inner.directory else { return Ok(None) };
        let opened = directory.open_file(&encode(path)?).await.map_err(|error| self.fault(path, error))?;
        let mapped = task::blocking("map a file", move || Mapped::of(&opened)).await;
        mapped.map_err(|error| Error::Io { what: "map a file", source: error.into() })?.map(Some)
    }

    pub(crate) fn backend(&self) -> &dyn ObjectStore {
        self.inner.backend.as_ref()
    }

    pub(crate) fn nature(&self) -> Nature {
        self.inner.nature
    }

    pub(crate) fn seams(&self) -> &Seams {
        &self.inner.seams
    }

    /// The whole object.
    pub async fn get(&self, path: &str) -> Result<Bytes> {
        let found = self.backend().get(&encode(path)?).await;
        let result = found.map_err(|error| self.fault(path, error))?;
        result.bytes().await.map_err(|error| self.fault(path, error))
    }

    /// The bytes of one range, cut at the object's end. Fails with `Range` when it begins beyond that.
    pub async fn get_range(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        let stream = self.read(path, Some(range)).await?.stream;
        let pieces: Vec<Bytes> = stream.try_collect().await?;
        match <[Bytes; 1]>::try_from(pieces) {
            Ok([piece]) => Ok(piece),
            Err(pieces) => Ok(pieces.concat().into()),
        }
    }

    /// The object, or a range of it cut at its end, as a stream. Fails with `Range` when it begins beyond the end.
    pub async fn read(&self, path: &str, range: Option<Range<u64>>) -> Result<Reading> {
        if range.as_ref().is_some_and(Range::is_empty) {
            return self.read_nothing(path, range.unwrap_or_default().start).await;
        }
        let options = GetOptions::new().with_range(range.clone().map(GetRange::Bounded));
        match self.backend().get_opts(&encode(path)?, options).await {
            Ok(result) => Ok(self.reading(path, result)),
            Err(error) => Err(self.read_fault(path, range, error).await),
        }
    }

    fn reading(&self, path: &str, result: GetResult) -> Reading {
        let entry = self.entry(path, &result.meta);
        let range = result.range.clone();
        let (store, path) = (self.clone(), path.to_owned());
        let stream = result.into_stream().map_err(move |error| store.fault(&path, error)).boxed();
        Reading { entry, range, stream }
    }

    async fn read_nothing(&self, path: &str, at: u64) -> Result<Reading> {
        let entry = self.head(path).await?;
        if at > entry.size {
            return Err(Error::Range { size: entry.size });
        }
        Ok(Reading { entry, range: at..at, stream: stream::empty().boxed() })
    }

    /// Stores report a range beyond the end in their own ways, so the object's size decides.
    async fn read_fault(&self, path: &str, range: Option<Range<u64>>, error: object_store::Error) -> Error {
        let fault = self.fault(path, error);
        let Some(range) = range else { return fault };
        if matches!(fault, Error::NotFound { .. }) {
            return fault;
        }
        match self.head(path).await {
            Ok(entry) if range.start >= entry.size => Error::Range { size: entry.size },
            _ => fault,
        }
    }

    /// What is known of an object that another program wrote, and from here on is as durable as our own.
    pub async fn take_over(&self, path: &str) -> Result<Entry> {
        if let Some(directory) = &self.inner.directory {
            directory.harden(&encode(path)?).await.map_err(|error| self.fault(path, error))?;
        }
        self.head(path).await
    }

    /// Makes way for another program that shall write at a path, where that takes directories.
    pub async fn make_way(&self, path: &str) -> Result<()> {
        let Some(directory) = &self.inner.directory else { return Ok(()) };
        directory.make_way(&encode(path)?).await.map_err(|error| self.fault(path, error))
    }

    /// What is known of an object without reading it.
    pub async fn head(&self, path: &str) -> Result<Entry> {
        let meta = self.backend().head(&encode(path)?).await;
        meta.map(|meta| self.entry(path, &meta)).map_err(|error| self.fault(path, error))
    }

    /// Whether something is stored under exactly this name.
    pub async fn exists(&self, path: &str) -> Result<bool> {
        match self.head(path).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes an object that must not exist yet.
    ///
    /// `AlreadyExists` proves that the name is taken, though perhaps by this very call: a store may have repeated it
    /// after a lost reply, so whoever needs to know compares the content. `OutcomeUnknown` proves nothing.
    pub async fn create(&self, path: &str, bytes: Bytes) -> Result<Entry> {
        self.write(path, bytes, PutMode::Create).await
    }

    /// Writes or replaces an object; readers see the old bytes or the new ones, never a mixture.
    pub async fn put(&self, path: &str, bytes: Bytes) -> Result<Entry> {
        self.write(path, bytes, PutMode::Overwrite).await
    }

    /// Replaces an object that still carries this ETag; fails with `Precondition` when it is another by now.
    pub async fn replace(&self, path: &str, etag: &str, bytes: Bytes) -> Result<Entry> {
        match self.carries(path, etag).await? {
            Some(mode) => self.write(path, bytes, mode).await,
            None => Err(Error::Precondition { path: path.to_owned() }),
        }
    }

    /// Begins to write an object of any size piece by piece; it becomes visible, or is replaced, at `finish`.
    pub async fn writer(&self, path: &str) -> Result<Writer> {
        Ok(Writer::new(self.clone(), path.to_owned(), encode(path)?, PutMode::Overwrite))
    }

    /// Like `writer`, but the given condition must hold at `finish`.
    pub(crate) fn writer_if(&self, path: &str, mode: PutMode) -> Result<Writer> {
        Ok(Writer::new(self.clone(), path.to_owned(), encode(path)?, mode))
    }

    pub(crate) async fn write(&self, path: &str, bytes: Bytes, mode: PutMode) -> Result<Entry> {
        let location = encode(path)?;
        let size = bytes.len() as u64;
        for _ in 0..CONTENDED {
            let written =
                self.backend().put_opts(&location, PutPayload::from(bytes.clone()), mode.clone().into()).await;
            match written {
                Ok(result) => return Ok(self.written(path, size, result.e_tag)),
                Err(error) if self.is_contended(&mode, &error) && !self.exists(path).await? => continue,
                Err(error) => return Err(self.write_fault(path, &mode, error)),
            }
        }
        Err(Error::OutcomeUnknown { source: "other creators kept the name contended".into() })
    }

    /// S3 may refuse a create because another is still under way; unlike a proof that the name is taken, that one may
    /// yet fail and leave nothing.
    fn is_contended(&self, mode: &PutMode, error: &object_store::Error) -> bool {
        let taken = matches!(error, object_store::Error::AlreadyExists { .. });
        self.nature().remote && taken && *mode == PutMode::Create
    }

    pub(crate) fn written(&self, path: &str, size: u64, etag: Option<String>) -> Entry {
        let etag = plain_etag(etag.as_deref());
        Entry { path: path.to_owned(), size, modified: self.seams().now(), etag }
    }

    /// Copies an object within the store, replacing what is at `to`.
    pub async fn copy(&self, from: &str, to: &str) -> Result<Entry> {
        let copied = self.backend().copy(&encode(from)?, &encode(to)?).await;
        copied.map_err(|error| self.fault(from, error))?;
        self.head(to).await
    }

    /// Removes an object; one that is absent is removed already.
    pub async fn delete(&self, path: &str) -> Result<()> {
        match self.backend().delete(&encode(path)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.fault(path, error)),
        }
    }

    /// Removes an object that carries this ETag. A directory compares and removes in one step; other stores offer no
    /// such step, and a write between the two is removed there.
    pub(crate) async fn delete_if(&self, path: &str, etag: &str) -> Result<()> {
        if let Some(directory) = &self.inner.directory {
            return directory.delete_if(&encode(path)?, etag).await.map_err(|error| self.fault(path, error));
        }
        match self.carries(path, etag).await? {
            Some(_) => self.delete(path).await,
            None => Err(Error::Precondition { path: path.to_owned() }),
        }
    }

    pub(crate) fn entry(&self, path: &str, meta: &ObjectMeta) -> Entry {
        Entry {
            path: path.to_owned(),
            size: meta.size,
            modified: meta.last_modified.into(),
            etag: plain_etag(meta.e_tag.as_deref()),
        }
    }

    pub(crate) fn listed(&self, meta: &ObjectMeta) -> Entry {
        self.entry(&decode(meta.location.as_ref()), meta)
    }

    /// The condition that the object is still the one that carries this ETag; none when it is not even now.
    pub(crate) async fn carries(&self, path: &str, etag: &str) -> Result<Option<PutMode>> {
        let e_tag = match self.backend().head(&encode(path)?).await {
            Ok(meta) => meta.e_tag.filter(|found| plain_etag(Some(found)) == etag),
            Err(object_store::Error::NotFound { .. }) => None,
            Err(error) => return Err(self.fault(path, error)),
        };
        Ok(e_tag.map(|e_tag| PutMode::Update(UpdateVersion { e_tag: Some(e_tag), version: None })))
    }
}

fn plain_etag(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.uri())
    }
}
