use super::*;

/// The length of the structure, and what was told of it.
type Seen = (usize, Vec<(Vec<i16>, Value)>);

fn seen(bytes: &[u8]) -> Option<Seen> {
    let mut seen = Vec::new();
    let length = walk(bytes, &mut |path, value| {
        seen.push((path.to_vec(), value));
        true
    });
    length.map(|length| (length, seen))
}

#[test]
fn integers_and_lists_are_told_with_their_path() {
    // 1: i32 -3, 2: list of two structures with 1: i64 5, 4: text "ab", 5: true.
    let bytes = [0x15, 5, 0x19, 0x2c, 0x16, 10, 0, 0x16, 10, 0, 0x28, 2, b'a', b'b', 0x11, 0, 99];
    let expected = vec![
        (vec![1], Value::Int(-3)),
        (vec![2], Value::List(2)),
        (vec![2], Value::Structure),
        (vec![2, 1], Value::Int(5)),
        (vec![2], Value::Structure),
        (vec![2, 1], Value::Int(5)),
    ];
    assert_eq!(seen(&bytes), Some((16, expected)));
}

#[test]
fn claims_beyond_the_bytes_are_refused() {
    for bytes in [
        &[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0][..],
        &[0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 0],
        &[0x15],
        &[0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x1f, 0],
        &[],
    ] {
        assert_eq!(seen(bytes), None, "{bytes:?}");
    }
    assert_eq!(seen(&[0x1c; 100_000]), None, "nested without end");
    let lists = [&[0x19][..], &[0x19; 100_000]].concat();
    assert_eq!(seen(&lists), None, "lists of lists without end");
}
