//! Files of indexes as they are copied: what each says of its own bytes, read before the copy begins.

use std::sync::Arc;

use base::IndexName;
use catalog::IndexEntry;
use catalog::checksums::Checksums;
use crc32c::crc32c;
use storage::Store;

use crate::ends::Ends;
use crate::error::{Cause, Error, Result};
use crate::layout::{Flaw, HEADER, Header, number};
use crate::segment::{CHUNK, FOOTER, Footer};

/// A file of an index on the store: a fragment, a segment, or what a seal says beside them.
#[derive(Debug, Clone, Copy)]
pub struct StoredFile<'a> {
    /// The index.
    pub name: &'a IndexName,
    /// What a version says of it.
    pub index: &'a IndexEntry,
    /// Relative to the lake's root.
    pub path: &'a str,
}

/// Why what a file says of itself is not to be had.
enum Unread {
    Flaw(Flaw),
    Store(storage::Error),
}

impl From<Flaw> for Unread {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

impl From<storage::Error> for Unread {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Range { .. } => Self::Flaw(Flaw::Broken("it is cut off")),
            error => Self::Store(error),
        }
    }
}

impl StoredFile<'_> {
    /// The checksums of all of its bytes, as it states them. Fails with `vectors.damaged` when it is no such file.
    pub async fn checksums(&self, store: &Store) -> Result<Arc<Checksums>> {
        let pieces = match self.path.rsplit_once('.').map(|(_, kind)| kind) {
            Some("lhvs") => self.segment(store).await,
            Some("lhve") => self.ends(store).await,
            _ => self.fragment(store).await,
        };
        match pieces {
            Ok(pieces) => Ok(Arc::new(pieces.into_iter().collect())),
            Err(Unread::Store(error)) => Err(error.into()),
            Err(Unread::Flaw(Flaw::Newer { found, known })) => Err(Error::NewerFormat {
                what: format!("{} of {}", self.part(), self.name),
                found: found.into(),
                known: known.into(),
            }),
            Err(Unread::Flaw(flaw)) => Err(self.damaged(flaw)),
        }
    }

    /// The error that other bytes than it stated are.
    pub fn damaged(&self, cause: impl Into<Cause>) -> Error {
        Error::Damaged { index: self.name.clone(), part: self.part(), fragment: None, source: cause.into() }
    }

    fn part(&self) -> String {
        format!("the file {}", self.path.rsplit('/').next().unwrap_or(self.path))
    }

    /// Its chunks, then its sums and its footer.
    async fn segment(&self, store: &Store) -> Result<Vec<(u64, u32)>, Unread> {
        let size = store.head(self.path).await?.size;
        let begin = size.saturating_sub(FOOTER as u64);
        let footer = store.get_range(self.path, begin..size).await?;
        let stated = Footer::of(&footer)?;
        self.expect_owner((stated.index, stated.dimension))?;
        let end = stated.sums.0 as u64;
        let sums = store.get_range(self.path, end.min(begin)..begin).await?;
        stated.check_sums(&sums)?;
        let length = |chunk: usize| (CHUNK as u64).min(end - chunk as u64 * CHUNK as u64);
        let chunks = (0..sums.len() / 4).map(|chunk| (length(chunk), number(&sums, chunk * 4)));
        Ok(chunks.chain([&sums, &footer].map(|tail| (tail.len() as u64, crc32c(tail)))).collect())
    }

    async fn ends(&self, store: &Store) -> Result<Vec<(u64, u32)>, Unread> {
        let bytes = store.get(self.path).await?;
        let ends = Ends::decode(&bytes)?;
        self.expect_owner((ends.heading.index, self.index.settings.dimension))?;
        Ok(vec![(bytes.len() as u64, crc32c(&bytes))])
    }

    /// Its header, then its sections.
    async fn fragment(&self, store: &Store) -> Result<Vec<(u64, u32)>, Unread> {
        let size = store.head(self.path).await?.size;
        let bytes = store.get_range(self.path, 0..size.min(HEADER as u64)).await?;
        let header = Header::decode(&bytes)?;
        self.expect_owner((header.index, header.dimension))?;
        let fits = usize::try_from(size).is_ok_and(|size| header.places(size).is_some());
        fits.then_some(()).ok_or(Flaw::Broken("it is longer or shorter than it says"))?;
        let sections = header.sections.into_iter().filter(|(length, _)| *length > 0);
        Ok([(bytes.len() as u64, crc32c(&bytes))].into_iter().chain(sections).collect())
    }

    fn expect_owner(&self, stated: (uuid::Uuid, u32)) -> Result<(), Flaw> {
        if stated == (self.index.index_id, self.index.settings.dimension) {
            return Ok(());
        }
        Err(Flaw::Broken("it is a file of another index"))
    }
}
