use std::path::{Path, PathBuf};

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::change::{Change, Item};
use crate::encode;

fn owner(dimension: u32) -> Owner {
    let (name, index) = ("people".parse().unwrap(), Uuid::from_u64_pair(7, 8));
    Owner { name, index, dimension, distance: Distance::Cosine, location: "indexes/people-1".into() }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn item(id: &str, vector: &[f32], metadata: Option<Value>) -> Item {
    Item { id: id.into(), vector: vector.to_vec(), metadata: metadata.map(object), ..Item::default() }
}

fn encoded(owner: &Owner, number: u64, changes: &[Change]) -> Bytes {
    let changes: Vec<Arc<Change>> = changes.iter().cloned().map(Arc::new).collect();
    encode::encode(owner, number, Uuid::from_u64_pair(1, number), &changes).unwrap()
}

fn read(bytes: &[u8], owner: &Owner, number: u64) -> Result<Fragment, Flaw> {
    Fragment::read(Bytes::copy_from_slice(bytes).into(), owner, number)
}

/// The changes that a fragment holds.
fn changes(fragment: &Fragment) -> Vec<Change> {
    let item = |row: usize| {
        let metadata = fragment.metadata(row).map(|text| serde_json::from_slice(text).unwrap());
        let vector = fragment.vectors()[row * fragment.dimension()..][..fragment.dimension()].to_vec();
        Item { id: fragment.id(row).into(), vector, metadata, text: fragment.text(row).map(Into::into) }
    };
    let change = |step| match step {
        Step::Put(rows) => {
            let fingerprint = fragment.fingerprint().map(str::to_owned);
            Change::Put { items: rows.map(item).collect(), fingerprint }
        }
        Step::Delete(deletes) => Change::Delete { ids: deletes.map(|at| fragment.deleted(at).into()).collect() },
    };
    fragment.steps().map(change).collect()
}

/// The changes of the fragment that is kept as `v1/fragments`.
fn kept_changes() -> Vec<Change> {
    let items = vec![
        item("plain", &[1.0, -0.0, f32::MIN_POSITIVE], None),
        item("cleared", &[0.25, f32::MAX, 3.0], Some(json!({}))),
        item("ünïcode 🚚", &[0.0, 0.0, 1e-42], Some(json!({"city": "Toledo", "nested": {"a": [1, 2.5, null]}}))),
    ];
    let fingerprint = Some("f".repeat(64));
    vec![
        Change::Put { items, fingerprint: fingerprint.clone() },
        Change::Delete { ids: vec!["plain".into(), "never there".into()] },
        Change::Put { items: vec![item("plain", &[9.0, 8.0, 7.0], None)], fingerprint },
    ]
}

#[expect(clippy::disallowed_methods, reason = "the kept fragment lies in the repository")]
#[test]
fn the_fragment_of_format_1_still_reads_and_is_still_written_so() {
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/formats/v1/fragments/00000000000000000042.lhvf");
    let written = encoded(&owner(3), 42, &kept_changes());
    if std::env::var_os("UPDATE_FORMATS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &written).unwrap();
    }
    let kept = std::fs::read(&path).unwrap();
    let fragment = read(&kept, &owner(3), 42).unwrap();
    assert_eq!((fragment.number(), fragment.writer()), (42, Uuid::from_u64_pair(1, 42)));
    assert_eq!(changes(&fragment), kept_changes());
    assert_eq!(fragment.metadata(0), None);
    assert_eq!(fragment.metadata(1), Some(b"{}".as_slice()));
    assert!(written == kept, "the same changes are written otherwise: that takes a new format");
}

/// Every cut, every longer file and every changed byte is seen.
#[test]
fn no_damage_goes_unseen() {
    let said = Item { text: Some("what the vector was made of".into()), ..item("said", &[1.0, 2.0, 3.0], None) };
    let said = Change::Put { items: vec![said], fingerprint: None };
    for changes in [kept_changes(), vec![said]] {
        expect_no_damage_unseen(&encoded(&owner(3), 42, &changes));
    }
}

fn expect_no_damage_unseen(bytes: &[u8]) {
    for end in 0..bytes.len() {
        assert!(matches!(read(&bytes[..end], &owner(3), 42), Err(Flaw::Broken(_))), "cut at {end}");
    }
    let longer = [bytes, &[0]].concat();
    assert!(matches!(read(&longer, &owner(3), 42), Err(Flaw::Broken(_))));
    for at in 0..bytes.len() {
        let mut garbled = bytes.to_vec();
        garbled[at] ^= 0x10;
        assert!(read(&garbled, &owner(3), 42).is_err(), "byte {at}");
    }
}

#[test]
fn a_fragment_is_no_other_ones() {
    let bytes = encoded(&owner(3), 42, &kept_changes());
    let other = Owner { index: Uuid::nil(), ..owner(3) };
    for (owner, number) in [(owner(3), 41), (other, 42), (owner(4), 42)] {
        assert_eq!(
            read(&bytes, &owner, number).unwrap_err(),
            Flaw::Broken("it is another fragment, or that of another index")
        );
    }
}

#[test]
fn a_newer_format_is_refused_by_name_and_damage_names_its_fragment() {
    let mut bytes = encoded(&owner(3), 42, &kept_changes()).to_vec();
    bytes[4] = 3;
    let flaw = read(&bytes, &owner(3), 42).unwrap_err();
    let error = owner(3).fault(42, flaw);
    assert_eq!(
        error.to_string(),
        "fragment 42 of people has format 3, and this program reads formats up to 2: use a newer release"
    );
    bytes[4] = 0;
    let error = owner(3).fault(42, read(&bytes, &owner(3), 42).unwrap_err());
    assert_eq!(error.to_string(), "fragment 42 of people is damaged");
}

/// A header with right checksums over sections that do not fit it: what a wrong writer, not a bad disk, would make.
#[test]
fn what_a_wrong_writer_could_state_is_refused() {
    let bytes = encoded(&owner(3), 42, &kept_changes());
    let header = Header::decode(&bytes).unwrap();
    let wrong: [fn(&mut Header); 5] = [
        |header| header.rows += 1,
        |header| header.deletes -= 1,
        |header| header.steps += 1,
        |header| header.sections.swap(0, 1),
        |header| header.sections[5].0 = u64::MAX,
    ];
    for change in wrong {
        let mut header = header.clone();
        change(&mut header);
        let lying = [&header.encode()[..], &bytes[crate::layout::HEADER..]].concat();
        assert!(matches!(read(&lying, &owner(3), 42), Err(Flaw::Broken(_))), "{header:?}");
    }
}

#[test]
fn a_vector_of_another_dimension_is_never_written_so_that_it_reads() {
    let change = Change::Put { items: vec![item("a", &[1.0, 2.0], None)], fingerprint: None };
    assert!(read(&encoded(&owner(3), 1, &[change]), &owner(3), 1).is_err());
}

fn any_item(dimension: usize) -> impl Strategy<Value = Item> {
    let vector = proptest::collection::vec(any::<f32>().prop_filter("a number", |number| !number.is_nan()), dimension);
    let metadata = proptest::option::of(proptest::collection::btree_map(".{0,5}", any::<i64>(), 0..3));
    let text = proptest::option::weighted(0.2, ".{1,5}");
    (".{0,9}", vector, metadata, text).prop_map(|(id, vector, metadata, text)| {
        let metadata = metadata.map(|fields| fields.into_iter().map(|(name, value)| (name, json!(value))).collect());
        Item { id, vector, metadata, text: text.map(Into::into) }
    })
}

fn any_change(dimension: usize) -> impl Strategy<Value = Change> {
    let put =
        proptest::collection::vec(any_item(dimension), 0..5).prop_map(|items| Change::Put { items, fingerprint: None });
    let delete = proptest::collection::vec(".{0,9}", 0..5).prop_map(|ids| Change::Delete { ids });
    prop_oneof![put, delete]
}

proptest! {
    #[test]
    fn changes_come_back_whole_and_in_order(
        (dimension, given) in (1_usize..9).prop_flat_map(|dimension| {
            (Just(dimension), proptest::collection::vec(any_change(dimension), 0..6))
        }),
    ) {
        let owner = owner(u32::try_from(dimension).unwrap());
        let fragment = read(&encoded(&owner, 1, &given), &owner, 1).unwrap();
        prop_assert_eq!(changes(&fragment), given);
        prop_assert_eq!(fragment.vectors().as_ptr().addr() % 64, 0);
    }
}
