//! Memory, disk, time and sharing.

use std::time::Duration;

use base::{ByteSize, Fault, Kind, Span};
use futures::StreamExt;
use query::Config;
use serde_json::json;

use crate::lake::Lake;

fn small() -> Config {
    Config { memory_limit: ByteSize::mib(24), threads: Some(2), ..Config::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sort_larger_than_memory_spills() {
    let directory = tempfile::tempdir().unwrap();
    let lake = Lake::with(&Config { spill_dir: Some(directory.path().to_owned()), ..small() }).await;
    let rows: String = (0..150_000_u64).map(|row| format!("{},{:0200}\n", row * 7919 % 150_001, row)).collect();
    lake.replace("t", format!("k,filler\n{rows}")).await;
    let sql = "SELECT k, filler FROM t ORDER BY filler DESC, k";
    let mut answer = lake.ask(sql).await.unwrap();
    let mut count = 0;
    while let Some(batch) = answer.batches.next().await {
        count += batch.unwrap().num_rows();
    }
    assert_eq!(count, 150_000);
    let plan = lake.rows(&format!("EXPLAIN ANALYZE {sql}")).await.to_string();
    let spilled = plan.split("spill_count=").skip(1).any(|rest| !rest.starts_with('0'));
    assert!(spilled, "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn grouping_by_more_than_memory_spills_or_says_so() {
    let lake = Lake::with(&small()).await;
    let sql =
        "SELECT count(*) FROM (SELECT value % 400000 AS g, max(value) AS m FROM generate_series(1, 500000) GROUP BY 1)";
    assert_eq!(lake.rows(sql).await, json!([[400_000]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_spill_ends_with_the_memory_limit() {
    let lake = Lake::with(&small()).await;
    for sql in [
        "SELECT array_agg(value) FROM generate_series(1, 50000000)",
        "SELECT string_agg(CAST(value AS VARCHAR), ',') FROM generate_series(1, 50000000)",
        "SELECT a.value FROM generate_series(1, 10000000) a JOIN generate_series(1, 10000000) b ON a.value = b.value",
    ] {
        let error = lake.json(sql).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("query.memory_limit", Kind::TooMuch), "{sql}: {error}");
        assert!(error.to_string().contains("24MiB"), "{error}");
    }
    assert_eq!(lake.rows("SELECT 1").await, json!([[1]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_window_repeats_in_every_row_is_counted() {
    let lake = Lake::with(&Config { memory_limit: ByteSize::mib(64), ..small() }).await;
    let over = |aggregate: &str, window: &str, rows: usize| {
        let texts = format!("SELECT value AS v, repeat('x', 1000) || value AS t FROM generate_series(1, {rows})");
        format!("SELECT count(s) FROM (SELECT {aggregate} OVER ({window}) AS s FROM ({texts}))")
    };
    let held = "ORDER BY v ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING";
    for (aggregate, window) in [
        ("string_agg(t, ',')", ""),
        ("string_agg(t, ',')", "ORDER BY v"),
        ("array_agg(t)", ""),
        ("array_agg(t)", held),
        ("max(t)", "PARTITION BY v % 7"),
    ] {
        let rows = if aggregate.starts_with("max") { 50_000 } else { 1_000 };
        let (code, message) = lake.refused(&over(aggregate, window, rows)).await;
        assert_eq!(code, "query.memory_limit", "{aggregate} {window}: {message}");
    }
    // What leaves in batches may come to more than may be held.
    assert_eq!(lake.rows(&over("max(t)", "ORDER BY v", 50_000)).await, json!([[50_000]]));
    assert_eq!(lake.rows(&over("string_agg(t, ',')", "", 100)).await, json!([[100]]));
    let sql = "SELECT DISTINCT string_agg(x, ',') OVER (), max(x) OVER () FROM (VALUES ('a'), ('b')) t (x)";
    assert_eq!(lake.rows(sql).await, json!([["a,b", "b"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_constant_makes_batches_of_few_rows() {
    let lake = Lake::open().await;
    for constant in ["repeat('x', 1000000)", "array_repeat(1, 125000)"] {
        let mut answer = lake.ask(&format!("SELECT {constant} AS a FROM generate_series(1, 50)")).await.unwrap();
        let mut rows = 0;
        while let Some(batch) = answer.batches.next().await {
            let batch = batch.unwrap();
            assert!(batch.num_rows() <= 16, "{constant}: {} rows of 1 MB", batch.num_rows());
            rows += batch.num_rows();
        }
        assert_eq!(rows, 50, "{constant}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_endless_queries() {
    let lake = Lake::with(&Config { timeout: Span::millis(300), ..small() }).await;
    for sql in [
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r) SELECT count(*) FROM r",
        "SELECT count(*) FROM generate_series(1, 9000000000000) a, generate_series(1, 1000) b WHERE a.value + b.value = 0",
        "SELECT sum(value % 7) FROM generate_series(1, 9000000000000)",
        "SELECT value FROM generate_series(1, 9000000000000) WHERE value < 0",
    ] {
        let error = lake.json(sql).await.unwrap_err();
        assert!(matches!(error.code(), "query.timeout" | "query.memory_limit"), "{sql}: {error}");
    }
    assert_eq!(lake.rows("SELECT 1").await, json!([[1]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_joins_longer_than_a_task_may_take_steps_is_answered() {
    let lake = Lake::with(&small()).await;
    lake.replace("t", "x\n1\n2\n").await;
    let chain = format!("SELECT x FROM t{}", " EXCEPT SELECT 7".repeat(135));
    assert_eq!(lake.rows(&format!("SELECT count(*) FROM ({chain})")).await, json!([[2]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_of_everything_with_everything_end_and_leave_room_for_others() {
    let lake = Lake::with(&Config { timeout: Span::secs(3), memory_limit: ByteSize::mib(200), ..small() }).await;
    let rows: String = (0..60_000).map(|row| format!("{row}\n")).collect();
    lake.replace("t", format!("x\n{rows}")).await;
    let bombs = ["SELECT sum(a.x - b.x) FROM t a, t b", "SELECT sum(a.x) FROM t a JOIN t b ON a.x < b.x"];
    let ended = futures::future::join_all((0..12).map(|turn| lake.json(bombs[turn % 2]))).await;
    for outcome in ended {
        let code = outcome.map_err(|error| error.code().to_owned());
        assert_eq!(code.unwrap_err(), "query.timeout");
    }
    // More of them were asked than there are threads: this answers only if they have let go of theirs. A machine that is
    // busy beside the test may take longer than one deadline to run what is left of their last steps.
    let mut answer = lake.json("SELECT 1").await;
    for _ in 0..5 {
        if answer.as_ref().is_err_and(|error| error.code() == "query.timeout") {
            answer = lake.json("SELECT 1").await;
        }
    }
    assert_eq!(answer.unwrap()["rows"], json!([[1]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_can_be_cancelled_by_its_id() {
    let lake = Lake::open().await;
    let mut answer = lake.ask("SELECT value FROM generate_series(1, 9000000000000)").await.unwrap();
    assert!(answer.batches.next().await.unwrap().is_ok());
    assert!(lake.query.cancel(answer.id));
    let error = loop {
        match answer.batches.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("the stream ended as if it were whole"),
        }
    };
    assert_eq!(error.code(), "query.cancelled");
    assert!(answer.batches.next().await.is_none());
    assert!(!lake.query.cancel(answer.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_answer_is_a_cancelled_query() {
    let lake = Lake::open().await;
    let answer = lake.ask("SELECT value FROM generate_series(1, 9000000000000)").await.unwrap();
    let id = answer.id;
    drop(answer);
    assert!(!lake.query.cancel(id));
    let slow = lake.ask("SELECT count(*) FROM generate_series(1, 9000000000000)").await.unwrap();
    let id = slow.id;
    drop(answers::stream(slow, answers::Format::Csv));
    assert!(!lake.query.cancel(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_queries_at_once_are_all_answered() {
    let lake = Lake::with(&small()).await;
    lake.replace("t", "x\n1\n2\n3\n").await;
    let asks = (0..64).map(|n| {
        let query = lake.query.clone();
        async move {
            let sql = format!("SELECT sum(x) + {n} FROM t, generate_series(1, 2000)");
            let answer = query.run(query::Ask { sql, ..query::Ask::default() }).await.unwrap();
            let bytes = answers::json(answer, 10).await.unwrap();
            let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(document["rows"], json!([[12_000 + n]]));
        }
    });
    let all = futures::future::join_all(asks);
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("no query starves");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_can_be_dropped_inside_of_another_runtime() {
    let lake = Lake::open().await;
    let answer = lake.ask("SELECT value FROM generate_series(1, 9000000000000)").await.unwrap();
    drop(lake);
    drop(answer);
}
