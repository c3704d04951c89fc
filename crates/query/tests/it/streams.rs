//! CSV, NDJSON and Arrow.

use answers::{Format, stream};
use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use arrow::ipc::reader::StreamReader;
use futures::TryStreamExt;

use crate::lake::{Lake, PEOPLE};

async fn bytes(lake: &Lake, sql: &str, format: Format) -> Vec<u8> {
    let answer = lake.ask(sql).await.unwrap();
    stream(answer, format).try_collect::<Vec<_>>().await.unwrap().concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_reads_back_as_the_same_table() {
    let lake = Lake::open().await;
    lake.replace("people", PEOPLE).await;
    let csv = bytes(&lake, "SELECT * FROM people ORDER BY id", Format::Csv).await;
    let expected = "Id,Name,city,born,wage,active,Note\n\
        1,Alice,Berlin,1990-01-02,10.5,true,\n\
        2,Bob,Bonn,1985-12-31,20.25,false,\"\"\n\
        3,Çağla,Berlin,2000-02-29,,true,\"says \"\"hi\"\", twice\"\n";
    assert_eq!(String::from_utf8(csv).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_one_null_reads_back_as_a_row() {
    let lake = Lake::open().await;
    lake.replace("t", "id,v\n1,10\n2,\n3,30\n").await;
    let csv = bytes(&lake, "SELECT v FROM t ORDER BY id", Format::Csv).await;
    assert_eq!(csv, b"v\n10\n\"\"\n30\n");
    lake.replace("back", csv).await;
    assert_eq!(lake.rows("SELECT v FROM back ORDER BY v").await, serde_json::json!([[10], [30], [null]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn ndjson_has_one_object_per_row() {
    let lake = Lake::open().await;
    lake.replace("people", PEOPLE).await;
    let lines =
        bytes(&lake, "SELECT id, name AS \"a \"\"b\"\"\" FROM people ORDER BY id LIMIT 2", Format::Ndjson).await;
    let expected = "{\"Id\":1,\"a \\\"b\\\"\":\"Alice\"}\n{\"Id\":2,\"a \\\"b\\\"\":\"Bob\"}\n";
    assert_eq!(String::from_utf8(lines).unwrap(), expected);
    assert!(bytes(&lake, "SELECT id FROM people WHERE id > 9", Format::Ndjson).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn arrow_streams_more_rows_than_json_may_hold() {
    let lake = Lake::open().await;
    let sql = "SELECT value AS v, CAST(value AS VARCHAR) AS s FROM generate_series(1, 120000)";
    let bytes = bytes(&lake, sql, Format::Arrow).await;
    let reader = StreamReader::try_new(bytes.as_slice(), None).unwrap();
    let types: Vec<DataType> = reader.schema().fields().iter().map(|field| field.data_type().clone()).collect();
    assert_eq!(types, [DataType::Int64, DataType::Utf8]);
    let mut rows = 0;
    let mut sum = 0;
    for batch in reader {
        let batch = batch.unwrap();
        rows += batch.num_rows();
        sum += batch.column(0).as_primitive::<Int64Type>().values().iter().sum::<i64>();
    }
    assert_eq!((rows, sum), (120_000, 120_000 * 120_001 / 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_answer_still_has_its_schema() {
    let lake = Lake::open().await;
    lake.replace("people", PEOPLE).await;
    let csv = bytes(&lake, "SELECT id, name FROM people WHERE id > 9", Format::Csv).await;
    assert_eq!(csv, b"Id,Name\n");
    let arrow = bytes(&lake, "SELECT id, name FROM people WHERE id > 9", Format::Arrow).await;
    let reader = StreamReader::try_new(arrow.as_slice(), None).unwrap();
    assert_eq!(reader.schema().fields().len(), 2);
    assert_eq!(reader.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_midway_is_an_error_item() {
    let lake = Lake::open().await;
    let sql = "SELECT 10 / (50000 - value) FROM generate_series(1, 60000)";
    for format in [Format::Csv, Format::Ndjson, Format::Arrow] {
        let answer = lake.ask(sql).await.unwrap();
        let result: query::Result<Vec<_>> = stream(answer, format).try_collect().await;
        assert!(result.is_err(), "{format:?}");
    }
    let answer = lake.ask(sql).await.unwrap();
    assert!(answers::json(answer, 100_000).await.is_err());
}
