//! Codes as bytes: those that are not what was built are refused.

use std::sync::LazyLock;

use ann::{Codes, Effort, Error, Near, Origin, build};
use base::{Distance, Fault, Kind};
use proptest::prelude::*;

use crate::sample::{clustered, origin};

const DIMENSION: usize = 20;

fn built() -> (Vec<f32>, Origin, Vec<u8>) {
    static BUILT: LazyLock<(Vec<f32>, Origin, Vec<u8>)> = LazyLock::new(|| {
        let vectors = clustered(700, DIMENSION, 2);
        let origin = origin(&vectors, DIMENSION, Distance::Cosine);
        let blob = build(&vectors, &origin, 1);
        (vectors, origin, blob)
    });
    BUILT.clone()
}

/// Makes all checksums right again, as nobody but a forger would.
fn reseal(blob: &mut [u8]) {
    const SECTIONS: usize = 11;
    let header = 16 + SECTIONS * 16;
    let mut start = header + 4;
    for section in 0..SECTIONS {
        let entry = 16 + section * 16;
        let length = u64::from_le_bytes(*blob[entry..].first_chunk().unwrap()) as usize;
        start = start.next_multiple_of(64);
        let Some(bytes) = blob.get(start..start.saturating_add(length)) else { break };
        let checksum = u64::from(crc32c::crc32c(bytes));
        blob[entry + 8..entry + 16].copy_from_slice(&checksum.to_le_bytes());
        start += length;
    }
    let checksum = crc32c::crc32c(&blob[..header]);
    blob[header..header + 4].copy_from_slice(&checksum.to_le_bytes());
}

#[test]
fn the_same_vectors_give_the_same_bytes() {
    let (vectors, origin, blob) = built();
    assert_eq!(build(&vectors, &origin, 1), blob);
    assert_ne!(build(&vectors, &origin, 2), blob);
}

#[test]
fn codes_of_other_vectors_are_refused() {
    let (_, origin, blob) = built();
    for other in [
        Origin { rows: 701, ..origin },
        Origin { dimension: 21, ..origin },
        Origin { measure: Distance::Dot, ..origin },
        Origin { checksum: 78, ..origin },
    ] {
        let refused = Codes::open(&blob, &other).unwrap_err();
        assert!(matches!(refused, Error::OtherVectors), "{other:?}");
        assert_eq!((refused.kind(), refused.code()), (Kind::Damaged, "ann.other_vectors"));
    }
}

#[test]
fn codes_of_a_newer_release_are_refused_as_such() {
    let (_, origin, mut blob) = built();
    blob[8] += 1;
    let refused = Codes::open(&blob, &origin).unwrap_err();
    assert_eq!(refused.to_string(), "the codes have format 4, and this program reads format 3: use a newer release");
}

#[test]
fn cut_or_extended_codes_are_refused() {
    let (_, origin, blob) = built();
    for length in (0..blob.len()).step_by(97) {
        assert!(matches!(Codes::open(&blob[..length], &origin), Err(Error::Damaged(_))), "{length} bytes");
    }
    let longer = [blob.as_slice(), &[0]].concat();
    assert!(matches!(Codes::open(longer, &origin), Err(Error::Damaged(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever codes say, a search stays within them and the vectors.
    #[test]
    fn forged_bytes_are_refused_or_lead_nowhere_else(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), any::<u8>()), 1..9),
    ) {
        let (vectors, origin, mut blob) = built();
        for (place, early, byte) in places {
            // Most of what could lead astray stands in the first sections.
            let place = place.index(if early { 2500 } else { blob.len() });
            blob[place] = byte;
        }
        reseal(&mut blob);
        if let Ok(codes) = Codes::open(blob, &origin) {
            let near = Near { vector: &vectors[..DIMENSION], k: 5, effort: Effort::MEASURED, rows: None };
            for found in [codes.search(&vectors, &near), codes.search_exactly(&vectors, &near)] {
                prop_assert!(found.iter().all(|found| (found.row as usize) < origin.rows));
            }
        }
    }

    /// Between sections lie bytes that mean nothing; codes with others there are the same codes.
    #[test]
    fn changed_bytes_are_refused_or_mean_nothing(places in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4)) {
        let (vectors, origin, mut blob) = built();
        let near = Near { vector: &vectors[..DIMENSION], k: 5, effort: Effort::MEASURED, rows: None };
        let whole = Codes::open(blob.clone(), &origin).unwrap().search(&vectors, &near);
        for (place, change) in places {
            let place = place.index(blob.len());
            blob[place] ^= change;
        }
        if let Ok(codes) = Codes::open(blob, &origin) {
            prop_assert_eq!(codes.search(&vectors, &near), whole);
        }
    }
}
