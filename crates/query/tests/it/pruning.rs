//! Files and row groups that cannot hold a row are not read.

use catalog::Mode;
use serde_json::json;

use crate::lake::Lake;

async fn months(lake: &Lake) {
    for month in 1..=6 {
        let rows: String =
            (0..10).map(|row| format!("2024-0{month}-1{row},{},m{month}\n", month * 100 + row)).collect();
        lake.load("t", Mode::Append, format!("Day,Amount,Label\n{rows}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_outside_of_the_bounds_are_skipped() {
    let lake = Lake::open().await;
    months(&lake).await;
    let skipped = async |sql: &str, rows: u64, files: u64| {
        let before = lake.query.files_skipped();
        assert_eq!(lake.rows(sql).await, json!([[rows]]), "{sql}");
        assert_eq!(lake.query.files_skipped() - before, files, "{sql}");
    };
    skipped("SELECT count(*) FROM t WHERE amount BETWEEN 300 AND 304", 5, 5).await;
    skipped("SELECT count(*) FROM t WHERE day >= DATE '2024-05-01'", 20, 4).await;
    skipped("SELECT count(*) FROM t WHERE label = 'm2'", 10, 5).await;
    skipped("SELECT count(*) FROM t WHERE amount IS NULL", 0, 6).await;
    skipped("SELECT count(*) FROM t WHERE amount > 9999", 0, 6).await;
    skipped("SELECT count(*) FROM t WHERE amount % 2 = 0", 30, 0).await;
    skipped("SELECT count(*) FROM t", 60, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_and_bounds_come_from_statistics() {
    let lake = Lake::open().await;
    months(&lake).await;
    assert_eq!(lake.rows("SELECT count(*), min(amount), max(day) FROM t").await, json!([[60, 100, "2024-06-19"]]));
    let plan = lake.rows("EXPLAIN SELECT count(*), min(amount), max(day) FROM t").await.to_string();
    assert!(!plan.contains("DataSourceExec"), "{plan}");
    let plan = lake.rows("EXPLAIN SELECT max(label) FROM t").await.to_string();
    assert!(plan.contains("DataSourceExec"), "texts may be cut: {plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_reach_the_files() {
    let lake = Lake::open().await;
    months(&lake).await;
    let plan = lake.rows("EXPLAIN ANALYZE SELECT label FROM t WHERE amount = 205").await.to_string();
    for metric in ["row_groups_pruned_statistics", "pushdown_rows_pruned"] {
        assert!(plan.contains(metric), "{metric}: {plan}");
    }
}
