//! Work that takes very long without a pause: it ends when nobody waits for it, and others are answered meanwhile.

use std::time::Duration;

use query::Config;
use serde_json::json;

use crate::lake::Lake;

/// More than the threads that are spare, so that one that is held is missed.
const MANY: usize = 8;

async fn lake() -> Lake {
    Lake::with(&Config { threads: Some(1), ..Config::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_that_pass_no_row_end_when_they_are_dropped() {
    let lake = lake().await;
    let series = "generate_series(1, 200000)";
    for join in [
        format!("{series} a(x) CROSS JOIN {series} b(y) WHERE x * y < 0"),
        format!("{series} a(x) LEFT JOIN {series} b(y) ON x * y < 0"),
        format!("{series} a(x) JOIN {series} b(y) ON x % 2 = y % 2 AND x * y < 0"),
        format!("{series} a(x) WHERE NOT EXISTS (SELECT 1 FROM {series} b(y) WHERE x * y < 0)"),
    ] {
        let mut endless = Vec::new();
        for _ in 0..MANY {
            endless.push(lake.ask(&format!("SELECT count(*) FROM {join}")).await.unwrap());
        }
        drop(endless);
        let after = tokio::time::timeout(Duration::from_secs(20), lake.rows("SELECT 1")).await;
        assert_eq!(after.expect("their threads are free"), json!([[1]]), "{join}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_take_too_long_to_compare_are_refused() {
    let lake = lake().await;
    lake.replace("t", "a,b\nx,y\n").await;
    for condition in [
        "repeat('a', 100000) LIKE repeat('%a', 10000) || 'b'",
        "repeat(a, 100000) LIKE repeat('%x', 10000) || b",
        "repeat(a, 100000) ILIKE repeat('%x', 10000) || b",
        &format!("a SIMILAR TO '{}'", "%x".repeat(1000)),
        &format!("a LIKE '{}'", "%x".repeat(1000)),
        "a ~ (repeat('.*x', 10000) || b)",
        "a !~* (repeat('.*x', 10000) || b)",
        "regexp_like(a, repeat('.*x', 10000) || b)",
        "levenshtein(repeat(a, 100000), repeat(b, 100000)) > 1",
    ] {
        let (code, message) = lake.refused(&format!("SELECT count(*) FROM t WHERE {condition}")).await;
        assert_eq!(code, "query.failed", "{condition}: {message}");
    }
    let fine = "SELECT levenshtein(a, b), a LIKE 'x%', a ~ '^x', a LIKE b, regexp_replace(a, 'x', b) FROM t";
    assert_eq!(lake.rows(fine).await, json!([[1, true, true, false, "y"]]));
}
