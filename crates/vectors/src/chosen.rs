//! Which rows of a block a search may find.

use std::ops::Range;

use filters::Bits;

/// All rows, or those that a filter is about.
#[derive(Debug, Clone)]
pub(crate) struct Chosen(Option<Bits>);

impl Chosen {
    /// All rows.
    pub const ALL: Self = Self(None);

    /// Those whose bit is set.
    pub fn of(bits: Bits) -> Self {
        Self(Some(bits))
    }

    /// Those that are among others as well.
    pub fn and(&self, others: Option<Bits>) -> Self {
        let both = |(own, other): (&Bits, &Bits)| own.iter().zip(other.iter()).map(|(a, b)| a & b).collect();
        Self(self.0.as_ref().zip(others.as_ref()).map(both).or_else(|| self.0.clone()).or(others))
    }

    /// The bits, unless it is all rows.
    pub fn bits(&self) -> Option<&[u64]> {
        self.0.as_deref()
    }

    /// Whether a row is among them.
    pub fn has(&self, row: usize) -> bool {
        self.bits().is_none_or(|bits| bits[row / 64] >> (row % 64) & 1 == 1)
    }

    /// How many of these rows are among them.
    pub fn count(&self, rows: Range<usize>) -> usize {
        if self.0.is_none() { rows.len() } else { self.words(rows).map(|(_, word)| word.count_ones() as usize).sum() }
    }

    /// Those of these rows that are among them, ascending.
    pub fn within(&self, rows: Range<usize>) -> impl Iterator<Item = usize> {
        self.words(rows).flat_map(|(first, word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(first + bit as usize)
            })
        })
    }

    /// The words in which these rows lie, each with the row of its lowest bit; the bits of other rows are not set.
    fn words(&self, rows: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
        (rows.start / 64..rows.end.div_ceil(64)).map(move |at| {
            let (first, word) = (at * 64, self.0.as_ref().map_or(u64::MAX, |bits| bits[at]));
            let from = u64::MAX << rows.start.saturating_sub(first);
            let to = u64::MAX >> (first + 64).saturating_sub(rows.end);
            (first, word & from & to)
        })
    }
}
