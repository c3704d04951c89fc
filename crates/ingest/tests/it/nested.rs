//! Parquet whose columns hold others: the same table as of the same values in JSON.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal256Array, Int64Array, ListArray, NullArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Int64Type, TimeUnit, i256};
use base::Fault;
use catalog::Mode;
use ingest::{Evolve, Request};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use crate::lake::{Lake, appending, request, show};

/// Made by pyarrow, with `nested.py` beside it.
const FILE: &[u8] = include_bytes!("../../../../testdata/parquet/nested.parquet");

/// The same rows. A wage is a decimal there, which JSON does not have.
const LINES: &str = r#"{"id":1,"who":{"name":"Zoë","born":"1990-01-02","home":{"city":"Toledo","zip":43604}},"tags":["a","say \"hi\"",null],"jobs":[{"title":"nurse","wage":"20.50","since":"2020-05-01"},null],"marks":[],"ranks":["{\"1\":[\"a\"]}"],"point":[0.1,"NaN"],"seen":["2024-02-29T23:59:59.120Z",null],"raw":["AP8="],"grid":[[1,2],[],null]}
{"id":2,"tags":[],"jobs":[{"title":"cook","wage":null,"since":null}]}
{"id":3,"jobs":[],"point":[-1.0,"Infinity"],"seen":[],"raw":[],"grid":[[3]]}
"#;

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(5000)).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_lie_side_by_side_and_lists_are_json() {
    let lake = Lake::open().await;
    let outcome = lake.load("t", FILE).await;
    assert_eq!(outcome.row_count, 3);
    let columns = lake.types("t").await;
    let columns: Vec<String> = columns.into_iter().map(|(name, ty)| format!("{name} {ty}")).collect();
    assert_eq!(
        columns.join(", "),
        "id int64, who.name string, who.born date, who.home.city string, who.home.zip int, tags string, jobs string, \
         marks string, ranks string, point string, seen string, raw string, grid string"
    );
    let rows = lake.rows("t").await;
    assert_eq!(
        show(&rows)[0],
        [
            "1",
            "Zoë",
            "1990-01-02",
            "Toledo",
            "43604",
            r#"["a","say \"hi\"",null]"#,
            r#"[{"title":"nurse","wage":"20.50","since":"2020-05-01"},null]"#,
            r#"{"x":1.5,"y":null}"#,
            r#"{"1":["a"]}"#,
            r#"[0.1,"NaN"]"#,
            r#"["2024-02-29T23:59:59.120Z",null]"#,
            r#"["AP8="]"#,
            "[[1,2],[],null]",
        ]
    );
    let jobs = r#"[{"title":"cook","wage":null,"since":null}]"#;
    let second = ["2", "NULL", "NULL", "NULL", "NULL", "[]", jobs, "{}", "NULL", "NULL", "NULL", "NULL", "NULL"];
    assert_eq!(show(&rows)[1], second);
    assert_eq!(show(&rows)[2][5..], ["NULL", "[]", "NULL", "{}", r#"[-1.0,"Infinity"]"#, "[]", "[]", "[[3]]"]);
    assert!(lake.load("t", FILE).await.existing);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_made_of_json_takes_the_same_values_from_parquet() {
    let lake = Lake::open().await;
    lake.load("t", LINES).await;
    lake.send(Request { mode: Mode::Append, ..request("t") }, FILE).await.unwrap();
    let rows = lake.rows("t").await;
    let (lines, parquet) = (&rows[..3], &rows[3..]);
    for (place, (name, _)) in lake.types("t").await.iter().enumerate().filter(|(_, (name, _))| !name.starts_with('m')) {
        for row in (0..3).filter(|_| name != "ranks") {
            assert_eq!(parquet[row][place], lines[row][place], "{name}, row {row}");
        }
    }
    let narrow = file(vec![("id", Arc::new(Int64Array::from(vec![4])))]);
    assert_eq!(lake.refused(appending("t"), &narrow).await.code(), "catalog.schema_drift");
    lake.send(Request { evolve: Evolve::Add, ..appending("t") }, &narrow).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_all_lengths_keep_their_rows() {
    let lake = Lake::open().await;
    let length = |row: i64| if row == 7000 { 300_000 } else { usize::try_from(row % 5).unwrap() };
    let lists = (0..12_000).map(|row| (row % 11 != 0).then(|| vec![Some(row); length(row)]));
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(lists);
    let ids = Int64Array::from_iter_values(0..12_000);
    let outcome = lake.load("t", file(vec![("id", Arc::new(ids)), ("many", Arc::new(lists))])).await;
    assert_eq!(outcome.row_count, 12_000);
    for (row, cells) in (0_i64..).zip(lake.rows("t").await) {
        let expected = (row % 11 != 0).then(|| format!("[{}]", vec![row.to_string(); length(row)].join(",")));
        assert_eq!((cells[0].as_deref(), &cells[1]), (Some(row.to_string().as_str()), &expected), "row {row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_without_values_is_null_where_its_struct_is_and_elsewhere() {
    let lake = Lake::open().await;
    let fields = vec![Field::new("id", DataType::Int64, true), Field::new("nothing", DataType::Null, true)];
    let values: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![1, 2])), Arc::new(NullArray::new(2))];
    let nulls = NullBuffer::from(vec![true, false]);
    let who = StructArray::new(Fields::from(fields), values, Some(nulls));
    lake.load("t", file(vec![("who", Arc::new(who))])).await;
    assert_eq!(show(&lake.rows("t").await), [["1", "NULL"], ["NULL", "NULL"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wide_decimals_in_lists_keep_their_signs() {
    let lake = Lake::open().await;
    let values =
        Decimal256Array::from(vec![i256::from(-100), i256::from(250)]).with_precision_and_scale(50, 2).unwrap();
    let item = Arc::new(Field::new("item", DataType::Decimal256(50, 2), true));
    let lists = ListArray::new(item, OffsetBuffer::from_lengths([2]), Arc::new(values), None);
    lake.load("t", file(vec![("many", Arc::new(lists))])).await;
    assert_eq!(show(&lake.rows("t").await), [[r#"["-1.00","2.50"]"#]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_endless_lists_is_refused() {
    let lake = Lake::open().await;
    let item = Arc::new(Field::new("item", DataType::Boolean, true));
    let values = Arc::new(BooleanArray::from(vec![true; (34 << 20) + 1]));
    let lists = ListArray::new(item, OffsetBuffer::from_lengths([1, 34 << 20]), values, None);
    let bytes = file(vec![("many", Arc::new(lists))]);
    let error = lake.refused(request("t"), bytes).await;
    assert_eq!(error.code(), "ingest.bad_parquet");
    assert!(error.to_string().contains("a row has lists of more than"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_name_of_its_own_or_no_text_is_refused_by_name() {
    let lake = Lake::open().await;
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let inside = Arc::new(Field::new("id", DataType::Int64, true));
    let a = StructArray::from(vec![(inside, Arc::clone(&ids))]);
    let clash = file(vec![("a", Arc::new(a)), ("A.id", ids)]);
    let error = lake.refused(request("t"), clash).await;
    assert!(error.to_string().contains("columns 1 and 2 have one name"), "{error}");
    let field = Arc::new(Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, None), true));
    let late: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![i64::MAX]));
    let offsets = OffsetBuffer::from_lengths([1]);
    let lists = ListArray::new(field, offsets, late, None);
    let error = lake.refused(request("t"), file(vec![("seen", Arc::new(lists))])).await;
    assert_eq!((error.code(), &error.facts()["column"]), ("ingest.bad_column", &"seen".into()));
    assert!(error.to_string().contains("row 1"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_in_lists_is_noticed() {
    let lake = Lake::open().await;
    let mails = StringArray::from_iter_values((0..40).map(|row| format!("someone{row}@example.org")));
    let field = Arc::new(Field::new("item", DataType::Utf8, true));
    let lists = ListArray::new(field, OffsetBuffer::from_lengths([1; 40]), Arc::new(mails), None);
    lake.load("t", file(vec![("contact_email", Arc::new(lists))])).await;
    let pin = lake.catalog.pin(None).await.unwrap();
    let table = lake.catalog.table(&pin, &crate::lake::name("t")).await.unwrap();
    assert!(table.columns()[0].pii.is_some());
}
