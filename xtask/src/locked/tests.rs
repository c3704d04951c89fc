use super::copies;

#[test]
fn two_versions_of_arrow_are_named() {
    let lock =
        "[[package]]\nname = \"arrow\"\nversion = \"58.4.1\"\n\n[[package]]\nname = \"arrow\"\nversion = \"57.0.0\"\n";
    assert_eq!(copies(lock), ["one copy: Cargo.lock holds arrow 58.4.1 and 57.0.0"]);
}

#[test]
fn small_parts_may_be_there_twice() {
    let lock = "[[package]]\nname = \"syn\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"syn\"\nversion = \"2.0.0\"\n";
    assert!(copies(lock).is_empty());
}
