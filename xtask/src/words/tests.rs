use super::fault;

#[test]
fn a_type_that_says_nothing_is_named() {
    assert!(fault("pub struct TableManager {").is_some());
    assert!(fault("pub(crate) enum ColumnInfo {").is_some());
    assert!(fault("struct DataFile {").is_none());
    assert!(fault("let type_info = Manager::new();").is_none());
}

#[test]
fn tests_inside_a_source_file_are_named() {
    assert!(fault("mod tests {").is_some());
    assert!(fault("mod tests;").is_none());
}
