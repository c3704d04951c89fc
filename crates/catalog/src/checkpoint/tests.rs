use base::Distance;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::index::{IndexModel, IndexSettings};

fn entry(seed: u64) -> TableEntry {
    TableEntry {
        table_id: Uuid::from_u64_pair(seed, 1),
        metadata: format!("tables/t-{seed}/metadata/0.metadata.json"),
        snapshot_id: (!seed.is_multiple_of(3)).then_some(i64::MAX - 7),
        row_count: seed,
        fingerprint: "f".into(),
        created_at: Timestamp::from_micros(1),
        updated_at: Timestamp::from_micros(2),
        version: Version(seed),
    }
}

fn index(seed: u64) -> IndexEntry {
    let model = IndexModel { name: "m".into(), fingerprint: "f".into() };
    let dimension = u32::try_from(seed % 4096).unwrap();
    IndexEntry {
        index_id: Uuid::from_u64_pair(seed, 2),
        location: format!("indexes/i-{seed}"),
        settings: IndexSettings {
            dimension,
            distance: if seed.is_multiple_of(2) { Distance::Dot } else { Distance::Cosine },
            m: 16,
            ef_search: seed.is_multiple_of(5).then_some(64),
            model: seed.is_multiple_of(3).then_some(model),
        },
        sealed: None,
        created_at: Timestamp::from_micros(1),
        version: Version(seed),
    }
}

/// What a state holds, in a comparable form.
fn cells(state: &State) -> Vec<String> {
    let rows = rows_of(state).unwrap();
    rows.into_iter().map(|row| format!("{} {} {}", row.kind, row.name, row.body)).collect()
}

proptest! {
    #[test]
    fn a_state_comes_back_whole(
        tables in proptest::collection::btree_map("[a-z]{1,9}", any::<u64>(), 0..40),
        indexes in proptest::collection::btree_map("[a-z]{1,9}", any::<u64>(), 0..9),
        keys in 0_u64..9,
    ) {
        let mut state = State::empty();
        state.version = Version(77);
        state.at = Timestamp::from_micros(1_700_000_000_000_000);
        let owned = Properties::from([("owner".to_owned(), "hr".to_owned())]);
        state.namespaces.insert("hr".into(), Arc::new(owned));
        state.tags.insert("may".parse().unwrap(), Version(3));
        for (name, seed) in tables {
            state.tables.insert(name.parse().unwrap(), Arc::new(entry(seed)));
        }
        for (name, seed) in indexes {
            state.indexes.insert(name.parse().unwrap(), Arc::new(index(seed)));
        }
        for key in 0..keys {
            let at = Timestamp::from_micros(1_700_000_000_000_000 + key as i64);
            let left = key.is_multiple_of(2).then(|| entry(key));
            let name = left.as_ref().map(|_| "t".parse().unwrap());
            let keyed = Keyed { at, request: "r".into(), name, entry: left, gone: vec![format!("gone {key}")] };
            state.keep_key(format!("key {key}"), keyed);
        }
        let (heading, rows) = decode(encode(&state).unwrap()).unwrap();
        prop_assert_eq!(heading.crc32c, checksum(&rows));
        let back = rebuild(&heading, &rows).unwrap();
        prop_assert_eq!((back.version, back.at), (state.version, state.at));
        prop_assert_eq!(cells(&back), cells(&state));
        prop_assert_eq!(back.indexes, state.indexes);
    }
}

#[tokio::test]
async fn a_checkpoint_whose_cells_were_changed_is_passed_over() {
    let store = testkit::lake::memory().await;
    let mut state = State::empty();
    state.version = Version(4);
    state.tables.insert("t".parse().unwrap(), Arc::new(entry(1)));
    write(&store, Role::Checkpoint, &state).await.unwrap();
    assert_eq!(newest(&store, None).await.unwrap().version, Version(4));
    let mut other = state.clone();
    other.tables.clear();
    // The right shape under the right name, with a heading that was made for other cells.
    let (heading, _) = decode(encode(&state).unwrap()).unwrap();
    assert_ne!(heading.crc32c, checksum(&rows_of(&other).unwrap()));
    other.version = Version(9);
    store.put(&Role::Checkpoint.path(Version(5)), encode(&other).unwrap()).await.unwrap();
    assert_eq!(newest(&store, None).await.unwrap().version, Version(4));
}

#[tokio::test]
async fn a_bit_of_a_stored_state_that_changed_is_damage() {
    let store = testkit::lake::memory().await;
    let mut state = State::empty();
    state.version = Version(4);
    state.at = Timestamp::from_micros(1_700_000_000_000_000);
    state.tags.insert("may".parse().unwrap(), Version(3));
    state.tables.insert("t".parse().unwrap(), Arc::new(entry(1)));
    let sound = bytes(&state).unwrap();
    for at in 0..sound.len() {
        let mut other = sound.to_vec();
        other[at] ^= 1 << (at * 5 % 8);
        store.put(&Role::Base.path(Version(4)), other.into()).await.unwrap();
        let read = load(&store, Role::Base, Version(4)).await;
        assert!(matches!(read, Err(Error::Damaged { .. })), "byte {at}: {:?}", read.map(|read| cells(&read)));
    }
}
