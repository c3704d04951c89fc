//! Reading objects of a lake in place, wherever the lake lies.

use bytes::Bytes;
use futures::TryStreamExt;
use sha2::{Digest, Sha256};

use crate::cache::CacheDir;
use crate::error::{Error, Result};
use crate::map::Mapped;
use crate::store::{Entry, Store};

impl Store {
    /// The whole object, to be read in place. A directory's file is mapped where it lies; what lies behind a network
    /// is fetched into `cache` once and mapped there; memory is memory.
    pub async fn mapped(&self, path: &str, cache: &CacheDir) -> Result<Mapped> {
        if let Some(mapped) = self.mapped_in_place(path).await? {
            return Ok(mapped);
        }
        if !self.nature().remote {
            return Ok(self.get(path).await?.into());
        }
        let entry = self.head(path).await?;
        match cache.mapped(&self.cached_name(&entry)).await? {
            Some(mapped) if mapped.len() as u64 == entry.size => Ok(mapped),
            _ => self.fetch(path, cache).await,
        }
    }

    /// Writes an object, and maps it as [`Store::mapped`] does without fetching again what was just sent.
    pub async fn put_mapped(&self, path: &str, bytes: Bytes, cache: &CacheDir) -> Result<Mapped> {
        let entry = self.put(path, bytes.clone()).await?;
        if self.nature().remote {
            let mut writer = cache.writer(&self.cached_name(&entry)).await?;
            writer.append(&bytes).await?;
            writer.finish().await?;
        }
        self.mapped(path, cache).await
    }

    async fn fetch(&self, path: &str, cache: &CacheDir) -> Result<Mapped> {
        let mut reading = self.read(path, None).await?;
        let name = self.cached_name(&reading.entry);
        let mut writer = cache.writer(&name).await?;
        while let Some(piece) = reading.stream.try_next().await? {
            writer.append(&piece).await?;
        }
        writer.finish().await?;
        let gone = || Error::Io { what: "find a file in the cache", source: "it vanished a moment ago".into() };
        let mapped = cache.mapped(&name).await?.ok_or_else(gone)?;
        if mapped.len() as u64 == reading.entry.size { Ok(mapped) } else { Err(cut_short()) }
    }

    /// What an object is called in a cache: the name of this one write of it, in whatever lake.
    fn cached_name(&self, entry: &Entry) -> String {
        let parts = [self.uri(), &entry.path, &entry.etag, &entry.size.to_string()];
        let digest = parts.iter().fold(Sha256::new(), |digest, part| digest.chain_update(part).chain_update([0]));
        hex::encode(digest.finalize())
    }
}

fn cut_short() -> Error {
    Error::Unavailable { source: "fewer bytes came than the object has".into() }
}
