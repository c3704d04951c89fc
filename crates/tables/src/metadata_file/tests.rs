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
