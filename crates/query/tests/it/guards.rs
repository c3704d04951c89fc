//! Hostile statements: each is answered with its documented code, and the process lives.

use base::{ByteSize, Span};
use query::Config;
use serde_json::json;

use crate::lake::{Lake, PEOPLE};

async fn lake() -> Lake {
    let config =
        Config { memory_limit: ByteSize::mib(64), timeout: Span::secs(20), threads: Some(2), ..Config::default() };
    let lake = Lake::with(&config).await;
    lake.replace("people", PEOPLE).await;
    lake
}

async fn all_refused(statements: &[(String, &[&str])]) {
    let lake = lake().await;
    for (sql, codes) in statements {
        let (code, message) = lake.refused(sql).await;
        let shown: String = sql.chars().take(100).collect();
        assert!(codes.contains(&code.as_str()), "{shown}: {code}: {message}");
        assert!(message.len() < 1500, "{shown}: {message}");
    }
    assert_eq!(lake.rows("SELECT count(*) FROM people").await, json!([[3]]));
}

fn each(code: &'static [&'static str], statements: &[&str]) -> Vec<(String, &'static [&'static str])> {
    statements.iter().map(|sql| ((*sql).to_owned(), code)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_writes_is_read_only() {
    let statements = each(
        &["query.read_only"],
        &[
            "INSERT INTO people VALUES (1)",
            "UPDATE people SET name = 'x'",
            "DELETE FROM people",
            "DROP TABLE people",
            "TRUNCATE TABLE people",
            "ALTER TABLE people ADD COLUMN x INT",
            "CREATE TABLE x AS SELECT 1",
            "CREATE VIEW v AS SELECT 1",
            "CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '/etc'",
            "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 's3://bucket/key'",
            "CREATE FUNCTION f() RETURNS INT RETURN 1",
            "CREATE SCHEMA s",
            "CREATE DATABASE d",
            "COPY people TO '/tmp/out.parquet'",
            "COPY (SELECT * FROM people) TO 's3://bucket/x'",
            "COPY people FROM '/etc/passwd'",
            "SET datafusion.execution.batch_size = 1",
            "SET memory_limit = '1TB'",
            "RESET datafusion.execution.batch_size",
            "PREPARE p AS SELECT 1",
            "EXECUTE p",
            "DEALLOCATE p",
            "BEGIN",
            "START TRANSACTION",
            "COMMIT",
            "ROLLBACK",
            "USE other",
            "GRANT SELECT ON people TO x",
            "ATTACH 'file.db' AS x",
            "INSTALL httpfs",
            "LOAD httpfs",
            "PRAGMA database_list",
            "CALL something()",
            "EXPORT DATABASE '/tmp/x'",
            "VACUUM",
            "MERGE INTO people USING people p2 ON true WHEN MATCHED THEN DELETE",
            "SELECT * INTO copy FROM people",
            "WITH x AS (SELECT 1) INSERT INTO people SELECT * FROM x",
            "EXPLAIN INSERT INTO people VALUES (1)",
            "EXPLAIN ANALYZE COPY people TO '/tmp/x'",
            "SELECT * FROM people FOR UPDATE",
            "ANALYZE TABLE people COMPUTE STATISTICS",
            "LOCK TABLES people READ",
            "KILL 1",
            "/* SELECT */ DROP TABLE people",
            "-- SELECT\nDROP TABLE people",
        ],
    );
    all_refused(&statements).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_or_address_is_a_table() {
    let invalid: &[&str] = &["query.invalid_sql", "query.unsupported"];
    let statements = each(
        invalid,
        &[
            "SELECT * FROM '/etc/passwd'",
            "SELECT * FROM 'file.parquet'",
            "SELECT * FROM \"/etc/passwd\"",
            "SELECT * FROM \"file:///etc/passwd\"",
            "SELECT * FROM 's3://bucket/key.parquet'",
            "SELECT * FROM \"https://example.com/x.csv\"",
            "SELECT * FROM `../../x.parquet`",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_parquet('s3://b/k')",
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM read_blob('/etc/passwd')",
            "SELECT * FROM glob('/*')",
            "SELECT * FROM parquet_metadata('/x')",
            "SELECT * FROM sqlite_scan('x', 'y')",
            "SELECT read_file('/etc/passwd')",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT load_file('/etc/passwd')",
            "SELECT getenv('PATH')",
            "SELECT current_setting('x')",
            "SELECT version()",
            "SELECT * FROM duckdb_settings()",
            "SELECT * FROM other.public.people",
            "SELECT * FROM a.b.c.d",
            "SHOW ALL",
            "SELECT * FROM information_schema.df_settings",
            "SELECT 1; DROP TABLE people",
            "SELECT",
            "",
            "   ",
            "\0",
            "SELECT '",
            "SELECT \"",
            "SELECT /* ",
            "SELECT * FROM people WHERE",
            "SELECT * FROM \"file:///etc/passwd\" FOR VERSION AS OF 1",
            "SELECT * FROM \"as of\".\"people@1\"",
            "SELECT * FROM \"history()\".\"0\"",
        ],
    );
    all_refused(&statements).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_deep_is_refused_before_planning() {
    let n = 2_000;
    let statements: Vec<String> = vec![
        format!("SELECT 1{}", " + 1".repeat(n)),
        format!("SELECT 1{}", " + 1".repeat(n * 20)),
        format!("SELECT true{}", " OR true".repeat(n)),
        format!("SELECT true{}", " AND NOT true".repeat(n)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(n)),
        format!("SELECT 1{}", " INTERSECT SELECT 1".repeat(n)),
        format!("SELECT 'a'{}", " || 'a'".repeat(n)),
        format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n)),
        format!("SELECT {}1{}", "(".repeat(n * 40), ")".repeat(n * 40)),
        format!("SELECT {}1", "(".repeat(n)),
        format!("SELECT {}1{}", "(SELECT ".repeat(n), ")".repeat(n)),
        format!("SELECT * FROM {}(SELECT 1){}", "(SELECT * FROM ".repeat(n), ")".repeat(n)),
        format!("SELECT {}true", "NOT ".repeat(n)),
        format!("SELECT {}1", "- ".repeat(n)),
        format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(n), " END".repeat(n)),
        format!("SELECT {}1{}", "abs(".repeat(n), ")".repeat(n)),
        format!("SELECT {}1{}", "[".repeat(n), "]".repeat(n)),
        format!("SELECT 1{}", "::INT".repeat(n)),
        format!("SELECT 1 FROM people{}", " JOIN people ON true".repeat(n)),
        format!("SELECT 1 WHERE 1 IN ({}1)", "1,".repeat(20_000)),
        format!("SELECT {}1", "1,".repeat(20_000)),
        format!("VALUES (1){}", ",(1)".repeat(20_000)),
        format!("WITH {} SELECT 1", vec!["a AS (SELECT 1)"; 20_000].join(",")),
        format!("SELECT {}", "a.".repeat(150_000)),
        format!("SELECT '{}'", "x".repeat(5 << 20)),
        format!("SELECT 1 IS NULL{}", " IS NULL".repeat(n)),
        format!("SELECT a{} FROM people", "[1]".repeat(n)),
        format!("{} SELECT 1", "EXPLAIN ".repeat(n)),
        format!("SELECT {} '1' DAY", "INTERVAL ".repeat(n)),
        format!("SELECT CAST(NULL AS {}INT{})", "ARRAY<".repeat(n), ">".repeat(n)),
        format!("SELECT CAST(NULL AS {}INT{})", "STRUCT<a ".repeat(n), ">".repeat(n)),
        format!("SELECT {}1", "PRIOR ".repeat(n)),
    ];
    let codes: &[&str] = &["query.too_complex"];
    let loose: &[&str] = &["query.too_complex", "query.invalid_sql", "query.read_only", "query.unsupported"];
    let statements: Vec<_> = statements
        .into_iter()
        .map(|sql| {
            let malformed = sql.ends_with(".")
                || sql.starts_with("EXPLAIN")
                || sql.contains("INTERVAL")
                || sql.contains("CAST")
                || sql.contains("PRIOR")
                || sql.contains("IS NULL");
            let odd = sql.contains("[1]") || sql.starts_with("SELECT {") || sql.contains("a AS (");
            (sql, if malformed || odd { loose } else { codes })
        })
        .collect();
    all_refused(&statements).await;
}

/// A chain of `levels` tables that each read the one before twice.
fn doubled(levels: usize) -> String {
    let each = |level: usize| format!(", a{level} AS (SELECT x.x FROM a{0} x, a{0} y)", level - 1);
    let tables: String = (1..levels).map(each).collect();
    format!("WITH a0 AS (SELECT 1 AS x){tables} SELECT count(*) FROM a{}", levels - 1)
}

/// Planning is broken off between its steps only: what would keep one of them busy for long is refused before.
#[tokio::test(flavor = "multi_thread")]
async fn what_planning_would_be_lost_in_is_refused() {
    let nested = |open: &str, inner: &str, close: &str, n: usize| {
        format!("SELECT {}{inner}{} AS x FROM people", open.repeat(n), close.repeat(n))
    };
    let filtered = |open: &str, n: usize| format!("SELECT 1 FROM people WHERE {}true{}", open.repeat(n), ")".repeat(n));
    let statements = [
        format!("SELECT CAST(NULL AS INT{})", "[]".repeat(10_000)),
        format!("SELECT CAST(NULL AS INT{})", "[7]".repeat(10_000)),
        format!("SELECT NULL::INT{}", "[] ".repeat(10_000)),
        nested("abs(", "id", ")", 101),
        nested("[", "id", "]", 101),
        nested("coalesce(id, ", "1", ")", 40),
        nested("IFNULL(id, ", "1", ")", 40),
        nested("nvl(id, ", "1", ")", 40),
        nested("ROW(", "1", ", 1)", 40),
        nested("MAP {1: ", "1", "}", 40),
        nested("(SELECT ", "1", ")", 40),
        filtered("EXISTS (SELECT 1 FROM people WHERE ", 40),
        filtered("id IN (SELECT coalesce(id, 1) FROM people WHERE ", 40),
        filtered("id = ANY (SELECT id FROM people WHERE ", 40),
        filtered("id = (SELECT max(id) FROM people WHERE ", 40),
        doubled(40),
        format!("SELECT f{}(1)", "a".repeat(1 << 20)),
        format!("SELECT \"{}\"(1)", "a".repeat(1 << 20)),
        format!("SELECT 1 FROM people{}", ", people".repeat(150)),
        format!("SELECT 1 FROM people{}", " JOIN people ON true".repeat(150)),
    ];
    let codes: &[&str] = &["query.too_complex"];
    all_refused(&statements.map(|sql| (sql, codes))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_nest_is_answered() {
    let lake = lake().await;
    for (sql, rows) in [
        (format!("SELECT {}1{}", "coalesce(NULL, ".repeat(10), ")".repeat(10)), 1),
        (
            format!(
                "SELECT id FROM people WHERE {}true{}",
                "id IN (SELECT id FROM people WHERE ".repeat(5),
                ")".repeat(5)
            ),
            3,
        ),
        (doubled(8), 1),
        (
            format!(
                "WITH {} SELECT 1",
                (0..200).map(|n| format!("a{n} AS (SELECT id FROM people)")).collect::<Vec<_>>().join(", ")
            ),
            1,
        ),
        ("SELECT CAST(NULL AS INT[][][])".to_owned(), 1),
    ] {
        let shown: String = sql.chars().take(60).collect();
        let answered = lake.json(&sql).await.map(|document| document["rows"].as_array().unwrap().len());
        assert!(matches!(answered, Ok(number) if number == rows), "{shown}: {answered:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_just_deep_enough_is_answered() {
    let lake = lake().await;
    let n = 490;
    let deep = [
        format!("SELECT 1{}", " + 1".repeat(n)),
        format!("SELECT count(*) FROM people WHERE id = 1{}", " OR id = 2".repeat(n)),
        format!("SELECT count(*) FROM (SELECT 1{})", " UNION ALL SELECT 1".repeat(n)),
        format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n)),
        format!("SELECT {}true", "NOT ".repeat(n)),
        format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(240), " END".repeat(240)),
        format!("SELECT {}1{}", "abs(".repeat(100), ")".repeat(100)),
        format!("SELECT id{} FROM people LIMIT 1", " + id".repeat(n)),
    ];
    for sql in deep {
        let shown: String = sql.chars().take(60).collect();
        let rows = lake.json(&sql).await.map(|document| document["rows"].as_array().unwrap().len());
        assert!(matches!(rows, Ok(1)), "{shown}: {rows:?}");
    }
    let nested = format!("SELECT * FROM {}(SELECT 1 AS x) {}", "(SELECT * FROM ".repeat(100), ") ".repeat(100));
    assert_eq!(lake.rows(&nested).await, json!([[1]]));
    let literal = format!("SELECT length('{}')", "x".repeat(1 << 20));
    assert_eq!(lake.rows(&literal).await, json!([[1 << 20]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_grow_without_bound_is_stopped() {
    let megabyte = "x".repeat(1 << 20);
    let doubled = |from: &str, step: &str, times: usize| {
        (0..times).fold(from.to_owned(), |inner, _| format!("SELECT {step} AS a FROM ({inner})"))
    };
    let limit: &[&str] = &["query.memory_limit"];
    let ends: &[&str] = &["query.memory_limit", "query.timeout", "query.answer_too_large"];
    let mut statements = each(
        limit,
        &[
            "SELECT repeat('x', 2000000000)",
            "SELECT repeat(repeat('x', 30000), 30000)",
            "SELECT repeat(name, 100000000) FROM people",
            "SELECT lpad('x', 2000000000, 'y')",
            "SELECT rpad(name, 2000000000) FROM people",
            "SELECT array_repeat(1, 2000000000)",
            "SELECT range(0, 9000000000000)",
            "SELECT generate_series(0, 2000000000)",
            "SELECT replace(repeat('x', 1000000), 'x', repeat('y', 100000))",
            "SELECT array_resize([1], 2000000000)",
            "SELECT array_replace_all(array_repeat('a', 100000), 'a', repeat('x', 10000))",
        ],
    );
    statements.extend(each(
        ends,
        &[
            "SELECT array_agg(a.value) FROM generate_series(1, 100000000) a",
            "SELECT string_agg(CAST(a.value AS VARCHAR), ',') FROM generate_series(1, 100000000) a",
            "SELECT string_agg(repeat('x', 100000), '') FROM generate_series(1, 100000)",
            "SELECT array_agg(repeat('x', 100000)) FROM generate_series(1, 100000)",
            "SELECT a.value FROM generate_series(1, 100000000) a ORDER BY repeat('x', 1000) || a.value",
        ],
    ));
    statements.push((doubled("SELECT 'xxxxxxxxxxxxxxxx' AS a", "a || a", 40), limit));
    statements.push((doubled("SELECT 'xxxxxxxxxxxxxxxx' AS a", "concat(a, a)", 40), limit));
    statements.push((doubled("SELECT [1, 2, 3, 4] AS a", "array_concat(a, a)", 40), limit));
    statements.push((
        doubled("SELECT [1, 2, 3, 4] AS a", "make_array(a, a)", 40),
        &["query.memory_limit", "query.too_complex", "query.failed", "query.invalid_sql", "query.unsupported"],
    ));
    statements.push((
        format!("SELECT {}'x'", format!("'{megabyte}' || name || ").repeat(3))
            + " FROM people, generate_series(1, 100000)",
        ends,
    ));
    all_refused(&statements).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_constants_build_adds_up() {
    let lake = lake().await;
    let piece = "repeat('x', 7000000)";
    assert_eq!(lake.rows(&format!("SELECT length({piece})")).await, json!([[7_000_000]]));
    for sql in [
        format!("SELECT concat({piece}, {piece}, {piece})"),
        format!("SELECT {piece}, {piece}, {piece}"),
        format!("SELECT {piece} || {piece} || {piece}"),
        format!("SELECT [{piece}, {piece}, {piece}]"),
    ] {
        let (code, message) = lake.refused(&sql).await;
        assert_eq!(code, "query.memory_limit", "{sql}: {message}");
    }
}
