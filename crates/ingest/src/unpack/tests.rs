use std::io::{Seek, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn open(bytes: &[u8], limit: u64) -> Unpacked {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    Unpacked::open(file, ByteSize(limit)).unwrap()
}

fn unpack(bytes: &[u8], limit: u64) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    open(bytes, limit).read_to_end(&mut unpacked).map_err(Error::of_waiting)?;
    Ok(unpacked)
}

/// Bytes that do not pack.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| b"0123456789,\n"[at * at % 97 % 12]).collect()
}

#[test]
fn what_was_packed_comes_out() {
    for length in [0, 1, 100_000] {
        let text = text(length);
        assert_eq!(unpack(&text, 1 << 20).unwrap(), text);
        assert_eq!(unpack(&gzip(&text), 1 << 20).unwrap(), text);
        assert_eq!(unpack(&zstd(&text), 1 << 20).unwrap(), text);
    }
}

#[test]
fn members_and_frames_follow_each_other() {
    let (one, two) = (text(5000), text(7000));
    let both = [one.clone(), two.clone()].concat();
    assert_eq!(unpack(&[gzip(&one), gzip(&two)].concat(), 1 << 20).unwrap(), both);
    assert_eq!(unpack(&[zstd(&one), zstd(&two)].concat(), 1 << 20).unwrap(), both);
}

#[test]
fn what_is_cut_off_or_damaged_is_told_with_its_place() {
    let text = text(300_000);
    for packed in [gzip(&text), zstd(&text)] {
        let cut = unpack(&packed[..packed.len() - 5], 1 << 20).unwrap_err();
        assert!(matches!(cut, Error::Packed { position, .. } if position == packed.len() as u64 - 5), "{cut}");
        let mut changed = packed.clone();
        let middle = changed.len() / 2;
        changed[middle..middle + 8].fill(0xaa);
        let damaged = unpack(&changed, 1 << 20).unwrap_err();
        assert!(matches!(damaged, Error::Packed { .. }), "{damaged}");
        for tail in [&b"garbage"[..], &[0; 512]] {
            let followed = unpack(&[&packed[..], tail].concat(), 1 << 20).unwrap_err();
            assert!(matches!(followed, Error::Packed { .. }), "{followed}");
        }
    }
    for tail in [&b"junk"[..], b"more than a header", &[0; 512]] {
        let followed = unpack(&[gzip(&text), tail.to_vec()].concat(), 1 << 20).unwrap_err();
        assert!(followed.to_string().contains("bytes follow its end"), "{followed}");
    }
}

#[test]
fn more_than_the_limit_is_refused_before_it_is_unpacked() {
    let text = text(100_000);
    for packed in [gzip(&text), zstd(&text)] {
        assert_eq!(unpack(&packed, 100_000).unwrap().len(), 100_000);
        let refused = unpack(&packed, 99_999).unwrap_err();
        assert!(matches!(refused, Error::Inflated { ratio: None, .. }), "{refused}");
    }
}

/// Equal rows, so many megabytes of them: one member or frame of ten, over and over.
fn equal_rows(pack: fn(&[u8]) -> Vec<u8>, megabytes: usize) -> Vec<u8> {
    pack(&b"17,shipped,Toledo\n".repeat((10 << 20) / 18)).repeat(megabytes / 10)
}

#[test]
fn a_bomb_is_known_by_its_ratio_once_it_is_large() {
    const FREE: ByteSize = ByteSize::mib(32);
    for packed in [equal_rows(gzip, 10_000), equal_rows(zstd, 10_000)] {
        let open = || Unpacked { free: FREE, ..open(&packed, 1 << 40) };
        let refused = open().expect_no_bomb().unwrap_err();
        assert!(matches!(refused, Error::Inflated { ratio: Some(_), .. }), "{refused}");
        let mut bomb = open();
        let refused = std::io::copy(&mut bomb, &mut std::io::sink()).map_err(Error::of_waiting).unwrap_err();
        assert!(matches!(refused, Error::Inflated { ratio: Some(_), .. }), "{refused}");
        assert!(bomb.given <= FREE.0 + (1 << 20), "{}", bomb.given);
    }
}

#[test]
fn equal_rows_that_end_soon_are_no_bomb() {
    for pack in [gzip, zstd] {
        // A sorted file: packed alike, what follows would make gigabytes, but it does not pack at all.
        let sorted = [equal_rows(pack, 40), pack(&noise(1 << 20)).repeat(20)].concat();
        open(&sorted, 1 << 40).expect_no_bomb().unwrap();
        let unpacked = std::io::copy(&mut open(&sorted, 1 << 40), &mut std::io::sink()).unwrap();
        assert_eq!(unpacked, 4 * ((10 << 20) / 18 * 18) + (20 << 20));
    }
}

#[test]
fn a_giant_window_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.write_all(&text(1 << 20)).unwrap();
    let refused = unpack(&encoder.finish().unwrap(), 1 << 30).unwrap_err();
    assert!(refused.to_string().contains("window"), "{refused}");
}
