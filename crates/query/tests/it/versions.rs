//! One version for the whole query.

use base::{AsOf, Fault, Kind, Version};
use catalog::Mode;
use query::Ask;
use serde_json::{Value, json};

use crate::lake::Lake;

async fn at(lake: &Lake, sql: &str, as_of: AsOf) -> query::Result<Value> {
    let answer = lake.query.run(Ask { sql: sql.to_owned(), as_of: Some(as_of), params: Vec::new() }).await?;
    let bytes = answers::json(answer, 100).await?;
    Ok(serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn as_of_reads_every_table_at_that_version() {
    let lake = Lake::open().await;
    let first = lake.replace("a", "x\n1\n").await;
    let second = lake.replace("b", "x\n1\n").await;
    let third = lake.replace("a", "x\n2\n3\n").await;
    let sql = "SELECT (SELECT sum(x) FROM a) AS a, (SELECT count(*) FROM b) AS b";
    let then = at(&lake, sql, AsOf::Version(Version(second))).await.unwrap();
    assert_eq!((&then["rows"], &then["version"]), (&json!([[1, 1]]), &json!(second)));
    let now = lake.json(sql).await.unwrap();
    assert_eq!((&now["rows"], &now["version"]), (&json!([[5, 1]]), &json!(third)));
    let error = at(&lake, sql, AsOf::Version(Version(first))).await.unwrap_err();
    assert_eq!(error.code(), "query.invalid_sql");
    let error = at(&lake, sql, AsOf::Version(Version(third + 1))).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_query_keeps_its_version_while_the_table_is_replaced() {
    let lake = Lake::open().await;
    lake.replace("t", "x\n1\n2\n").await;
    let answer = lake.ask("SELECT x FROM t ORDER BY x").await.unwrap();
    lake.replace("t", "x\n7\n").await;
    let bytes = answers::json(answer, 10).await.unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(document["rows"], json!([[1], [2]]));
    assert_eq!(lake.rows("SELECT x FROM t").await, json!([[7]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_appended_is_seen_at_once() {
    let lake = Lake::open().await;
    for round in 1..=5 {
        lake.load("t", Mode::Append, format!("x\n{round}\n")).await;
        assert_eq!(lake.rows("SELECT count(*), max(x) FROM t").await, json!([[round, round]]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_and_a_time_name_the_version_of_one_table() {
    let lake = Lake::open().await;
    let first = lake.replace("t", "x\n1\n").await;
    let then = lake.query.catalog().pin(None).await.unwrap().at();
    lake.query.catalog().put_tag(&"january".parse().unwrap(), None, "test").await.unwrap();
    lake.replace("t", "x\n2\n").await;
    let run = async |sql: &str, params: Value| {
        let params = params.as_array().unwrap().clone();
        let answer = lake.query.run(Ask { sql: sql.to_owned(), as_of: None, params }).await?;
        let bytes = answers::json(answer, 100).await?;
        Ok::<_, query::Error>(serde_json::from_slice::<Value>(&bytes).unwrap()["rows"].clone())
    };
    let tagged = "SELECT a.x, b.x FROM t FOR TAG AS OF 'january' a, t b";
    assert_eq!(run(tagged, json!([])).await.unwrap(), json!([[1, 2]]));
    let timed = format!("SELECT x FROM t FOR TIMESTAMP AS OF '{then}'");
    assert_eq!(run(&timed, json!([])).await.unwrap(), json!([[1]]));
    for (sql, param) in [
        ("SELECT x FROM t FOR VERSION AS OF $1", json!([first])),
        ("SELECT x FROM t FOR TAG AS OF $1", json!(["january"])),
        ("SELECT x FROM t FOR TIMESTAMP AS OF $1", json!([then.to_string()])),
    ] {
        assert_eq!(run(sql, param).await.unwrap(), json!([[1]]), "{sql}");
        assert_eq!(run(sql, json!([])).await.unwrap_err().code(), "query.invalid_params", "{sql}");
        assert_eq!(run(sql, json!([true])).await.unwrap_err().code(), "query.invalid_sql", "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clause_wins_over_as_of() {
    let lake = Lake::open().await;
    let versions =
        [lake.replace("t", "x\n1\n").await, lake.replace("t", "x\n2\n").await, lake.replace("t", "x\n3\n").await];
    let sql = format!("SELECT a.x, b.x FROM t FOR VERSION AS OF {} a, t b", versions[0]);
    let document = at(&lake, &sql, AsOf::Version(Version(versions[1]))).await.unwrap();
    assert_eq!((&document["rows"], &document["version"]), (&json!([[1, 2]]), &json!(versions[1])));
    let plan = at(&lake, &format!("EXPLAIN {sql}"), AsOf::Version(Version(versions[1]))).await.unwrap().to_string();
    assert!(plan.contains(&format!("t@{}", versions[0])), "{plan}");
    let past = at(&lake, "SELECT count(*), max(version) FROM versions()", AsOf::Version(Version(versions[1]))).await;
    assert_eq!(past.unwrap()["rows"], json!([[2, versions[1]]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_versions_are_found_without_reading_the_others() {
    let lake = Lake::open().await;
    for round in 0..3 {
        lake.load("t", Mode::Append, format!("x\n{round}\n")).await;
    }
    let plan = lake.rows("EXPLAIN SELECT version FROM versions() ORDER BY version DESC LIMIT 1").await.to_string();
    assert!(!plan.contains("SortExec") && plan.contains("fetch=1"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clause_leaves_a_table_its_full_name() {
    let lake = Lake::open().await;
    lake.replace("a.t", "id,x\n1,10\n").await;
    let then = lake.replace("b.t", "id,x\n1,20\n").await;
    lake.replace("a.t", "id,x\n1,11\n").await;
    lake.replace("b.t", "id,x\n1,21\n").await;
    let then = format!("FOR VERSION AS OF {then}");
    for (sql, rows) in [
        (format!("SELECT a.t.x, b.t.x FROM a.t {then}, b.t {then}"), json!([[10, 20]])),
        (format!("SELECT a.t.x, b.t.x FROM a.t {then} JOIN b.t USING (id)"), json!([[10, 21]])),
        (format!("SELECT a.t.*, t.id FROM a.t {then}"), json!([[1, 10, 1]])),
        (format!("SELECT o.x, a.t.x FROM lakehouse.a.t {then}, A.T FOR VERSION AS OF 3 o"), json!([[11, 10]])),
        (format!("SELECT o.x, t.x FROM a.t {then}, a.t o"), json!([[11, 10]])),
        (format!("SELECT (SELECT a.t.x FROM a.t {then}) AS a, (SELECT t.x FROM a.t) AS b"), json!([[10, 11]])),
        (
            format!("SELECT x FROM a.t {then} UNION SELECT x FROM a.t FOR VERSION AS OF 3 ORDER BY x"),
            json!([[10], [11]]),
        ),
        (
            format!("WITH t AS (SELECT 5 AS x) SELECT t.x FROM t UNION SELECT a.t.x FROM a.t {then} ORDER BY 1"),
            json!([[5], [10]]),
        ),
    ] {
        assert_eq!(lake.rows(&sql).await, rows, "{sql}");
    }
    let (code, text) = lake.refused(&format!("SELECT * FROM \"as of\".\"a.t@2\", a.t {then} q, a.t")).await;
    assert_eq!(code, "query.invalid_sql", "{text}");
    assert!(text.contains("no table is named") && !text.contains("lakehouse"), "{text}");
}
