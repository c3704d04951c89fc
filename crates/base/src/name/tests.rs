use super::DatasetName;

fn check(given: &str, expected: Option<(&str, &str)>) {
    let parsed = given.parse::<DatasetName>().ok();
    let parts = parsed.as_ref().map(|name| (name.namespace(), name.table()));
    assert_eq!(parts, expected, "{given:?}");
}

#[test]
fn names_without_a_namespace_are_in_default() {
    check("workers", Some(("default", "workers")));
    check("hr.workers", Some(("hr", "workers")));
    check("_x-1", Some(("default", "_x-1")));
}

#[test]
fn what_is_not_a_name_is_refused() {
    for bad in ["", ".", "a.", ".a", "a.b.c", "1a", "-a", "a b", "a/b", "../a", "é", "a\0"] {
        check(bad, None);
    }
    let (fits, too_long) = ("a".repeat(128), "a".repeat(129));
    check(&fits, Some(("default", &fits)));
    check(&too_long, None);
    check(&format!("{fits}.{fits}"), None);
}

#[test]
fn the_default_namespace_is_not_shown() {
    let shown = |text: &str| text.parse::<DatasetName>().map(|name| name.to_string());
    assert_eq!(shown("default.workers").as_deref(), Ok("workers"));
    assert_eq!(shown("hr.workers").as_deref(), Ok("hr.workers"));
}
