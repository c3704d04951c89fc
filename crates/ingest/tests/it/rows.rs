//! Rows that cannot be loaded.

use base::Fault;
use ingest::{Error, Rejected, Request};
use serde_json::json;

use crate::lake::{Lake, request, show, skipping};

const BAD: &str = "id,note\n1,fine\n2,too,long\n3,\"line one\nline two\"\n4,\"open\" quote\n5,last\n";

#[tokio::test(flavor = "multi_thread")]
async fn fail_refuses_the_file_and_reports_the_rows() {
    let lake = Lake::open().await;
    let before = lake.paths().await;
    let error = lake.refused(request("t"), BAD).await;
    assert_eq!(error.code(), "ingest.bad_rows");
    let facts = error.facts();
    assert_eq!(facts["rejected"], 2);
    let expected = json!([
        { "line": 3, "column": null, "reason": "the row has 3 cells and the header has 2" },
        { "line": 6, "column": "note", "reason": "bad quoting: text follows a closing quote" },
    ]);
    assert_eq!(facts["rejected_rows"], expected);
    assert!(error.to_string().contains("line 3"), "{error}");
    assert_eq!(lake.paths().await, before, "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn skip_loads_the_rest_and_keeps_the_refused_lines() {
    let lake = Lake::open().await;
    let outcome = lake.send(skipping("t"), BAD).await.unwrap();
    assert_eq!((outcome.row_count, outcome.rejected), (3, 2));
    let lines: Vec<_> = outcome.rejected_rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [3, 6]);
    assert_eq!(show(&lake.rows("t").await), [["1", "fine"], ["3", "line one\nline two"], ["5", "last"]]);
    let kept = lake.lake.store.get(&outcome.rejected_object.unwrap()).await.unwrap();
    assert_eq!(kept, "id,note\n2,too,long\n4,\"open\" quote\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn skip_without_bad_rows_keeps_nothing() {
    let lake = Lake::open().await;
    let outcome = lake.send(skipping("t"), "a\n1\n").await.unwrap();
    assert_eq!((outcome.rejected, outcome.rejected_object), (0, None));
    assert!(!lake.paths().await.keys().any(|path| path.contains("rejected")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_twenty_are_reported_and_all_are_counted() {
    let lake = Lake::open().await;
    let text = format!("a\n{}", "1\n1,2\n".repeat(70_000));
    let Error::Rows { total, first } = lake.refused(request("t"), &text).await else { panic!("rows") };
    assert_eq!((total, first.len()), (70_000, 20));
    assert_eq!(
        first[19],
        Rejected { line: 41, column: None, reason: "the row has 2 cells and the header has 1".into() }
    );
    let outcome = lake.send(skipping("t"), &text).await.unwrap();
    assert_eq!((outcome.row_count, outcome.rejected, outcome.rejected_rows.len()), (70_000, 70_000, 20));
    let kept = lake.lake.store.get(&outcome.rejected_object.unwrap()).await.unwrap();
    assert_eq!(kept.len(), 2 + 70_000 * 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_lines_survive_a_second_reading() {
    let lake = Lake::open().await;
    let text = format!("a,b\n1,2,3\n{}0.5,x\n9,9,9\n", "1,\n".repeat(400_000));
    let outcome = lake.send(skipping("t"), &text).await.unwrap();
    assert_eq!((outcome.row_count, outcome.rejected), (400_001, 2));
    assert_eq!(lake.types("t").await[0].1, "float64");
    let kept = lake.lake.store.get(&outcome.rejected_object.unwrap()).await.unwrap();
    assert_eq!(kept, "a,b\n1,2,3\n9,9,9\n");
    assert_eq!(lake.paths().await.keys().filter(|path| path.contains("rejected")).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn short_rows_are_nulls_and_empty_lines_nothing() {
    let lake = Lake::open().await;
    let outcome = lake.load("t", "a,b,c\r\n1\r\n\r\n2,x\r\n").await;
    assert_eq!(outcome.rejected, 0);
    assert_eq!(show(&lake.rows("t").await), [["1", "NULL", "NULL"], ["2", "x", "NULL"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_utf_8_name_line_and_column() {
    let lake = Lake::open().await;
    let bytes = b"id,name\n1,ok\n2,Jos\xe9\n";
    let Error::Rows { total: 1, first } = lake.refused(request("t"), bytes).await else { panic!("rows") };
    assert_eq!((first[0].line, first[0].column.as_deref()), (3, Some("name")));
    assert!(first[0].reason.contains("character 6"), "{}", first[0].reason);
    let western = Request { encoding: Some("windows-1252".into()), ..request("t") };
    lake.send(western, bytes).await.unwrap();
    assert_eq!(show(&lake.rows("t").await), [["1", "ok"], ["2", "José"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_tell_the_encoding() {
    let text = "id;name\n1;Zoë\n";
    let utf16: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let utf8 = format!("\u{feff}{text}");
    let lake = Lake::open().await;
    for (dataset, bytes) in [("a", utf16.as_slice()), ("b", utf8.as_bytes())] {
        lake.load(dataset, bytes).await;
        assert_eq!(lake.types(dataset).await[0].0, "id");
        assert_eq!(show(&lake.rows(dataset).await), [["1", "Zoë"]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn options_that_mean_nothing_are_refused() {
    let lake = Lake::open().await;
    let encoding = Request { encoding: Some("klingon".into()), ..request("t") };
    let delimiter = Request { delimiter: Some("::".into()), ..request("t") };
    for request in [encoding, delimiter] {
        assert_eq!(lake.refused(request, "a\n1\n").await.code(), "ingest.bad_option");
    }
    assert!("sometimes".parse::<ingest::OnError>().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_delimiter_outweighs_what_is_detected() {
    let lake = Lake::open().await;
    let request = Request { delimiter: Some(";".into()), ..request("t") };
    lake.send(request, "a,b;c\n1,2;3\n").await.unwrap();
    assert_eq!(lake.types("t").await, [("a,b".into(), "string".into()), ("c".into(), "int64".into())]);
}
