use super::{Field, FieldType, Fields};

fn check(metadata: &[&str], expected: &[(&str, FieldType)]) {
    let fields = Fields::of(metadata.iter().map(|text| text.as_bytes())).list();
    let expected = expected.iter().map(|(name, ty)| Field { name: (*name).into(), ty: *ty });
    assert_eq!(fields, expected.collect::<Vec<_>>());
}

#[test]
fn no_metadata_has_no_fields() {
    check(&[], &[]);
    check(&["{}"], &[]);
}

#[test]
fn fields_are_sorted_and_typed() {
    let metadata = [r#"{"b": 1, "a": "x", "c": true}"#, r#"{"d": 1.5, "e": [1], "f": {"g": 1}}"#];
    let (text, json) = (FieldType::Text, FieldType::Json);
    let (integer, number, boolean) = (FieldType::Integer, FieldType::Number, FieldType::Boolean);
    check(&metadata, &[("a", text), ("b", integer), ("c", boolean), ("d", number), ("e", json), ("f", json)]);
}

#[test]
fn integers_among_numbers_are_numbers() {
    check(&[r#"{"a": 1}"#, r#"{"a": 1.5}"#], &[("a", FieldType::Number)]);
    check(&[r#"{"a": 18446744073709551615}"#], &[("a", FieldType::Number)]);
    check(&[r#"{"a": -9223372036854775808}"#], &[("a", FieldType::Integer)]);
}

#[test]
fn nulls_fit_every_type() {
    check(&[r#"{"a": null}"#, r#"{"a": true}"#, r#"{"a": null}"#], &[("a", FieldType::Boolean)]);
    check(&[r#"{"a": null}"#], &[("a", FieldType::Text)]);
}

#[test]
fn values_of_several_types_are_json() {
    check(&[r#"{"a": 1}"#, r#"{"a": "1"}"#, r#"{"a": 1}"#], &[("a", FieldType::Json)]);
}

#[test]
fn fields_of_several_blocks_join() {
    let mut fields = Fields::of([br#"{"a": 1, "b": null}"#.as_slice()].into_iter());
    fields.join(&Fields::of([br#"{"a": 0.5, "b": "x", "c": 1}"#.as_slice()].into_iter()));
    let types: Vec<FieldType> = fields.list().into_iter().map(|field| field.ty).collect();
    assert_eq!(types, [FieldType::Number, FieldType::Text, FieldType::Integer]);
}
