use super::*;

/// How many rows there are, and the values of the longest.
fn walked(levels: &[u8], values: u64) -> Option<(u64, u64)> {
    let mut rows = Rows::default();
    rows.walk(levels, 1, values)?;
    Some((rows.count, rows.longest))
}

#[test]
fn runs_and_groups_tell_how_long_rows_are() {
    // Five rows of one value.
    assert_eq!(walked(&[10, 0], 5), Some((5, 1)));
    // Of three rows the second has four values.
    assert_eq!(walked(&[4, 0, 6, 1, 2, 0], 6), Some((3, 4)));
    // The same as one group of eight levels, the last two of which are none.
    assert_eq!(walked(&[3, 0b0001_1100], 6), Some((3, 4)));
    // A run that claims more than there are.
    assert_eq!(walked(&[0xfe, 0xff, 0xff, 0xff, 0x0f, 0], 3), Some((3, 1)));
}

#[test]
fn wide_levels_lie_over_the_ends_of_bytes() {
    let packed = [0b0100_0001, 0b1000_0110, 0b0001_0000];
    let levels: Vec<u16> = (0..8).map(|at| level(&packed, 3, at)).collect();
    assert_eq!(levels, [1, 0, 1, 3, 0, 1, 4, 0]);
}

#[test]
fn levels_that_end_or_begin_nowhere_are_damaged() {
    for levels in [&[][..], &[10], &[2, 1], &[0, 0], &[5, 0], &[0xff; 12]] {
        assert_eq!(walked(levels, 9), None, "{levels:?}");
    }
}
