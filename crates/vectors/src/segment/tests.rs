use base::{Distance, Fault, Timestamp, Version};
use bytes::Bytes;
use catalog::{IndexEntry, IndexSettings};
use uuid::Uuid;

use super::*;
use crate::block::Block;
use crate::change::{Change, Item};
use crate::encode::encode;
use crate::fragment::Fragment;

const DIMENSION: u32 = 256;
/// More rows than one chunk holds.
const ROWS: usize = 100;

fn owner() -> Arc<Owner> {
    let settings =
        IndexSettings { dimension: DIMENSION, distance: Distance::Euclidean, m: 16, ef_search: None, model: None };
    let entry = IndexEntry {
        index_id: Uuid::from_u64_pair(1, 2),
        location: "indexes/people-1".into(),
        settings,
        sealed: None,
        created_at: Timestamp::from_micros(0),
        version: Version(1),
    };
    Arc::new(Owner::of(&"people".parse().unwrap(), &entry))
}

fn item(n: usize) -> Item {
    let vector = vec![if n == 7 { 1e30 } else { n as f32 }; DIMENSION as usize];
    let text = n.is_multiple_of(3).then(|| format!("says {n}").into());
    let metadata = n.is_multiple_of(2).then(|| serde_json::json!({ "n": n }).as_object().unwrap().clone());
    Item { id: format!("item-{n}"), vector, metadata, text }
}

/// A segment of all rows of one fragment, in two parts, as bytes.
async fn written() -> Vec<u8> {
    let (store, owner) = (testkit::lake::memory().await, owner());
    let items = (0..ROWS).map(item).collect();
    let change = Arc::new(Change::Put { items, fingerprint: None });
    let bytes: Bytes = encode(&owner, 1, Uuid::nil(), &[change]).unwrap();
    let block = Arc::new(Block::of(&Fragment::read(bytes.into(), &owner, 1).unwrap()));
    let parts = [0..40, 40..ROWS]
        .map(|rows| Part { block: Arc::clone(&block), rows: (rows.start as u32..rows.end as u32).collect() });
    write(&store, "s", &owner, (1, Uuid::max()), parts.into()).await.unwrap();
    store.get("s").await.unwrap().to_vec()
}

fn open(bytes: Vec<u8>) -> Result<Segment> {
    Segment::open(Bytes::from(bytes).into(), &owner(), "s.lhvs")
}

/// Whether every part of every row is as it was put.
fn is_whole(segment: &Segment, row: usize) -> Result<bool> {
    let (item, id) = (item(row), segment.id(row)?.to_owned());
    let metadata = item.metadata.as_ref().map(|metadata| serde_json::to_vec(metadata).unwrap());
    let scale = segment.scales(row..row + 1)?[0];
    Ok(segment.vectors(row..row + 1)? == item.vector
        && (scale.is_nan() == [0, 7].contains(&row))
        && segment.metadata(row)?.map(<[u8]>::to_vec) == metadata
        && segment.text(row)? == item.text.as_deref()
        && segment.find(Hash::of(&id), &id)? == Some(row)
        && id == item.id)
}

#[tokio::test]
async fn what_was_written_is_read_and_nothing_else_is_found() {
    let segment = open(written().await).unwrap();
    assert_eq!(segment.rows(), ROWS);
    assert!((0..ROWS).all(|row| is_whole(&segment, row).unwrap()));
    assert_eq!(segment.odd().unwrap(), [0, 7]);
    assert_eq!(segment.find(Hash::of("item-100"), "item-100").unwrap(), None);
    assert_eq!(segment.vectors(0..ROWS).unwrap().len(), ROWS * DIMENSION as usize);
}

#[tokio::test]
async fn a_segment_without_rows_is_one() {
    let (store, owner) = (testkit::lake::memory().await, owner());
    write(&store, "s", &owner, (1, Uuid::max()), Vec::new()).await.unwrap();
    let segment = open(store.get("s").await.unwrap().to_vec()).unwrap();
    assert_eq!((segment.rows(), segment.find(Hash::of("a"), "a").unwrap()), (0, None));
}

#[tokio::test]
async fn a_changed_byte_is_never_served_and_hides_no_other_chunk() {
    let whole = written().await;
    let begin = layout::HEAD;
    for at in [begin, begin + layout::CHUNK, begin + 30_000, whole.len() / 2, whole.len() - 300 - layout::FOOTER] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let segment = open(bytes).unwrap();
        let rows: Vec<_> = (0..ROWS).map(|row| is_whole(&segment, row)).collect();
        let damaged = rows.iter().filter_map(|row| row.as_ref().err());
        assert!(damaged.clone().count() > 0, "byte {at}");
        damaged.for_each(|error| assert_eq!(error.code(), "vectors.damaged"));
        assert!(rows.into_iter().all(|row| row.unwrap_or(true)), "byte {at}");
    }
    // The rows of the second chunk do not suffer from the first.
    let mut bytes = whole.clone();
    bytes[begin] ^= 1;
    let segment = open(bytes).unwrap();
    assert!(segment.vectors(0..1).is_err());
    assert!(segment.vectors(80..81).is_ok());
}

#[tokio::test]
async fn a_segment_that_is_cut_or_states_other_things_is_refused() {
    let whole = written().await;
    for length in [0, 3, 63, layout::FOOTER, whole.len() / 2, whole.len() - 1] {
        assert_eq!(open(whole[..length].to_vec()).unwrap_err().code(), "vectors.damaged", "{length} bytes");
    }
    for at in whole.len() - layout::FOOTER..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        assert!(open(bytes).is_err(), "byte {at}");
    }
    let mut newer = whole.clone();
    let at = whole.len() - layout::FOOTER + 4;
    newer[at] = 3;
    assert_eq!(open(newer).unwrap_err().code(), "vectors.newer_format");
    let other = Arc::new(Owner { index: Uuid::nil(), ..Owner::clone(&owner()) });
    assert!(Segment::open(Bytes::from(whole).into(), &other, "s.lhvs").is_err());
}
