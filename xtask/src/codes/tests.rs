use super::codes_in;

#[test]
fn codes_are_told_from_other_literals() {
    let text = r#"
        Self::SchemaDrift { .. } => "catalog.schema_drift",
        #[error("no such key: {key}.")]
        const PATH: &str = "docs/errors"; let name = "Cargo.toml"; let other = "a.b.c";
    "#;
    assert_eq!(codes_in(text).into_iter().collect::<Vec<_>>(), ["catalog.schema_drift"]);
}
