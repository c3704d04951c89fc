use super::*;

fn check(columns: &[(&str, ColumnType)], expected: &str) {
    assert_eq!(fingerprint(columns.iter().map(|(name, ty)| (*name, ty))), expected);
}

#[test]
fn the_fingerprint_has_the_known_answer() {
    check(
        &[("id", ColumnType::Int64), ("name", ColumnType::String), ("city", ColumnType::String)],
        "043916c768704a24e76198f57db22d6cd4113ff19be7154e0cc04033ca02de01",
    );
}

#[test]
fn order_and_types_are_part_of_the_fingerprint_and_nullability_is_not() {
    let of = |columns: &[(&str, ColumnType)]| fingerprint(columns.iter().map(|(name, ty)| (*name, ty)));
    let base = of(&[("a", ColumnType::Int64), ("b", ColumnType::Date)]);
    assert_ne!(base, of(&[("b", ColumnType::Date), ("a", ColumnType::Int64)]));
    assert_ne!(base, of(&[("a", ColumnType::Int64), ("b", ColumnType::String)]));
    let column = |nullable| Column { id: 1, name: "a".into(), ty: ColumnType::Bool, nullable, pii: None };
    assert_eq!(fingerprint_of(&[column(true)]), fingerprint_of(&[column(false)]));
}
