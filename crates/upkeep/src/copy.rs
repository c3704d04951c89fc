//! Files copied from one store to another, with their hashes, and the list of them.

use bytes::Bytes;
use catalog::checksums::Watch;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::Store;

type Cause = Box<dyn std::error::Error + Send + Sync>;

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

/// What a file is expected to be.
pub(crate) enum Expected<'a> {
    /// These very bytes.
    Bytes(&'a Copied),
    /// What its own checksums say, when it has any.
    Sound(Option<Watch>),
}

/// Copies a file. When its bytes are not as expected, nothing becomes visible, and the inner answer tells.
pub(crate) async fn copy(
    from: &Store,
    to: &Store,
    path: &str,
    mut expected: Expected<'_>,
) -> storage::Result<Result<Copied, Cause>> {
    let mut reading = from.read(path, None).await?.stream;
    let mut writer = to.writer(path).await?;
    let (mut hash, mut size) = (Sha256::new(), 0);
    while let Some(bytes) = reading.try_next().await? {
        if let Expected::Sound(Some(watch)) = &mut expected
            && let Err(cause) = watch.pass(&bytes)
        {
            return Ok(Err(cause));
        }
        hash.update(&bytes);
        size += bytes.len() as u64;
        writer.append(bytes).await?;
    }
    let copied = Copied { path: path.to_owned(), size, sha256: hex::encode(hash.finalize()) };
    match expected {
        Expected::Bytes(expected) if *expected != copied => Ok(Err("it has other bytes".into())),
        Expected::Sound(Some(watch)) if !watch.is_over() => Ok(Err("it is shorter than it states".into())),
        _ => {
            writer.finish().await?;
            Ok(Ok(copied))
        }
    }
}
