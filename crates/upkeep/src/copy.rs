//! Files copied from one store to another, with their hashes, and the list of them.

use bytes::Bytes;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::Store;

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Copied {
    /// Relative to the lake's root.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Of the bytes, 64 hexadecimal digits.
    pub sha256: String,
}

/// What the bytes of a file are.
impl Copied {
    pub fn of(path: &str, bytes: &Bytes) -> Self {
        Self { path: path.to_owned(), size: bytes.len() as u64, sha256: hex::encode(Sha256::digest(bytes)) }
    }
}

/// Copies a file. When `expected` is given and the bytes are others, nothing becomes visible; the answer tells.
pub(crate) async fn copy(from: &Store, to: &Store, path: &str, expected: Option<&Copied>) -> storage::Result<Copied> {
    let mut reading = from.read(path, None).await?.stream;
    let mut writer = to.writer(path).await?;
    let (mut hash, mut size) = (Sha256::new(), 0);
    while let Some(bytes) = reading.try_next().await? {
        hash.update(&bytes);
        size += bytes.len() as u64;
        writer.append(bytes).await?;
    }
    let copied = Copied { path: path.to_owned(), size, sha256: hex::encode(hash.finalize()) };
    if expected.is_none_or(|expected| *expected == copied) {
        writer.finish().await?;
    }
    Ok(copied)
}
