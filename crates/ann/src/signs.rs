//! Rows as one sign a dimension: how each lies around its centre, and two numbers that make the estimate of a distance
//! from it unbiased.
//!
//! With the row's residual r, its signs s, the centre c and the query q, the square of the distance is estimated as
//! |q-c|² + base - factor · 2<s,q>, where factor = |r|² / Σ|r| and base = |r|² + factor · 2<s,c>. <s,q> does not depend on the
//! centre, so one set of tables serves all partitions.

use crate::kernel::{BLOCK, Block, ENTRIES, GROUP, Kernel, PACK, PACKED, lane};

/// Dimensions whose signs are packed together.
const DIMENSIONS: usize = GROUP * PACKED;
/// Bytes of a block's bases, of its factors, and of the numbers of its rows.
const NUMBERS: usize = BLOCK * 4;
/// How much of a residual its signs do not tell, as the sine of the angle between them: nearly the same for every
/// residual that was turned at random.
const UNTOLD: f32 = 0.603;
/// The largest entry of a table: four of them are added in one byte.
const LARGEST: f32 = 63.0;

/// Packs that hold the signs of so many dimensions.
pub(crate) fn packs(width: usize) -> usize {
    width.div_ceil(DIMENSIONS)
}

/// Bytes of one block.
pub(crate) fn block_size(width: usize) -> usize {
    packs(width) * PACK + 3 * NUMBERS
}

/// Marks a place of a block that has no row.
pub(crate) const NOBODY: u32 = u32::MAX;

/// One block as it lies in the codes, and the numbers of its rows.
pub(crate) fn block(bytes: &[u8]) -> Option<(Block<'_>, &[[u8; 4]; BLOCK])> {
    let (bytes, rows) = bytes.split_last_chunk::<NUMBERS>()?;
    let (bytes, factors) = bytes.split_last_chunk::<NUMBERS>()?;
    let (signs, bases) = bytes.split_last_chunk::<NUMBERS>()?;
    let (lanes, _) = signs.as_chunks::<BLOCK>();
    let (bases, factors) = (bases.as_chunks().0.first_chunk()?, factors.as_chunks().0.first_chunk()?);
    Some((Block { signs: lanes.as_chunks().0, bases, factors }, rows.as_chunks().0.first_chunk()?))
}

/// Makes a block that is to be filled: places without a row are infinitely far away.
pub(crate) fn clear(bytes: &mut [u8]) {
    bytes.fill(0);
    let numbers = bytes.len() - 3 * NUMBERS;
    let (places, _) = bytes[numbers..].as_chunks_mut();
    places[..BLOCK].fill(f32::INFINITY.to_le_bytes());
    places[2 * BLOCK..].fill(NOBODY.to_le_bytes());
}

/// Writes one row, of this number, into its place in a block.
pub(crate) fn encode(number: u32, row: &[f32], centre: &[f32], place: usize, bytes: &mut [u8]) {
    let (mut square, mut total, mut along) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (dimension, (value, centre)) in row.iter().zip(centre).enumerate() {
        let residual = value - centre;
        square += residual * residual;
        total += residual.abs();
        along += if residual > 0.0 { *centre } else { -centre };
        if residual > 0.0 {
            set(dimension, place, bytes);
        }
    }
    let factor = if total > 0.0 { square / total } else { 0.0 };
    let numbers = bytes.len() - 3 * NUMBERS;
    let (places, _) = bytes[numbers..].as_chunks_mut();
    places[place] = (square + factor * 2.0 * along).to_le_bytes();
    places[BLOCK + place] = factor.to_le_bytes();
    places[2 * BLOCK + place] = number.to_le_bytes();
}

fn set(dimension: usize, place: usize, bytes: &mut [u8]) {
    let (pack, group, n) = (dimension / DIMENSIONS, dimension % DIMENSIONS / GROUP, dimension % GROUP);
    let (third, bit) = if group < PACKED - 1 { (group, n) } else { (n / 2, GROUP + n % 2) };
    bytes[pack * PACK + third * BLOCK + lane(place)] |= 1 << bit;
}

/// A query as tables.
#[derive(Debug)]
pub(crate) struct SignQuery {
    pub tables: Vec<[[u8; ENTRIES]; PACKED]>,
    /// What one step of the tables' sums adds to 2<s,q>.
    pub slope: f32,
    /// 2<s,q> where all sums are 0.
    lowest: f32,
    /// The variance of what rounding adds to 2<s,q>.
    rounding: f32,
}

impl SignQuery {
    pub fn new(query: &[f32], kernel: Kernel) -> Self {
        let count = packs(query.len());
        let mut values = query.to_vec();
        values.resize(count * DIMENSIONS, 0.0);
        let groups = values.as_chunks::<GROUP>().0;
        let widest =
            groups.iter().map(|group| group.iter().map(|value| 2.0 * value.abs()).sum::<f32>()).fold(0.0, f32::max);
        // Sums must fit 16 bits.
        let largest = LARGEST.min((f32::from(u16::MAX) / (groups.len() as f32)).floor());
        let inverse = if widest > 0.0 { (largest - 0.5) / widest } else { 0.0 };
        let mut tables = vec![[[0; ENTRIES]; PACKED]; count];
        for (group, table) in groups.iter().zip(tables.as_flattened_mut()) {
            kernel.table(group, inverse, table);
        }
        let step = if inverse > 0.0 { 1.0 / inverse } else { 0.0 };
        let rounding = 4.0 * step * step * groups.len() as f32 / 12.0;
        Self { tables, slope: 2.0 * step, lowest: -2.0 * kernel.magnitude(query), rounding }
    }

    /// What is added to 2<s,q> so that it is not less than it is without rounding: no entry of a table is off by more
    /// than half a step.
    pub fn most(&self) -> f32 {
        self.lowest + self.slope * (self.tables.len() * PACKED) as f32 / 2.0
    }

    /// What is added to 2<s,q> so that the score of a row is below its distance in all but as many cases as a normal
    /// distribution has beyond `margin` deviations; `square` is that of the query's distance to the centre.
    pub fn offset(&self, square: f32, margin: f32) -> f32 {
        self.lowest + margin * (4.0 * UNTOLD * UNTOLD * square + self.rounding).sqrt()
    }
}
