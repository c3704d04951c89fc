//! The users' key space: what may be put where, how large, and how many at once.

use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;

use base::ByteSize;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use object_store::PutMode;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::Config;
use crate::error::{BodyError, Error, Result};
use crate::key::{Key, check_bound, home_of, key_at, path_of};
use crate::store::{Entry, Page, Reading, Store};
use crate::writer::Writer;

/// Seconds after which a refused put may try again.
const RETRY_AFTER: u64 = 5;
/// Keys under this prefix hold vector segments, which have a cap of their own.
const VECTORS: &str = "_vectors/";

/// The users' key space. Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    store: Store,
    limits: Arc<Limits>,
}

struct Limits {
    object: ByteSize,
    vector: ByteSize,
    slots: Semaphore,
}

/// What must hold for a put to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum If {
    /// Nothing: create or replace.
    Always,
    /// Nothing is stored under the key.
    Absent,
    /// What is stored carries this ETag.
    Matches(String),
}

/// What a put stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// The key as it was given.
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// Changes with every write; without quotes.
    pub etag: String,
    /// Of the bytes, 64 hexadecimal digits.
    pub sha256: String,
    /// Whether the key was free before.
    #[serde(skip)]
    pub created: bool,
}

impl Objects {
    /// The key space over a store.
    pub fn new(store: Store, config: &Config) -> Self {
        let slots = Semaphore::new(config.concurrent_puts);
        let limits = Limits { object: config.object_limit, vector: config.vector_limit, slots };
        Self { store, limits: Arc::new(limits) }
    }

    /// Stores the bytes of `body` under `key` if the condition holds. One that breaks off leaves nothing.
    pub async fn put<B>(&self, key: &Key, condition: If, declared: Option<u64>, body: B) -> Result<Stored>
    where
        B: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        refuse_reserved(key)?;
        let limit = self.limit(key);
        if declared.is_some_and(|declared| declared > limit.0) {
            return Err(Error::TooLarge { limit });
        }
        let _slot = self.slot()?;
        let path = key.path();
        self.refuse_prefix(&path).await?;
        let (mode, exists) = self.condition(&path, &condition).await?;
        let mut writer = self.store.writer_if(&path, mode)?;
        let sha256 = pour(body, &mut writer, limit, declared).await?;
        let entry = writer.finish().await.map_err(|error| unmet(error, &condition))?;
        Ok(Stored { key: key.to_string(), size: entry.size, etag: entry.etag, sha256, created: !exists })
    }

    fn limit(&self, key: &Key) -> ByteSize {
        if key.as_str().starts_with(VECTORS) { self.limits.vector } else { self.limits.object }
    }

    fn slot(&self) -> Result<SemaphorePermit<'_>> {
        self.limits.slots.try_acquire().map_err(|_| Error::Busy { retry_after: RETRY_AFTER })
    }

    /// What must hold when the object becomes visible, and whether the key is taken now. What does not even hold now
    /// is refused before the body is read.
    async fn condition(&self, path: &str, condition: &If) -> Result<(PutMode, bool)> {
        let met = match condition {
            If::Always => return Ok((PutMode::Overwrite, self.store.exists(path).await?)),
            If::Absent if self.store.exists(path).await? => None,
            If::Absent => Some((PutMode::Create, false)),
            If::Matches(etag) => self.store.carries(path, etag).await?.map(|mode| (mode, true)),
        };
        met.ok_or_else(|| Error::Precondition { path: key_at(path).to_owned() })
    }

    /// A directory cannot hold `a` beside `a/b`, so no store may: a lake can then be copied to any other. Two puts at
    /// once can still slip past each other where names are flat; a directory itself refuses the second.
    async fn refuse_prefix(&self, path: &str) -> Result<()> {
        let taken = || Error::KeyIsPrefix { path: key_at(path).to_owned() };
        if !self.store.list(&format!("{path}/"), None, 1).await?.entries.is_empty() {
            return Err(taken());
        }
        let ancestors = path.match_indices('/').skip(1).map(|(at, _)| &path[..at]);
        for ancestor in ancestors {
            if self.store.exists(ancestor).await? {
                return Err(taken());
            }
        }
        Ok(())
    }

    /// The object, or a range of it, as a stream. The lake's own files can be read too.
    pub async fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Reading> {
        self.store.read(&key.path(), range).await.map_err(in_keys)
    }

    /// What is known of an object without reading it.
    pub async fn head(&self, key: &Key) -> Result<Entry> {
        self.store.head(&key.path()).await.map_err(in_keys)
    }

    /// Removes an object, whichever it is or only the one that carries `etag`. One that is absent is removed already
    /// and carries no ETag.
    pub async fn delete(&self, key: &Key, etag: Option<&str>) -> Result<()> {
        refuse_reserved(key)?;
        let path = key.path();
        let deleted = match etag {
            None => self.store.delete(&path).await,
            Some(etag) => self.store.delete_if(&path, etag).await,
        };
        deleted.map_err(in_keys)
    }

    /// At most `limit` objects whose keys begin with `prefix`, those after the text `after` only, in the order of
    /// [`Page`]. Paths are keys here.
    pub async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        check_bound(prefix)?;
        after.map_or(Ok(()), check_bound)?;
        // Both bounds lie in one space: that of the users' keys, or that of the lake's own files.
        let after = after.map(|after| format!("{}{after}", home_of(prefix)));
        let mut page = self.store.list(&path_of(prefix), after.as_deref(), limit).await?;
        for entry in &mut page.entries {
            entry.path = key_at(&entry.path).to_owned();
        }
        page.next = page.next.map(|next| key_at(&next).to_owned());
        Ok(page)
    }
}

fn refuse_reserved(key: &Key) -> Result<()> {
    key.reserved_prefix().map_or(Ok(()), |prefix| Err(Error::Reserved { prefix }))
}

/// Moves a body into a writer, never more than the limit or other than declared. Answers its SHA-256.
async fn pour<B>(body: B, writer: &mut Writer, limit: ByteSize, declared: Option<u64>) -> Result<String>
where
    B: Stream<Item = Result<Bytes, BodyError>> + Send,
{
    let mut body = pin!(body);
    let mut digest = Sha256::new();
    let mut size = 0;
    while let Some(bytes) = body.next().await {
        let bytes = bytes?;
        size += bytes.len() as u64;
        if size > limit.0 {
            return Err(Error::TooLarge { limit });
        }
        digest.update(&bytes);
        writer.append(bytes).await?;
    }
    if declared.is_some_and(|declared| declared != size) {
        return Err(BodyError::Broken("its length is not the one declared".into()).into());
    }
    Ok(hex::encode(digest.finalize()))
}

/// A name that was taken meanwhile means that the stated condition does not hold.
fn unmet(error: Error, condition: &If) -> Error {
    match (in_keys(error), condition) {
        (Error::AlreadyExists { path }, If::Absent) => Error::Precondition { path },
        (error, _) => error,
    }
}

/// The same error, speaking of keys where the store speaks of paths.
fn in_keys(error: Error) -> Error {
    let key = |path: String| key_at(&path).to_owned();
    match error {
        Error::NotFound { path } => Error::NotFound { path: key(path) },
        Error::AlreadyExists { path } => Error::AlreadyExists { path: key(path) },
        Error::Precondition { path } => Error::Precondition { path: key(path) },
        Error::KeyIsPrefix { path } => Error::KeyIsPrefix { path: key(path) },
        error => error,
    }
}
