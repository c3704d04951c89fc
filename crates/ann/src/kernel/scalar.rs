//! The reference: plain code.

use crate::kernel::{BLOCK, Block, Line, PACKED, Tables};

pub(super) fn scan(tables: &Tables, block: Block, line: Line, scores: &mut [f32; BLOCK]) -> u64 {
    let mut below = 0;
    for (row, score) in scores.iter_mut().enumerate() {
        let lane = lane(row);
        let sum: u32 = tables
            .iter()
            .zip(block.signs)
            .map(|(tables, signs)| {
                let [a, b, c] = signs.each_ref().map(|lanes| lanes[lane]);
                let groups = [a, b, c, fourth(a, b, c)];
                (0..PACKED).map(|n| u32::from(tables[n][usize::from(groups[n] & 63)])).sum::<u32>()
            })
            .sum();
        let (base, factor) = (f32::from_le_bytes(block.bases[row]), f32::from_le_bytes(block.factors[row]));
        *score = base - factor * (sum as f32 * line.slope + line.offset);
        below |= u64::from(*score < line.limit) << row;
    }
    below
}

/// The byte of a register in which a row's signs lie: rows of the first half in even bytes, so that sums of 16 bits come
/// out in order.
pub(crate) fn lane(row: usize) -> usize {
    if row < BLOCK / 2 { 2 * row } else { 2 * row - BLOCK + 1 }
}

/// The group that lies in the spare bits of three others.
pub(super) fn fourth(a: u8, b: u8, c: u8) -> u8 {
    (a >> 6) | ((b >> 6) << 2) | ((c >> 6) << 4)
}

pub(super) fn products(width: usize, queries: &[i8], rows: &[u8], products: &mut [i32]) {
    let pairs = queries.chunks_exact(width).flat_map(|query| rows.chunks_exact(width).map(move |row| (query, row)));
    for ((query, row), product) in pairs.zip(products) {
        *product = self::product(query, row);
    }
}

pub(super) fn product(query: &[i8], row: &[u8]) -> i32 {
    query.iter().zip(row).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}
