//! Stored NULLs: what a scan may drop before a join has seen it.

use serde_json::json;

use crate::lake::Lake;

/// Two tables whose second columns hold one NULL each.
async fn lake() -> Lake {
    let lake = Lake::open().await;
    lake.replace("n1", "k,a\n1,1\n2,2\n3,\n").await;
    lake.replace("n2", "k,b\n1,1\n2,\n").await;
    lake
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_that_take_null_for_a_value_get_the_stored_nulls() {
    let lake = lake().await;
    for (sql, rows) in [
        ("SELECT count(*) FROM n1 WHERE a NOT IN (SELECT b FROM n2)", json!([[0]])),
        ("SELECT count(*) FROM n1 JOIN n2 ON a IS NOT DISTINCT FROM b", json!([[2]])),
        ("SELECT a FROM n1 INTERSECT SELECT b FROM n2 ORDER BY a", json!([[1], [null]])),
        ("SELECT a FROM n1 EXCEPT SELECT b FROM n2", json!([[2]])),
        // The NULL of n2 counts whatever is asked of n1.
        ("SELECT a FROM n1 WHERE a > 0 AND a NOT IN (SELECT b AS a FROM n2)", json!([])),
        ("SELECT a FROM (SELECT a FROM n1 WHERE a NOT IN (SELECT b FROM n2)) JOIN n2 ON a = n2.k", json!([])),
    ] {
        assert_eq!(lake.rows(sql).await, rows, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_in_minds_nulls_wherever_it_stands() {
    let lake = lake().await;
    for (sql, rows) in [
        ("SELECT k FROM n1 WHERE a NOT IN (SELECT b FROM n2) OR k = 3", json!([[3]])),
        ("SELECT k FROM n1 WHERE NOT (a IN (SELECT b FROM n2) AND k > 0)", json!([])),
        ("SELECT k FROM n1 WHERE a NOT IN (SELECT b FROM n2 WHERE b IS NOT NULL) ORDER BY k", json!([[2]])),
        ("SELECT k FROM n1 WHERE a NOT IN (SELECT b FROM n2 WHERE b > 7) ORDER BY k", json!([[1], [2], [3]])),
        ("SELECT k FROM n1 WHERE a NOT IN (SELECT b FROM n2 WHERE n2.k = n1.k) ORDER BY k", json!([[3]])),
        ("SELECT k FROM n1 WHERE a NOT IN (SELECT a FROM n1 WHERE a > 1) ORDER BY k", json!([[1]])),
    ] {
        assert_eq!(lake.rows(sql).await, rows, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn set_operations_with_all_count() {
    let lake = Lake::open().await;
    lake.replace("l", "a,b\n1,x\n1,x\n1,x\n2,y\n,\n,\n").await;
    lake.replace("r", "a,b\n1,x\n1,x\n3,y\n,\n").await;
    for (operation, rows) in [
        ("INTERSECT ALL", json!([[1, "x"], [1, "x"], [null, null]])),
        ("EXCEPT ALL", json!([[1, "x"], [2, "y"], [null, null]])),
        ("INTERSECT", json!([[1, "x"], [null, null]])),
        ("EXCEPT", json!([[2, "y"]])),
    ] {
        let sql = format!("SELECT a, b FROM l {operation} SELECT a, b FROM r ORDER BY a");
        assert_eq!(lake.rows(&sql).await, rows, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_filter_cannot_compute_is_no_damage() {
    let lake = lake().await;
    for (condition, code) in [
        ("1 / (a - 1) > 0", "query.failed"),
        ("CAST(CAST(a AS VARCHAR) || 'x' AS INT) > 0", "query.failed"),
        ("a + 9223372036854775807 > 0", "query.overflow"),
        ("date_trunc('zzz', now()) > now() AND a > 0", "query.failed"),
        ("(CASE WHEN a = 1 THEN 1 / (a - 1) ELSE 1 END) = 1", "query.failed"),
        ("a IN (SELECT b / (b - 1) FROM n2)", "query.failed"),
    ] {
        let (refused, message) = lake.refused(&format!("SELECT * FROM n1 WHERE {condition}")).await;
        assert_eq!(refused, code, "{condition}: {message}");
    }
    // A condition before it keeps the rows away that it fails on.
    assert_eq!(lake.rows("SELECT k FROM n1 WHERE 1 / (a - 1) > 0 AND a > 1").await, json!([[2]]));
}
