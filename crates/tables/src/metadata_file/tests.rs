use super::*;

#[test]
fn names_count_up_whatever_form_the_file_before_has() {
    let id = uuid::Uuid::nil();
    let after = |previous| name(previous, id);
    assert_eq!(after(None), format!("00000-{id}.gz.metadata.json"));
    assert_eq!(after(Some("tables/t-1/metadata/00041-x.metadata.json")), format!("00042-{id}.gz.metadata.json"));
    assert_eq!(after(Some("tables/t-1/metadata/99999-x.gz.metadata.json")), format!("100000-{id}.gz.metadata.json"));
    assert_eq!(after(Some("tables/t-1/metadata/of-an-outsider.json")), format!("00001-{id}.gz.metadata.json"));
}

#[test]
fn what_is_no_metadata_is_damaged() {
    let what = || "the metadata of t".to_owned();
    for bytes in [&b""[..], b"{", b"\x1F\x8B", b"\x1F\x8B\x08\0\0\0\0\0\0\xFFgarbage"] {
        assert!(matches!(decode(what, bytes), Err(Error::Damaged { .. })), "{bytes:?}");
    }
}

#[test]
fn what_branches_and_tags_name_is_told_the_same_from_the_file_and_from_what_was_read() {
    let snapshot = |id: i64| {
        let summary = serde_json::json!({"operation": "append"});
        serde_json::json!({"snapshot-id": id, "sequence-number": id, "timestamp-ms": id, "manifest-list": "m",
            "summary": summary, "schema-id": 0})
    };
    let file = serde_json::json!({
        "format-version": 2, "table-uuid": uuid::Uuid::nil(), "location": "memory://lake/tables/t-1",
        "last-sequence-number": 4, "last-updated-ms": 4, "last-column-id": 1, "last-partition-id": 999,
        "current-schema-id": 0, "default-spec-id": 0, "default-sort-order-id": 0, "current-snapshot-id": 4,
        "schemas": [{"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "id", "required": false, "type": "long"}]}],
        "partition-specs": [{"spec-id": 0, "fields": []}], "sort-orders": [{"order-id": 0, "fields": []}],
        "snapshots": [snapshot(1), snapshot(2), snapshot(3), snapshot(4)],
        "refs": {
            "main": {"snapshot-id": 4, "type": "branch"}, "audit": {"snapshot-id": 3, "type": "branch"},
            "first": {"snapshot-id": 1, "type": "tag"},
        },
    });
    let plain = serde_json::to_vec(&file).unwrap();
    let packed = encode(&decode(String::new, &plain).unwrap()).unwrap();
    for bytes in [plain.as_slice(), &packed] {
        let (metadata, told) = decode_naming(String::new, bytes).unwrap();
        assert_eq!(told, HashSet::from([1, 3, 4]));
        assert_eq!(named(&metadata).unwrap(), told);
    }
}
