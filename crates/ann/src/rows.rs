//! Which rows may be found.

/// Rows as bits, the first row in the lowest bit of the first word.
#[derive(Debug)]
pub struct Rows<'a> {
    words: &'a [u64],
    count: usize,
}

impl<'a> Rows<'a> {
    /// Those whose bit is set; rows beyond the words are not among them.
    pub fn new(words: &'a [u64]) -> Self {
        Self { words, count: words.iter().map(|word| word.count_ones() as usize).sum() }
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether a row is among them.
    pub fn has(&self, row: u32) -> bool {
        self.words.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Their numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().zip((0..).step_by(64)).flat_map(|(word, first)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(first + bit)
            })
        })
    }
}
