use base::{Distance, Timestamp};
use bytes::Bytes;
use catalog::{IndexEntry, IndexSettings};
use uuid::Uuid;

use super::*;
use crate::change::Item;
use crate::encode::encode;
use crate::fragment::Owner;
use crate::search::{Target, Wanted};

const DIMENSION: u32 = 64;

fn entry() -> IndexEntry {
    let settings =
        IndexSettings { dimension: DIMENSION, distance: Distance::Euclidean, m: 16, ef_search: None, model: None };
    IndexEntry {
        index_id: Uuid::from_u64_pair(1, 2),
        location: "indexes/people-1".into(),
        settings,
        sealed: None,
        created_at: Timestamp::from_micros(0),
        version: Version(1),
    }
}

fn owner() -> Owner {
    Owner::of(&"people".parse().unwrap(), &entry())
}

fn unsealed() -> Table {
    Table::new(&Ground::unsealed(&entry()))
}

fn take(table: &Table, number: u64, change: Change) {
    let bytes: Bytes = encode(&owner(), number, Uuid::nil(), &[Arc::new(change)]).unwrap();
    table.apply(&Fragment::read(bytes.into(), &owner(), number).unwrap()).unwrap();
}

/// Puts one item for each of these numbers.
fn put(table: &Table, number: u64, items: Range<u32>) {
    let item = |n: u32| Item {
        id: format!("{n:05}"),
        vector: vec![n as f32; DIMENSION as usize],
        metadata: None,
        ..Item::default()
    };
    take(table, number, Change::Put { items: items.map(item).collect(), fingerprint: None });
}

fn ids(snapshot: &Snapshot) -> Vec<String> {
    let target = Target::new(Distance::Euclidean, vec![0.0; DIMENSION as usize]);
    target
        .nearest(snapshot, &Wanted { k: 10_000, ..Wanted::default() })
        .unwrap()
        .iter()
        .map(|found| found.id.to_owned())
        .collect()
}

fn names(items: Range<u32>) -> Vec<String> {
    items.map(|n| format!("{n:05}")).collect()
}

#[test]
fn order_is_made_apart_from_taking_in_and_only_where_it_is_little_work() {
    let table = unsealed();
    put(&table, 1, 0..500);
    assert!(table.tidy(1), "one block is in order");
    put(&table, 2, 500..1000);
    assert!(!table.tidy(1), "a thousand rows are more than one");
    let before = table.snapshot();
    assert_eq!((before.blocks.len(), before.fragment, before.length), (2, 2, 1000));
    assert!(table.tidy(1000));
    let after = table.snapshot();
    assert_eq!((after.blocks.len(), after.fragment, after.length), (1, 2, 1000));
    assert_eq!(ids(&before), names(0..1000));
    assert_eq!(ids(&after), names(0..1000));
}

#[test]
fn a_worn_block_is_copied_apart_too_and_older_states_keep_it() {
    let table = unsealed();
    put(&table, 1, 0..1000);
    let full = table.snapshot();
    take(&table, 2, Change::Delete { ids: names(0..900) });
    assert!(!table.tidy(1));
    assert_eq!(table.snapshot().blocks[0].rows(), 1000);
    assert!(table.tidy(usize::MAX));
    assert_eq!(table.snapshot().blocks[0].rows(), 100);
    put(&table, 3, 950..960);
    assert!(table.tidy(usize::MAX));
    assert_eq!(ids(&table.snapshot()), names(900..1000));
    assert_eq!(ids(&full), names(0..1000));
    assert_eq!(table.item("00900").unwrap().unwrap().vector, vec![900.0; DIMENSION as usize]);
}

#[test]
fn the_weight_of_metadata_is_known_through_replacing_and_joining() {
    let table = unsealed();
    let item = |metadata: Option<serde_json::Value>| Item {
        id: "a".into(),
        vector: vec![1.0; DIMENSION as usize],
        metadata: metadata.and_then(|metadata| metadata.as_object().cloned()),
        ..Item::default()
    };
    let put = |item| Change::Put { items: vec![item], fingerprint: None };
    take(&table, 1, put(item(Some(serde_json::json!({ "k": "1234" })))));
    assert_eq!(table.snapshot().described(), 12);
    take(&table, 2, put(item(None)));
    assert!(table.tidy(usize::MAX));
    assert_eq!(table.snapshot().described(), 12);
    take(&table, 3, put(item(Some(serde_json::json!({})))));
    assert!(table.tidy(usize::MAX));
    assert_eq!(table.snapshot().described(), 2);
}
