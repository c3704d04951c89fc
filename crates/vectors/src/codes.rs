//! Codes of rows: what finds the nearest among many without reading all vectors. They are derived: rows without them are
//! compared one by one, and whatever they find is compared with the vectors themselves.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use ann::{Codes, Effort, Near, Origin, Rows};
use bytes::Bytes;
use storage::Mapped;
use tokio::sync::OnceCell;

use crate::error::Result;

/// Fewer rows, or fewer bytes of vectors, are compared as fast without codes.
const FEWEST: usize = 512;
const LEAST: usize = 512 << 10;
/// The most bytes of vectors for which codes are made: that takes about two thirds of it in memory.
const MOST: usize = 1 << 30;
/// The most rows of a segment that is written: writing it takes some 32 bytes of memory a row.
const MOST_ROWS: usize = 2 << 20;
/// The most bytes of vectors whose codes are kept in memory.
const MOST_HELD: usize = 64 << 20;
/// Rows in memory are worth codes once they were searched so often since they last changed places.
const SEARCHES: u32 = 16;
/// After so many searches, what a search touches lies in memory.
const WARM: u32 = 64;
/// Codes pay off while they leave most of the rows aside: up to one in so many wanted.
const SPARSE: usize = 8;
/// The number that codes are rolled from: the same vectors have the same codes everywhere.
const SEED: u64 = 0x6c61_6b65;

/// What is known of the codes of one run of rows.
#[derive(Debug, Default)]
pub(crate) struct Coded {
    /// Nothing inside where there can be none.
    codes: OnceLock<Option<Kept>>,
    /// Whether somebody looks for them where they may be kept, and whether that is done.
    has_begun: AtomicBool,
    looked: OnceCell<()>,
    searches: AtomicU32,
}

/// What is looked for among the rows of some codes.
#[derive(Debug)]
pub(crate) struct Sought<'a> {
    pub vector: &'a [f32],
    pub k: usize,
    /// How many rows there are.
    pub all: usize,
    /// Those that may be found, as bits; all if absent.
    pub may: Option<&'a [u64]>,
}

impl<'a> Sought<'a> {
    fn near(&self, rows: Option<&'a Rows<'a>>) -> Near<'a> {
        Near { vector: self.vector, k: self.k, effort: Effort::MEASURED, rows }
    }
}

#[derive(Debug)]
struct Kept {
    codes: Codes<Mapped>,
    memory: usize,
}

impl Coded {
    /// Whether there are codes.
    pub fn is_there(&self) -> bool {
        self.kept().is_some()
    }

    /// Whether there are codes, or can be none.
    pub fn is_settled(&self) -> bool {
        self.codes.get().is_some()
    }

    /// Whether nobody has asked this before.
    pub fn is_first(&self) -> bool {
        !self.has_begun.swap(true, Ordering::Relaxed)
    }

    /// Looks for codes where they may be kept, or waits for whoever does.
    pub async fn looked(&self, look: impl Future<Output = ()>) {
        self.looked.get_or_init(|| look).await;
    }

    /// Says that there can be none.
    pub fn give_up(&self) {
        // Whoever was faster knew better.
        let _ = self.codes.set(None);
    }

    /// Takes over codes that lie in a file, or in memory.
    pub fn keep(&self, codes: Codes<Mapped>, memory: usize) {
        // Whoever was faster has the same.
        let _ = self.codes.set(Some(Kept { codes, memory }));
    }

    /// Counts a search, and answers whether there are codes for it.
    pub fn searched(&self) -> Option<&Self> {
        self.searches.fetch_add(1, Ordering::Relaxed);
        self.is_there().then_some(self)
    }

    /// Whether there are codes, and what searches touch lies in memory by now.
    pub fn is_warm(&self) -> bool {
        self.is_there() && self.searches.load(Ordering::Relaxed) >= WARM
    }

    /// Whether rows in memory with vectors of so many bytes should get codes, which are kept in memory as well.
    pub fn is_due(&self, rows: usize, size: usize) -> bool {
        is_worth_it(rows, size)
            && size <= MOST_HELD
            && !self.is_settled()
            && self.searches.load(Ordering::Relaxed) >= SEARCHES
    }

    /// How many bytes of memory the codes take.
    pub fn memory(&self) -> usize {
        self.kept().map_or(0, |kept| kept.memory)
    }

    /// Rows among which the nearest very likely are; none where they are to be found without codes.
    pub fn candidates(&self, sought: &Sought) -> Option<Vec<u32>> {
        let kept = self.kept().filter(|_| sought.k <= sought.all / SPARSE)?;
        let may = sought.may.map(Rows::new);
        Some(kept.codes.candidates(&sought.near(may.as_ref())))
    }

    /// Rows among which the nearest are, all that are as near as the last of them included; none where they are to be
    /// found without codes. `score` compares a row with the vector sought: the negative cosine, the square of the
    /// distance, or the negative inner product.
    pub fn proven(&self, sought: &Sought, score: impl Fn(usize) -> Result<f64>) -> Result<Option<Vec<u32>>> {
        let Some(kept) = self.kept().filter(|_| sought.k <= sought.all / SPARSE) else { return Ok(None) };
        let may = sought.may.map(Rows::new);
        let near = sought.near(may.as_ref());
        let likely = kept.codes.candidates(&near).into_iter().map(|row| score(row as usize));
        let mut scores = likely.collect::<Result<Vec<f64>>>()?;
        scores.sort_unstable_by(f64::total_cmp);
        let last = scores.get(sought.k.saturating_sub(1)).copied().unwrap_or(f64::INFINITY);
        Ok(Some(kept.codes.within(near.vector, near.rows, last)))
    }

    fn kept(&self) -> Option<&Kept> {
        self.codes.get()?.as_ref()
    }
}

/// How many rows a segment may have, so that codes can be made of it.
pub(crate) fn most_rows(dimension: u32) -> usize {
    (MOST / (dimension as usize * size_of::<f32>())).clamp(1, MOST_ROWS)
}

/// Whether codes can be made, and are faster than comparing so many rows, with vectors of so many bytes.
pub(crate) fn is_worth_it(rows: usize, size: usize) -> bool {
    rows >= FEWEST && (LEAST..=MOST).contains(&size)
}

/// Codes of vectors as bytes, made on half the cores.
pub(crate) fn build(vectors: &[f32], origin: &Origin) -> Bytes {
    let cores = rayon::current_num_threads().div_ceil(2);
    let built = match rayon::ThreadPoolBuilder::new().num_threads(cores).build() {
        Ok(pool) => pool.install(|| ann::build(vectors, origin, SEED)),
        Err(_) => ann::build(vectors, origin, SEED),
    };
    built.into()
}
