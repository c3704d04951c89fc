//! The documents: shape, parameters, truncation, messages.

use base::Fault;
use query::Ask;
use serde_json::{Value, json};

use crate::lake::{Lake, PEOPLE};

#[tokio::test(flavor = "multi_thread")]
async fn the_json_document_has_its_members() {
    let lake = Lake::open().await;
    let version = lake.replace("people", PEOPLE).await;
    let document = lake.json("SELECT name, wage FROM people ORDER BY id").await.unwrap();
    assert_eq!(document["columns"], json!([{"name": "Name", "type": "VARCHAR"}, {"name": "wage", "type": "DOUBLE"}]));
    assert_eq!(document["rows"], json!([["Alice", 10.5], ["Bob", 20.25], ["Çağla", null]]));
    assert_eq!(document["row_count"], 3);
    assert_eq!(document["truncated"], false);
    assert_eq!(document["version"], version);
    assert!(document["elapsed_ms"].is_u64());
    let names: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_than_asked_for_are_said_to_be_cut() {
    let lake = Lake::open().await;
    for (sql, rows, truncated) in [("(1, 5)", 3, true), ("(1, 3)", 3, false), ("(1, 2)", 2, false)] {
        let answer = lake.ask(&format!("SELECT value FROM generate_series{sql}")).await.unwrap();
        let document: Value = serde_json::from_slice(&answers::json(answer, 3).await.unwrap()).unwrap();
        assert_eq!((&document["row_count"], &document["truncated"]), (&json!(rows), &json!(truncated)), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn max_rows_has_a_default_and_a_limit() {
    let lake = Lake::open().await;
    assert_eq!(lake.query.max_rows(None).unwrap(), 10_000);
    assert_eq!(lake.query.max_rows(Some(100_000)).unwrap(), 100_000);
    assert!(lake.query.max_rows(Some(100_001)).is_err());
    assert!(lake.query.max_rows(Some(0)).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_bound_by_position_and_typed() {
    let lake = Lake::open().await;
    lake.replace("people", PEOPLE).await;
    let run = async |sql: &str, params: Value| {
        let params = params.as_array().unwrap().clone();
        let answer = lake.query.run(Ask { sql: sql.to_owned(), as_of: None, params }).await?;
        let bytes = answers::json(answer, 100).await?;
        Ok::<_, query::Error>(serde_json::from_slice::<Value>(&bytes).unwrap()["rows"].clone())
    };
    let rows = run("SELECT id FROM people WHERE name = $1 AND id = $2", json!(["Bob", 2])).await.unwrap();
    assert_eq!(rows, json!([[2]]));
    let rows = run("SELECT id FROM people WHERE born < $1 ORDER BY id", json!(["1990-01-02"])).await.unwrap();
    assert_eq!(rows, json!([[2]]));
    let rows = run("SELECT id FROM people WHERE wage > $1 AND active = $2", json!([1.5, true])).await.unwrap();
    assert_eq!(rows, json!([[1]]));
    let rows = run("SELECT count(*) FROM people WHERE name = $1", json!(["x' OR '1'='1"])).await.unwrap();
    assert_eq!(rows, json!([[0]]));
    let rows = run("SELECT $1 IS NULL", json!([null])).await.unwrap();
    assert_eq!(rows, json!([[true]]));
    for (sql, params) in
        [("SELECT $1", json!([])), ("SELECT 1", json!([1])), ("SELECT $2", json!([1])), ("SELECT $1", json!([[1]]))]
    {
        let error = run(sql, params).await.unwrap_err();
        assert_eq!(base::Fault::code(&error), "query.invalid_params", "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_repeat_no_literal_and_no_path() {
    let lake = Lake::open().await;
    lake.replace("people", PEOPLE).await;
    for sql in [
        "SELECT CAST('secret-value-17' AS BIGINT)",
        "SELECT nope('secret-value-17')",
        "SELECT * FROM people WHERE nam = 'secret-value-17'",
        "SELECT 'secret-value-17' 5 FROM",
        "SELECT * FROM 'secret-value-17.parquet'",
        "SELECT DATE 'secret-value-17'",
        "SELECT CAST(name || 'secret-value-17' AS DOUBLE) FROM people",
    ] {
        let (_, message) = lake.refused(sql).await;
        let quoted_table = sql.contains(".parquet");
        assert!(quoted_table || !message.contains("secret-value-17"), "{sql}: {message}");
        for inner in ["DataFusion", "datafusion", "Arrow", "/tmp", "Utf8", "arrow"] {
            assert!(!message.contains(inner), "{sql}: {message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_a_plan_and_no_path_of_the_server() {
    let lake = Lake::open().await;
    lake.replace("people", PEOPLE).await;
    for sql in ["EXPLAIN SELECT name FROM people WHERE id > 1", "EXPLAIN ANALYZE SELECT name FROM people WHERE id > 1"]
    {
        let text = lake.rows(sql).await.to_string();
        assert!(text.contains("DataSourceExec"), "{text}");
        assert!(text.contains("tables/people-"), "{text}");
        assert!(!text.contains("/tmp") && !text.contains("file:"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_a_wide_table_keep_their_names_in_any_order() {
    let lake = Lake::open().await;
    let names: Vec<String> = (0..300).map(|n| format!("Col{n}")).collect();
    let values: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    lake.replace("wide", format!("{}\n{}\n", names.join(","), values.join(","))).await;
    let told = async |sql: &str| {
        let document = lake.json(sql).await.unwrap();
        let columns = document["columns"].as_array().unwrap().iter();
        let names: Vec<String> = columns.map(|column| column["name"].as_str().unwrap().to_owned()).collect();
        let row: Vec<i64> =
            document["rows"][0].as_array().unwrap().iter().map(|value| value.as_i64().unwrap()).collect();
        (names, row)
    };
    let all: Vec<i64> = (0..300).collect();
    for sql in ["SELECT * FROM wide", "SELECT * FROM wide ORDER BY col7 DESC LIMIT 1"] {
        assert_eq!(told(sql).await, (names.clone(), all.clone()), "{sql}");
    }
    let (back, down): (Vec<String>, Vec<i64>) =
        (names.iter().rev().cloned().collect(), all.iter().rev().copied().collect());
    assert_eq!(told(&format!("SELECT {} FROM wide", back.join(", "))).await, (back.clone(), down));
    let first = "SELECT * FROM (SELECT col2, col1 FROM wide) AS few";
    assert_eq!(told(first).await, (vec!["Col2".to_owned(), "Col1".to_owned()], vec![2, 1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_regular_expression_that_cannot_be_used_is_told_without_showing_it() {
    let lake = Lake::open().await;
    lake.replace("people", PEOPLE).await;
    for (sql, why) in [
        ("SELECT regexp_replace('a', '(', 'b')", "unclosed group"),
        ("SELECT regexp_replace(name, '(', 'b') FROM people", "unclosed group"),
        ("SELECT regexp_replace(name, name || '(', 'b') FROM people", "unclosed group"),
        ("SELECT regexp_replace(name, '(((x{99}){99}){99}){99}', 'b') FROM people", "too large"),
    ] {
        let error = lake.json(sql).await.expect_err(sql);
        assert_eq!((error.code(), error.kind()), ("query.failed", base::Kind::Invalid), "{sql}: {error}");
        assert!(error.to_string().contains(why) && !error.to_string().contains("Alice"), "{sql}: {error}");
    }
}
