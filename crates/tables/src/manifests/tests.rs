use super::*;

const LOCATION: &str = "file:///lake/tables/t-1/metadata/12-m0.avro";

/// An Avro file as its library begins one: the mark, one entry, its end, and what follows.
fn plain() -> Vec<u8> {
    [MARK, &[ONE], &text("avro.schema"), &text("\"long\""), &[0], &[7; 16], b"rows"].concat()
}

#[test]
fn the_sum_is_one_more_entry_of_the_header() {
    let bytes = summed(LOCATION, &plain()).unwrap();
    assert_eq!(bytes.len(), plain().len() + growth(LOCATION));
    let (entry, at) = entry(LOCATION);
    assert_eq!(bytes[COUNT], 2 * ONE);
    assert!(bytes[COUNT + 1..].starts_with(&text(KEY)) && bytes[COUNT + 1 + entry.len()..] == plain()[COUNT + 1..]);
    assert!(bytes[at.end..].starts_with(b" 12-m0.avro"));
    expect_sound(LOCATION, &bytes).unwrap();
    assert_eq!(summed(LOCATION, b"PAR1"), None);
}

#[test]
fn a_bit_that_changed_is_told_unless_it_hides_the_sum() {
    let bytes = summed(LOCATION, &plain()).unwrap();
    let (entry, at) = entry(LOCATION);
    let hides =
        |byte: usize| (COUNT + 1..at.start).contains(&byte) || (at.end + 1..COUNT + 1 + entry.len()).contains(&byte);
    // One bit of the length before the sum says nothing: it is told, and the others hide the sum.
    let told = 8 * (at.start - 1);
    for bit in (0..8 * bytes.len()).filter(|bit| *bit != told) {
        let mut other = bytes.to_vec();
        other[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(expect_sound(LOCATION, &other).is_ok(), hides(bit / 8), "bit {bit}");
    }
    assert!(expect_sound(LOCATION, &bytes[..bytes.len() - 1]).is_err());
    assert_eq!(bytes[at.start - 1] & 1, 0);
}

#[test]
fn a_sum_that_was_copied_into_another_file_says_nothing_of_it() {
    let mut other = summed(LOCATION, &plain()).unwrap().to_vec();
    other.extend(b"more rows");
    expect_sound("file:///lake/tables/t-1/metadata/of-another.avro", &other).unwrap();
    expect_sound(LOCATION, &plain()).unwrap();
    expect_sound(LOCATION, b"").unwrap();
}

#[test]
fn a_whole_file_in_the_place_of_another_is_told() {
    let bytes = summed(LOCATION, &plain()).unwrap();
    expect_sound("s3://elsewhere/12-m0.avro", &bytes).unwrap();
    assert!(expect_sound("file:///lake/tables/t-1/metadata/13-m0.avro", &bytes).unwrap_err().contains("another file"));
}

#[test]
fn long_names_are_no_trap() {
    let location = format!("tables/t-1/metadata/{}.avro", "x".repeat(200));
    let bytes = summed(&location, &plain()).unwrap();
    assert_eq!(bytes.len(), plain().len() + growth(&location));
    expect_sound(&location, &bytes).unwrap();
    assert!(expect_sound(&location, &[&bytes[..], b"x"].concat()).is_err());
}

#[tokio::test]
async fn a_manifest_that_lies_elsewhere_is_told_by_its_own_name() {
    let (config, seams) = (storage::Config::default(), base::Seams::system());
    let store = storage::Store::open(&storage::Location::Memory, &config, seams.clone()).await.unwrap();
    let roots = crate::io::Roots::new(store.uri(), store.uri(), &[]);
    let (lake, name) = (Lake { store, roots, seams }, "t".parse().unwrap());
    let told = lake.manifest_bytes(&name, "s3://elsewhere/metadata/12-m0.avro").await.unwrap_err().to_string();
    assert_eq!(told, "the manifest 12-m0.avro of t is damaged");
    let told = lake.list_bytes(&name, "s3://elsewhere/snap-12.avro").await.unwrap_err().to_string();
    assert_eq!(told, "the manifest list snap-12.avro of t is damaged");
}
