//! Parquet in.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array,
    Int32Array, Int64Array, RecordBatch, StringArray, Time64NanosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, UInt32Array, UInt64Array,
};
use base::Fault;
use ingest::Request;
use parquet::arrow::ArrowWriter;
use parquet::data_type::{Int64Type, Int96, Int96Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::lake::{Lake, appending, request, show};

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(1000)).build();
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn array(array: impl arrow::array::Array + 'static) -> ArrayRef {
    Arc::new(array)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_that_tables_have_is_kept() {
    let lake = Lake::open().await;
    let decimal = Decimal128Array::from(vec![Some(12345), None]).with_precision_and_scale(9, 2).unwrap();
    let bytes = file(vec![
        ("bool", array(BooleanArray::from(vec![Some(true), None]))),
        ("tiny", array(Int8Array::from(vec![Some(-8), None]))),
        ("int", array(Int32Array::from(vec![Some(-32), None]))),
        ("uint", array(UInt32Array::from(vec![Some(u32::MAX), None]))),
        ("ulong", array(UInt64Array::from(vec![Some(u64::MAX), None]))),
        ("long", array(Int64Array::from(vec![Some(i64::MIN), None]))),
        ("float", array(Float32Array::from(vec![Some(0.1), None]))),
        ("double", array(Float64Array::from(vec![Some(f64::NAN), None]))),
        ("decimal", array(decimal)),
        ("text", array(StringArray::from(vec![Some("né"), None]))),
        ("bytes", array(BinaryArray::from_opt_vec(vec![Some(b"\xff"), None]))),
        ("day", array(Date32Array::from(vec![Some(1), None]))),
        ("clock", array(Time64NanosecondArray::from(vec![Some(1_000), None]))),
        ("millis", array(TimestampMillisecondArray::from(vec![Some(1500), None]))),
        ("nanos", array(TimestampNanosecondArray::from(vec![Some(1_000), None]).with_timezone("UTC"))),
    ]);
    let outcome = lake.load("t", &bytes).await;
    assert_eq!(outcome.row_count, 2);
    let types: Vec<_> = lake.types("t").await.into_iter().map(|(_, ty)| ty).collect();
    let expected = [
        "bool",
        "int",
        "int",
        "int64",
        "decimal(20,0)",
        "int64",
        "float",
        "float64",
        "decimal(9,2)",
        "string",
        "binary",
        "date",
        "time",
        "timestamp",
        "timestamptz",
    ];
    assert_eq!(types, expected);
    let rows = lake.rows("t").await;
    let first = [
        "true",
        "-8",
        "-32",
        "4294967295",
        "18446744073709551615",
        "-9223372036854775808",
        "0.1",
        "NaN",
        "123.45",
        "né",
        "ff",
        "1970-01-02",
        "00:00:00.000001",
        "1970-01-01T00:00:01.500",
        "1970-01-01T00:00:00.000001Z",
    ];
    assert_eq!(show(&rows)[0], first);
    assert_eq!(show(&rows)[1], ["NULL"; 15]);
    assert!(lake.load("t", &bytes).await.existing);
    lake.load("packed", zstd::encode_all(&bytes[..], 1).unwrap()).await;
    assert_eq!(lake.rows("packed").await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_keep_their_order_over_row_groups() {
    let lake = Lake::open().await;
    let ids = array(Int64Array::from_iter_values(0..30_000));
    let texts = array(StringArray::from_iter_values((0..30_000).map(|row| format!("text {}", row % 7))));
    let outcome = lake.load("t", file(vec![("id", ids), ("text", texts)])).await;
    assert_eq!((outcome.row_count, outcome.objects.len()), (30_000, 1));
    for (number, row) in lake.rows("t").await.iter().enumerate() {
        assert_eq!(row[0].as_deref(), Some(number.to_string().as_str()));
        assert_eq!(row[1].as_deref(), Some(format!("text {}", number % 7).as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_would_lose_something_are_refused_with_their_row() {
    let lake = Lake::open().await;
    let before = lake.paths().await;
    let cases: Vec<ArrayRef> = vec![
        array(TimestampNanosecondArray::from(vec![Some(1_000), Some(1_001)])),
        array(TimestampMillisecondArray::from(vec![Some(0), Some(i64::MAX)])),
        array(Time64NanosecondArray::from(vec![None, Some(1)])),
        array(Date32Array::from(vec![0, i32::MAX])),
    ];
    for values in cases {
        let error = lake.refused(request("t"), file(vec![("at", values)])).await;
        assert_eq!((error.code(), &error.facts()["column"]), ("ingest.bad_column", &"at".into()));
        assert!(error.to_string().contains("row 2"), "{error}");
    }
    let twice = vec![("a", array(Int32Array::from(vec![1]))), ("A", array(Int32Array::from(vec![1])))];
    assert_eq!(lake.refused(request("t"), file(twice)).await.code(), "ingest.bad_column");
    assert_eq!(lake.paths().await, before);
}

/// A file of one column of whole numbers, whose row groups hold these.
fn groups(groups: &[&[i64]]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type("message m { required int64 id; }").unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap();
    for values in groups {
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(values, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn row_groups_without_rows_hold_nothing() {
    let lake = Lake::open().await;
    for (name, bytes) in [("none", groups(&[])), ("empty", groups(&[&[]])), ("both", groups(&[&[], &[]]))] {
        assert_eq!(lake.load(name, bytes).await.row_count, 0, "{name}");
        assert_eq!(lake.types(name).await, [("id".to_owned(), "int64".to_owned())]);
    }
    lake.load("t", groups(&[&[1, 2], &[], &[3]])).await;
    assert_eq!(show(&lake.rows("t").await), [["1"], ["2"], ["3"]]);
}

/// A file of one column of times in 96 bits: nanoseconds of a day, and the day of the Julian calendar.
fn int96(times: &[(u64, u32)]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type("message m { required int96 at; }").unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let values: Vec<Int96> = times
        .iter()
        .map(|&(nanos, day)| {
            let mut value = Int96::new();
            value.set_data((nanos & u64::from(u32::MAX)) as u32, (nanos >> 32) as u32, day);
            value
        })
        .collect();
    column.typed::<Int96Type>().write_batch(&values, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn times_in_96_bits_keep_their_year_and_lose_no_nanosecond() {
    let lake = Lake::open().await;
    lake.load("t", int96(&[(1_000, 2_440_588), (0, 5_373_484), (0, 1_721_426)])).await;
    let expected = [["1970-01-01T00:00:00.000001"], ["9999-12-31T00:00:00"], ["0001-01-01T00:00:00"]];
    assert_eq!(show(&lake.rows("t").await), expected);
    let error = lake.refused(request("u"), int96(&[(1_000, 2_440_588), (1_001, 2_440_588)])).await;
    assert_eq!(error.code(), "ingest.bad_column");
    assert!(error.to_string().contains("row 2"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_decides_columns_and_types() {
    let lake = Lake::open().await;
    lake.load("t", "id,rate,day\n1,1.5,2026-11-22\n").await;
    let good = |ids: Vec<i32>| {
        let rows = ids.len();
        vec![
            ("id", array(Int32Array::from(ids))),
            ("rate", array(Int64Array::from(vec![2; rows]))),
            ("day", array(Date32Array::from(vec![None; rows]))),
        ]
    };
    lake.send(appending("t"), file(good(vec![2]))).await.unwrap();
    assert_eq!(show(&lake.rows("t").await)[1], ["2", "2.0", "NULL"]);
    let before = lake.paths().await;
    let mut cases = vec![good(vec![3]), good(vec![3]), good(vec![3]), good(vec![3, 3]), good(vec![3])];
    cases[0][0].1 = array(StringArray::from(vec!["3"]));
    cases[1][0].0 = "key";
    cases[2].swap(0, 1);
    cases[3][0].1 = array(Float64Array::from(vec![3.0, 3.5]));
    cases[4][1].1 = array(Int64Array::from(vec![(1 << 53) + 1]));
    for (case, columns) in cases.into_iter().enumerate() {
        let error = lake.refused(Request { ..appending("t") }, file(columns)).await;
        assert_eq!(error.code(), "catalog.schema_drift", "case {case}");
        if case == 3 {
            assert_eq!(error.facts()["diff"]["retyped"][0]["line"], 2);
        }
    }
    assert_eq!(lake.paths().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_in_other_notations_are_taken_where_nothing_is_lost() {
    let lake = Lake::open().await;
    let decimal =
        |units, precision| array(Decimal128Array::from(vec![units]).with_precision_and_scale(precision, 2).unwrap());
    let doubles = |value| array(Float64Array::from(vec![value]));
    let first = vec![
        ("i", array(Int32Array::from(vec![7]))),
        ("l", array(Int64Array::from(vec![7]))),
        ("f", array(Float32Array::from(vec![0.5]))),
        ("d", decimal(50, 6)),
    ];
    lake.load("t", file(first)).await;
    lake.send(appending("t"), "i,l,f,d\n1.0,1e2,0.30000001192092896,1e2\n+5,+5,1e2,+5\n").await.unwrap();
    lake.send(appending("t"), r#"{"i":1.0,"l":1E2,"f":0.30000001192092896,"d":1e2}"#).await.unwrap();
    let wide = |f, d| vec![("i", doubles(1.0)), ("l", decimal(10_000, 9)), ("f", doubles(f)), ("d", doubles(d))];
    lake.send(appending("t"), file(wide(0.3, 100.0))).await.unwrap();
    lake.send(appending("t"), file(wide(f64::from(0.3_f32), 100.0))).await.unwrap();
    let mut rows = lake.rows("t").await;
    rows.sort();
    let same = ["1", "100", "0.3", "100.00"];
    assert_eq!(show(&rows), [same, same, same, same, ["5", "5", "100.0", "5.00"], ["7", "7", "0.5", "0.50"]]);
    for lost in ["1.5,1,1,1", "1,1e19,1,1", "1,1,0.3333333333,1", "1,1,1,1e4", "1,1,1,1e-3", "2147483648.0,1,1,1"] {
        let error = lake.refused(appending("t"), format!("i,l,f,d\n{lost}\n")).await;
        assert_eq!(error.code(), "catalog.schema_drift", "{lost}");
    }
    for (f, d) in [(1.0 / 3.0, 1.0), (0.5, 0.125)] {
        assert_eq!(lake.refused(appending("t"), file(wide(f, d))).await.code(), "catalog.schema_drift");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_damage_makes_it_panic_or_hang() {
    let lake = Lake::open().await;
    let ids = array(Int64Array::from_iter_values(0..3000));
    let texts = array(StringArray::from_iter_values((0..3000).map(|row| format!("text {}", row % 97))));
    let whole = file(vec![("id", ids), ("text", texts)]);
    let footer =
        whole.len() - 8 - u32::from_le_bytes(whole[whole.len() - 8..whole.len() - 4].try_into().unwrap()) as usize;
    let mut dice = 7_u64;
    let mut roll = |below: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) as usize % below
    };
    for round in 0..300 {
        let mut bytes = whole.clone();
        // Half of the rounds damage the footer, where the sizes stand.
        let (from, span) = if round % 2 == 0 { (footer, whole.len() - footer) } else { (0, whole.len()) };
        for _ in 0..=roll(3) {
            bytes[from + roll(span)] = u8::try_from(roll(256)).unwrap();
        }
        if round % 10 == 9 {
            bytes.truncate(roll(whole.len()));
        }
        // Some damage does not show, and some makes it another kind of file; what matters is that an answer comes.
        if let Err(error) = lake.send(request(&format!("t{round}")), bytes).await {
            assert!(error.code() != "ingest.broken", "round {round}: {error:?}");
        }
    }
}
