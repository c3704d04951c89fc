use super::*;

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
    assert_eq!(ColumnType::from_arrow(&DataType::Int32).unwrap().name(), "int");
    assert_eq!(ColumnType::from_arrow(&DataType::Timestamp(TimeUnit::Nanosecond, None)), None);
}
