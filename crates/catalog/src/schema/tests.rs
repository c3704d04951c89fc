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
    let column = |nullable| Column { id: 1, name: "a".into(), ty: ColumnType::Bool, nullable };
    assert_eq!(fingerprint_of(&[column(true)]), fingerprint_of(&[column(false)]));
}

#[test]
fn types_come_back_from_arrow_and_iceberg() {
    let all = [
        ColumnType::Bool,
        ColumnType::Int64,
        ColumnType::Float64,
        ColumnType::Date,
        ColumnType::Timestamp,
        ColumnType::TimestampTz,
        ColumnType::String,
    ];
    for ty in all {
        assert_eq!(ColumnType::from_arrow(&ty.arrow().unwrap()).as_ref(), Some(&ty));
        assert_eq!(ColumnType::from_iceberg(&ty.iceberg()), ty);
    }
}

#[test]
fn other_types_go_by_their_iceberg_names() {
    let decimal = ColumnType::from_arrow(&DataType::Decimal128(9, 2)).unwrap();
    assert_eq!(decimal.name(), "decimal(9,2)");
    assert_eq!(decimal.sql_name(), "DECIMAL(9,2)");
    assert_eq!(ColumnType::from_arrow(&DataType::Int32).unwrap().name(), "int");
    assert_eq!(ColumnType::from_arrow(&DataType::Timestamp(TimeUnit::Nanosecond, None)), None);
}
