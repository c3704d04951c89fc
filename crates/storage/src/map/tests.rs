use super::*;

fn check_aligned(mapped: &Mapped, expected: &[u8]) {
    assert_eq!(&**mapped, expected);
    assert_eq!(mapped.as_ptr().addr() % ALIGNMENT, 0);
}

#[test]
fn bytes_are_aligned_wherever_they_lay() {
    let bytes: Bytes = (0..=255_u8).cycle().take(1000).collect();
    for start in 0..70 {
        for end in [start, start + 1, start + 63, start + 64, start + 65, 1000] {
            let piece = bytes.slice(start..end);
            let mapped = Mapped::from(piece.clone());
            check_aligned(&mapped, &piece);
            assert_eq!(Bytes::from(mapped), piece);
        }
    }
}

#[test]
fn floats_are_whole_and_within() {
    let numbers = [1.5_f32, -0.0, f32::MAX, f32::MIN_POSITIVE, f32::NAN];
    let bytes: Bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let mapped = Mapped::from(bytes);
    let bits = |range| mapped.floats(range).map(|floats| floats.iter().map(|f| f.to_bits()).collect::<Vec<_>>());
    assert_eq!(bits(0..20), Some(numbers.map(f32::to_bits).to_vec()));
    assert_eq!(bits(4..12), Some(numbers[1..3].iter().map(|f| f.to_bits()).collect()));
    assert_eq!(bits(20..20), Some(vec![]));
    for outside in [0..21, 21..24, 1..5, 0..3, 0..24] {
        assert_eq!(bits(outside.clone()), None, "{outside:?}");
    }
}
