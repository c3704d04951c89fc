//! Joining: many small segments, or those of which most rows have ended, become one. No version answers otherwise for it.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use base::IndexName;
use catalog::{IndexEntry, SealFault, Sealer, StagedSeal};

use crate::block::Block;
use crate::codes::most_rows;
use crate::error::Result;
use crate::ground::Grounds;
use crate::seal::{Draft, Shelf, part};

/// So many neighbours of similar size become one.
const FEW: usize = 4;

/// Joins segments of one index, once.
pub(crate) struct Joining {
    shelf: Arc<Shelf>,
    grounds: Grounds,
    has_begun: AtomicBool,
}

impl Joining {
    pub fn new(shelf: Arc<Shelf>, grounds: Grounds) -> Self {
        Self { shelf, grounds, has_begun: AtomicBool::new(false) }
    }

    async fn join(&self, entry: &IndexEntry) -> Result<Option<StagedSeal>> {
        let snapshot = self.grounds.open(&self.shelf.owner, entry).await?.snapshot();
        let Some(run) = due(&snapshot.blocks) else { return Ok(None) };
        let fragment = snapshot.fragment;
        let parts: Vec<_> = snapshot.blocks[run.clone()].iter().map(|block| part(block, fragment)).collect();
        let mut draft = Draft::of(snapshot.blocks[..run.start].iter(), fragment)?;
        self.shelf.write(parts, &mut draft).await?;
        draft.keep(snapshot.blocks[run.end..].iter())?;
        self.shelf.end(draft, &snapshot).await.map(Some)
    }
}

#[async_trait]
impl Sealer for Joining {
    async fn stage(&self, _: &IndexName, entry: &Arc<IndexEntry>) -> Result<Option<StagedSeal>, SealFault> {
        // Asked again, it has lost to another seal, and its work is not repeated: the next round sees what is due then.
        if self.has_begun.swap(true, Ordering::AcqRel) { Ok(None) } else { Ok(self.join(entry).await?) }
    }
}

/// Which of the blocks of segments, oldest first, are to become one: the longest run at the end in which none is larger
/// than twice all after it, so that each row is copied about once for every doubling; or else one that has lost half its
/// rows.
pub(crate) fn due(blocks: &[Arc<Block>]) -> Option<Range<usize>> {
    let most = blocks.first().map_or(0, |block| most_rows(block.dimension()));
    let (mut begin, mut lives) = (blocks.len(), 0);
    while let Some(block) = begin.checked_sub(1).map(|before| &blocks[before]) {
        let fits = lives == 0 || block.lives() <= 2 * lives;
        if !fits || lives + block.lives() > most {
            break;
        }
        (begin, lives) = (begin - 1, lives + block.lives());
    }
    if blocks.len() - begin >= FEW {
        return Some(begin..blocks.len());
    }
    let worn = blocks.iter().position(|block| block.lives() * 2 <= block.rows() && block.lives() <= most);
    worn.map(|at| at..at + 1)
}
