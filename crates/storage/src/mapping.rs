//! Reading objects of a lake in place, wherever the lake lies.

use std::error::Error as _;

use bytes::Bytes;
use futures::{Stream, TryStreamExt, stream};
use sha2::{Digest, Sha256};

use crate::cache::CacheDir;
use crate::error::{Error, Result};
use crate::map::Mapped;
use crate::store::{Entry, Store};

impl Store {
    /// The whole object, to be read in place. A directory's file is mapped where it lies; what lies behind a network
    /// is fetched into `cache` once and mapped there, and held in memory where the cache takes nothing; memory is
    /// memory.
    pub async fn mapped(&self, path: &str, cache: &CacheDir) -> Result<Mapped> {
        if let Some(mapped) = self.mapped_in_place(path).await? {
            return Ok(mapped);
        }
        if !self.nature().remote {
            return Ok(self.get(path).await?.into());
        }
        let entry = self.head(path).await?;
        match cache.mapped(&self.cached_name(&entry)).await {
            Ok(Some(mapped)) if mapped.len() as u64 == entry.size => Ok(mapped),
            _ => self.fetch(path, cache).await,
        }
    }

    /// Writes an object, and maps it as [`Store::mapped`] does without fetching again what was just sent.
    pub async fn put_mapped(&self, path: &str, bytes: Bytes, cache: &CacheDir) -> Result<Mapped> {
        let entry = self.put(path, bytes.clone()).await?;
        if !self.nature().remote {
            return self.mapped(path, cache).await;
        }
        let pieces = stream::iter([Ok(bytes.clone())]);
        Ok(keep(pieces, &self.cached_name(&entry), cache).await?.unwrap_or_else(|error| {
            uncached(path, &error);
            bytes.into()
        }))
    }

    async fn fetch(&self, path: &str, cache: &CacheDir) -> Result<Mapped> {
        let reading = self.read(path, None).await?;
        let (name, size) = (self.cached_name(&reading.entry), reading.entry.size);
        match keep(reading.stream, &name, cache).await? {
            Ok(mapped) if mapped.len() as u64 == size => Ok(mapped),
            Ok(_) => Err(cut_short()),
            Err(error) => {
                uncached(path, &error);
                Ok(self.get(path).await?.into())
            }
        }
    }

    /// What an object is called in a cache: the name of this one write of it, in whatever lake.
    fn cached_name(&self, entry: &Entry) -> String {
        let parts = [self.uri(), &entry.path, &entry.etag, &entry.size.to_string()];
        let digest = parts.iter().fold(Sha256::new(), |digest, part| digest.chain_update(part).chain_update([0]));
        hex::encode(digest.finalize())
    }
}

/// Writes pieces of an object to a cache, and maps the whole there. The inner failure is the cache's, the outer one that
/// of whatever the pieces come from.
async fn keep(
    mut pieces: impl Stream<Item = Result<Bytes>> + Unpin,
    name: &str,
    cache: &CacheDir,
) -> Result<Result<Mapped>> {
    let mut writer = match cache.writer(name).await {
        Ok(writer) => writer,
        Err(error) => return Ok(Err(error)),
    };
    while let Some(piece) = pieces.try_next().await? {
        if let Err(error) = writer.append(&piece).await {
            return Ok(Err(error));
        }
    }
    let kept = async {
        writer.finish().await?;
        let gone = || Error::Io { what: "find a file in the cache", source: "it vanished a moment ago".into() };
        cache.mapped(name).await?.ok_or_else(gone)
    };
    Ok(kept.await)
}

fn uncached(path: &str, error: &Error) {
    let cause = error.source().map(ToString::to_string);
    tracing::warn!(path, %error, cause, "an object is held in memory, as the cache on disk does not take it");
}

fn cut_short() -> Error {
    Error::Unavailable { source: "fewer bytes came than the object has".into() }
}
