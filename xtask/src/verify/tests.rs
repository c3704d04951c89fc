use super::*;

#[test]
fn what_was_skipped_is_told_by_name_and_refused_where_every_part_is_required() {
    let skipped = vec!["interop: there is no python3".to_owned(), "s3: the server does not start".to_owned()];
    assert!(expect_whole(&[], true).is_ok());
    assert!(expect_whole(&skipped, false).is_ok());
    assert_eq!(told(&[]), "");
    let refused = expect_whole(&skipped, true).unwrap_err().to_string();
    for word in ["LAKEHOUSE_REQUIRE_PARTS", "2 SKIPPED", "interop: there is no python3", "s3: the server"] {
        assert!(refused.contains(word), "{refused}");
    }
}
