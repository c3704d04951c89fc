//! Making codes: of one block at a time, beside everything else. Those of segments are kept in files of their own, which
//! may go at any time.

use std::sync::Arc;

use ann::{Codes, Origin};
use base::{Distance, Fault};
use bytes::Bytes;
use storage::{CacheDir, Mapped, Store, task};
use tokio::sync::Semaphore;

use crate::block::Block;
use crate::codes::{Coded, build, is_worth_it};
use crate::error::{Error, Result};
use crate::segment::Segment;
use crate::snapshot::Snapshot;
use crate::view::blocking;

/// Finds codes where they are kept, and makes those that are missing.
pub(crate) struct Coder {
    store: Store,
    cache: CacheDir,
    /// Held by whoever makes codes.
    turn: Semaphore,
}

impl Coder {
    pub fn new(store: Store, cache: CacheDir) -> Self {
        Self { store, cache, turn: Semaphore::new(1) }
    }

    /// Opens the codes of a snapshot's segments, where some are kept. What lies behind a network is fetched beside the
    /// caller.
    pub async fn find_all(self: &Arc<Self>, snapshot: &Snapshot) {
        for segment in snapshot.segments().filter_map(|block| block.segment()) {
            if !may_have_codes(segment) || !segment.coded().is_first() {
                continue;
            }
            if self.store.uri().starts_with("s3://") {
                let (coder, segment) = (Arc::clone(self), Arc::clone(segment));
                task::spawn("find codes", async move { coder.find(&segment).await });
            } else {
                self.find(segment).await;
            }
        }
    }

    /// Opens the codes of a segment, if some are kept and are sound. They are looked for once.
    async fn find(&self, segment: &Segment) {
        segment.coded().looked(self.look(segment)).await;
    }

    async fn look(&self, segment: &Segment) {
        let in_lake = self.store.mapped(&segment.derived(), &self.cache).await.ok();
        if !self.open(segment, in_lake).await {
            let in_cache = self.cache.mapped(&segment.derived_name()).await.ok().flatten();
            self.open(segment, in_cache).await;
        }
    }

    /// Takes over codes of a segment that lie in a file; whether they are what was made of it.
    async fn open(&self, segment: &Segment, found: Option<Mapped>) -> bool {
        let (Some(found), origin) = (found, segment.origin()) else { return false };
        match blocking("open codes", move || Codes::open(found, &origin)).await {
            Ok(Ok(codes)) => {
                segment.coded().keep(codes, 0);
                true
            }
            Ok(Err(error)) => {
                tracing::warn!(segment = %segment.name(), %error, "codes are not used, and made anew by a process that serves");
                false
            }
            Err(_) => false,
        }
    }

    /// Makes codes of a segment unless it has some, and keeps them: in the lake, or in the cache where the lake takes
    /// nothing.
    pub async fn code_segment(&self, segment: &Arc<Segment>) {
        if !may_have_codes(segment) {
            return;
        }
        self.find(segment).await;
        if !segment.coded().is_settled()
            && let Err(error) = self.make(segment).await
        {
            tracing::warn!(segment = %segment.name(), %error, cause = error.causes(), "a segment gets no codes");
            segment.coded().give_up();
        }
    }

    async fn make(&self, segment: &Arc<Segment>) -> Result<()> {
        let _turn = self.turn.acquire().await.map_err(|_| Error::Broken)?;
        let source = Arc::clone(segment);
        let make = move || Ok::<_, Error>(build(source.vectors(0..source.rows())?, &source.origin()));
        let made = blocking("make codes", make).await??;
        let kept = self.put(segment, made.clone()).await;
        if self.open(segment, kept).await { Ok(()) } else { hold(segment.coded(), made, segment.origin()).await }
    }

    /// Writes codes to where they are found again; none where that fails.
    async fn put(&self, segment: &Segment, made: Bytes) -> Option<Mapped> {
        let path = segment.derived();
        match self.store.put_mapped(&path, made.clone(), &self.cache).await {
            Ok(mapped) => Some(mapped),
            Err(error) => {
                tracing::info!(path, %error, "codes go into the cache, as the lake does not take them");
                let name = segment.derived_name();
                let mut writer = self.cache.writer(&name).await.ok()?;
                writer.append(&made).await.ok()?;
                writer.finish().await.ok()?;
                self.cache.mapped(&name).await.ok().flatten()
            }
        }
    }

    /// Makes codes of fresh rows, and keeps them in memory.
    pub async fn code_fresh(&self, block: &Arc<Block>, distance: Distance) {
        if let Err(error) = self.make_fresh(block, distance).await {
            tracing::warn!(%error, cause = error.causes(), "fresh rows get no codes");
            block.coded().give_up();
        }
    }

    async fn make_fresh(&self, block: &Arc<Block>, distance: Distance) -> Result<()> {
        let _turn = self.turn.acquire().await.map_err(|_| Error::Broken)?;
        let (origin, source) = (block.origin(distance), Arc::clone(block));
        let make = move || Ok::<_, Error>(build(source.vectors(0..source.rows())?, &origin));
        let made = blocking("make codes", make).await??;
        hold(block.coded(), made, origin).await
    }
}

/// Whether a segment may get codes that it does not have.
fn may_have_codes(segment: &Segment) -> bool {
    !segment.coded().is_settled() && is_worth_it(segment.rows(), segment.size())
}

/// Keeps codes in memory.
async fn hold(coded: &Coded, made: Bytes, origin: Origin) -> Result<()> {
    let memory = made.len();
    let codes = blocking("open codes", move || Codes::open(Mapped::from(made), &origin)).await?;
    codes.map(|codes| coded.keep(codes, memory)).map_err(Error::Codes)
}
