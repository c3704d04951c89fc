use proptest::prelude::*;

use super::*;

const NEVER: u64 = u64::MAX;

fn naive(fragment: u64, ends: &[u64]) -> Vec<bool> {
    ends.iter().map(|end| *end > fragment).collect()
}

fn as_bools(bits: &[u64], rows: usize) -> Vec<bool> {
    (0..rows).map(|row| bits[row / 64] >> (row % 64) & 1 == 1).collect()
}

proptest! {
    /// Readers of any fragment see the same whoever asked before, while rows go on to end.
    #[test]
    fn the_bits_are_those_of_the_rows_that_end_later(
        rows in 1..200_usize,
        steps in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u64), 0..40),
    ) {
        let (visible, mut ends, mut fragment) = (Visible::default(), vec![NEVER; rows], 1);
        for (row, back) in steps {
            fragment += 1;
            let row = row.index(rows);
            if ends[row] == NEVER {
                ends[row] = fragment;
            }
            let ended = ends.iter().filter(|end| **end != NEVER).count();
            for reader in [fragment.saturating_sub(back), fragment] {
                let bits = visible.bits(reader, ended, ends.iter().copied(), NEVER);
                prop_assert_eq!(as_bools(&bits, rows), naive(reader, &ends));
            }
        }
    }
}
