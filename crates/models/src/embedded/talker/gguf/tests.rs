use super::*;

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

/// A file that says a number and a list of texts, and has one tensor of 32 × 2 bytes with factors.
fn file() -> Vec<u8> {
    let mut file = [&BEGIN[..], &1u64.to_le_bytes(), &2u64.to_le_bytes()].concat();
    file.extend([text("size"), 4u32.to_le_bytes().to_vec(), 7u32.to_le_bytes().to_vec()].concat());
    file.extend([text("words"), 9u32.to_le_bytes().to_vec(), 8u32.to_le_bytes().to_vec()].concat());
    file.extend([2u64.to_le_bytes().to_vec(), text("a"), text("ß")].concat());
    file.extend([text("matrix"), 2u32.to_le_bytes().to_vec(), 32u64.to_le_bytes().to_vec()].concat());
    file.extend([2u64.to_le_bytes().to_vec(), 8u32.to_le_bytes().to_vec(), 0u64.to_le_bytes().to_vec()].concat());
    file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
    file.extend([1; 2 * 34]);
    file
}

#[test]
fn what_a_file_says_and_holds_is_read() {
    let file = file();
    let read = Gguf::read(&file).unwrap();
    assert_eq!((read.whole("size"), read.texts("words")), (Some(7), Some(&["a", "ß"][..])));
    assert_eq!((read.text("size"), read.real("size"), read.wholes("words")), (None, None, None));
    let matrix = read.tensor("matrix").unwrap();
    assert_eq!((matrix.shape, matrix.kind, matrix.bytes.len()), ([32, 2], Kind::Codes(Codes::Octets), 68));
    assert!(read.tensor("other").is_none());
}

#[test]
fn a_file_that_ends_anywhere_or_is_changed_anywhere_is_refused_or_read_and_nothing_worse() {
    let file = file();
    for end in 0..file.len() {
        assert!(Gguf::read(&file[..end]).is_none(), "cut at {end}");
    }
    for at in 0..file.len() {
        for byte in [0, 0x7f, 0xff] {
            let mut changed = file.clone();
            changed[at] = byte;
            drop(Gguf::read(&changed));
        }
    }
    assert!(Gguf::read(&[b"GGUF\x02\0\0\0", &file[8..]].concat()).is_none());
}
