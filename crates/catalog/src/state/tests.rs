use base::{CommitId, Seams};

use super::*;

fn put(name: &str, metadata: &str) -> Change {
    Change::TablePut(TablePut {
        name: name.parse().unwrap(),
        table_id: Uuid::nil(),
        metadata: metadata.into(),
        snapshot_id: Some(1),
        row_count: 3,
        fingerprint: "f".into(),
    })
}

fn record(version: u64, hours: i64, key: Option<&str>, changes: Vec<Change>) -> Record {
    let commit = Commit {
        id: CommitId::mint(&Seams::system()),
        author: "test".into(),
        message: String::new(),
        idempotency_key: key.map(Into::into),
        request: key.map(|_| "r".into()),
        changes,
    };
    let at = Timestamp::from_micros(hours * 3_600_000_000);
    Record { format: 1, version: Version(version), at, commits: vec![commit] }
}

#[test]
fn a_table_keeps_its_creation_time_and_its_last_version() {
    let mut state = State::empty();
    state.apply(&record(1, 1, None, vec![put("t", "a")]));
    state.apply(&record(2, 2, None, vec![put("other", "x")]));
    state.apply(&record(3, 3, None, vec![put("t", "b")]));
    let entry = &state.tables[&"t".parse().unwrap()];
    assert_eq!((entry.version, entry.metadata.as_str()), (Version(3), "b"));
    assert_eq!(entry.created_at, Timestamp::from_micros(3_600_000_000));
    assert_eq!(entry.updated_at, Timestamp::from_micros(3 * 3_600_000_000));
}

#[test]
fn a_key_answers_for_a_day_and_keeps_its_first_outcome() {
    let mut state = State::empty();
    state.apply(&record(1, 1, Some("k"), vec![put("t", "a")]));
    state.apply(&record(2, 2, None, vec![put("t", "b")]));
    let hour = |hours: i64| Timestamp::from_micros(hours * 3_600_000_000);
    assert_eq!(state.keyed("k", hour(25)).unwrap().entry.as_ref().unwrap().metadata, "a");
    assert!(state.keyed("k", hour(26)).is_none());
    state.apply(&record(3, 25, None, vec![]));
    assert_eq!(state.keys().count(), 1);
    state.apply(&record(4, 26, None, vec![]));
    assert_eq!(state.keys().count(), 0);
}
