//! `vector_search` over a scripted search: what is asked of it, and how its faults and limits come out.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use base::{AsOf, ByteSize, Fault, Kind, Span, Version};
use query::{Ask, Config};
use serde_json::{Value, json};

use crate::lake::Lake;
use crate::scripted::metadata;

async fn with_params(lake: &Lake, sql: &str, params: Value) -> query::Result<Value> {
    let Value::Array(params) = params else { panic!("parameters are a list") };
    let answer = lake.query.run(Ask { sql: sql.to_owned(), params, as_of: None }).await?;
    let bytes = answers::json(answer, 10_000).await?;
    Ok(serde_json::from_slice::<Value>(&bytes).unwrap()["rows"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_alike_are_asked_once() {
    let lake = Lake::open().await;
    let sql = "SELECT count(*) FROM vector_search('jobs', 'x', 2) a JOIN vector_search('jobs', 'x', 2) b ON a.id = b.id \
               WHERE a.id IN (SELECT id FROM vector_search('jobs', 'x', 3)) AND EXISTS (SELECT 1 FROM \
               vector_search('jobs', 'x', 2))";
    assert_eq!(lake.rows(sql).await, json!([[2]]));
    assert_eq!(lake.search.asked(), [r#"jobs Meaning("x") 2"#, r#"jobs Meaning("x") 3"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_for_a_statement_that_is_refused_by_its_text() {
    let lake = Lake::open().await;
    for sql in [
        "SELECT * FROM vector_search('jobs', 'x', 1) a, vector_search('jobs', 'y', 0) b",
        "SELECT * FROM vector_search('jobs', $1, 1)",
        "SELECT * FROM vector_search('jobs', 'x', 1); SELECT 1",
        "DELETE FROM t USING vector_search('jobs', 'x', 1)",
    ] {
        lake.refused(sql).await;
    }
    assert_eq!(lake.search.asked(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_argument_may_be_a_parameter() {
    let lake = Lake::open().await;
    let sql = "SELECT id FROM vector_search($1, $2, $3) WHERE wage > $4 ORDER BY distance";
    let rows = with_params(&lake, sql, json!(["jobs", [0, -0.5], 4, 19.0])).await.unwrap();
    assert_eq!(rows, json!([["a"], ["b"]]));
    assert_eq!(lake.search.asked(), ["jobs Vector([0.0, -0.5]) 4"]);
    let rows = with_params(&lake, sql, json!(["jobs", "it's", 2, 19])).await.unwrap();
    assert_eq!(rows, json!([["a"], ["b"]]));
    assert_eq!(lake.search.asked(), [r#"jobs Meaning("it's") 2"#]);
    // One parameter may serve several calls, and the statement beside them.
    let sql = "SELECT $1 AS t, a.id FROM vector_search('jobs', $1, 1) a, vector_search('odd', $1, 1) b";
    assert_eq!(with_params(&lake, sql, json!(["x"])).await.unwrap(), json!([["x", "a"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_and_filters_are_asked_as_they_are_written() {
    let lake = Lake::open().await;
    let sql = "SELECT k.id, k.score, h.score, h.distance, keyword_search.wage FROM keyword_search('jobs', 'weld', 2) k \
               JOIN hybrid_search('jobs', 'weld', 3, '{\"wage\":{\"gt\":1}}') h ON h.id = k.id \
               JOIN Keyword_Search('jobs', 'weld', 2) ON keyword_search.id = k.id ORDER BY k.score DESC";
    assert_eq!(lake.rows(sql).await, json!([["a", 0.0, 0.0, 0.0, 21.5], ["b", -1.0, -1.0, null, 30.0]]));
    let asked = [r#"jobs Words("weld") 2"#, r#"jobs Both("weld") 3 where {"wage":{"gt":1}}"#];
    assert_eq!(lake.search.asked(), asked);
    let rows =
        with_params(&lake, "SELECT id FROM vector_search('jobs', $1, 1, $2)", json!([[0, 1], "{}"])).await.unwrap();
    assert_eq!((rows, lake.search.asked()), (json!([["b"]]), vec!["jobs Vector([0.0, 1.0]) 1 where {}".to_owned()]));
    for (sql, told) in [
        ("SELECT distance FROM keyword_search('jobs', 'weld', 2)", "no column is named \"distance\""),
        ("SELECT score FROM vector_search('jobs', 'weld', 2)", "no column is named \"score\""),
        ("SELECT * FROM keyword_search('jobs', ARRAY[1, 2], 2)", "keyword_search: the second argument is a text"),
        ("SELECT * FROM hybrid_search('jobs', ARRAY[1, 2], 2)", "hybrid_search: the second argument is a text"),
        ("SELECT * FROM keyword_search('jobs', 'weld')", "keyword_search: it takes an index, a text, and how many"),
        ("SELECT * FROM keyword_search('jobs', 'weld', 0)", "keyword_search: the third argument is how many to find"),
        ("SELECT * FROM keyword_search('jobs', 'weld', 2, 3)", "keyword_search: the fourth argument is a filter"),
        ("SELECT * FROM keyword_search('jobs', 'weld', 2, '{}', 1)", "keyword_search: it takes an index, a text"),
        ("SELECT keyword_search('jobs', 'weld', 2)", "keyword_search: it answers rows, so it stands after FROM"),
    ] {
        let (code, message) = lake.refused(sql).await;
        assert!(message.starts_with(told), "{sql}: {code} {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_of_other_types_are_refused() {
    let lake = Lake::open().await;
    let search = "SELECT id FROM vector_search($1, $2, $3)";
    let cases = [
        (search, json!(["jobs", "x"]), "query.invalid_params"),
        (search, json!(["jobs", "x", 1, 1]), "query.invalid_params"),
        (search, json!([["jobs"], "x", 1]), "query.invalid_search"),
        (search, json!([null, "x", 1]), "query.invalid_search"),
        (search, json!(["a b", "x", 1]), "query.invalid_search"),
        (search, json!(["jobs", null, 1]), "query.invalid_search"),
        (search, json!(["jobs", true, 1]), "query.invalid_search"),
        (search, json!(["jobs", 1.5, 1]), "query.invalid_search"),
        (search, json!(["jobs", {"x": 1}, 1]), "query.invalid_search"),
        (search, json!(["jobs", [1, "2"], 1]), "query.invalid_search"),
        (search, json!(["jobs", [1, null], 1]), "query.invalid_search"),
        (search, json!(["jobs", [[1, 2]], 1]), "query.invalid_search"),
        (search, json!(["jobs", [1e300, 0], 1]), "query.invalid_search"),
        (search, json!(["jobs", "x", 0]), "query.invalid_search"),
        (search, json!(["jobs", "x", -1]), "query.invalid_search"),
        (search, json!(["jobs", "x", 1.5]), "query.invalid_search"),
        (search, json!(["jobs", "x", "1"]), "query.invalid_search"),
        (search, json!(["jobs", "x", 10_001]), "query.invalid_search"),
        (search, json!(["jobs", vec![0.5; 100_000], 1]), "vectors.dimension"),
        ("SELECT $1", json!([[1, 2]]), "query.invalid_params"),
        ("SELECT $1 FROM vector_search('jobs', $1, 1)", json!([[1, 2]]), "query.invalid_params"),
        ("SELECT id FROM vector_search('jobs', ?, 1)", json!(["x"]), "query.invalid_params"),
        ("SELECT id FROM vector_search('jobs', $0, 1)", json!(["x"]), "query.invalid_params"),
    ];
    for (sql, params, code) in cases {
        let shown: String = params.to_string().chars().take(80).collect();
        let error = with_params(&lake, sql, params).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), (code, Kind::Invalid), "{sql} {shown}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_search_pass_unchanged() {
    let lake = Lake::open().await;
    let error = lake.json("SELECT * FROM vector_search('nothing', 'x', 1)").await.unwrap_err();
    assert_eq!((error.code(), error.kind()), ("catalog.index_not_found", Kind::NotFound));
    assert_eq!(error.facts().get("index"), Some(&json!("jobs")));
    assert_eq!(error.to_string(), "the search says catalog.index_not_found");
    assert!(std::error::Error::source(&error).is_some(), "its cause is for the log");
    let error = lake.json("SELECT * FROM vector_search('down', 'x', 1)").await.unwrap_err();
    assert_eq!((error.code(), error.kind()), ("models.no_weights", Kind::Unavailable));
    // A panic ends the query, and no more.
    let (code, message) = lake.refused("SELECT * FROM vector_search('broken', 'x', 1)").await;
    assert_eq!((code.as_str(), message.contains("broken")), ("query.search_broke", false), "{message}");
    assert_eq!(lake.rows("SELECT id FROM vector_search('jobs', 'x', 1)").await, json!([["a"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_follows_the_version_of_its_query() {
    let lake = Lake::open().await;
    let version = lake.replace("t", "x\n1\n").await;
    let sql = "SELECT * FROM vector_search('jobs', 'x', 1)".to_owned();
    let asked = Ask { sql, as_of: Some(AsOf::Version(Version(version))), params: Vec::new() };
    lake.query.run(asked.clone()).await.unwrap();
    let told = lake.search.asked();
    assert!(told.len() == 1 && told[0].ends_with(&format!(" as of {version}")), "{told:?}");
    let bare = query::Query::new(lake.query.catalog().clone(), &Config::default(), base::Seams::system()).unwrap();
    let error = bare.run(Ask { as_of: None, ..asked }).await.err().unwrap();
    assert_eq!(error.code(), "query.unsupported");
    assert!(error.to_string().contains("no vector indexes"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_ends_with_its_query() {
    let lake = Lake::with(&Config { timeout: Span::millis(200), threads: Some(2), ..Config::default() }).await;
    let error = lake.json("SELECT * FROM vector_search('slow', 'x', 1)").await.unwrap_err();
    assert_eq!(error.code(), "query.timeout");
    // The search was dropped: nothing but this lake holds the script any more.
    let script = Arc::downgrade(&lake.search);
    drop(lake);
    let dropped = async {
        while script.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), dropped).await.expect("the search is dropped with its query");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_rows_are_bounded() {
    let lake = Lake::with(&Config { memory_limit: ByteSize::mib(24), threads: Some(2), ..Config::default() }).await;
    let calls = |count: usize| {
        let mut sql = "SELECT 1 FROM vector_search('jobs', 'x', 1)".to_owned();
        for _ in 1..count {
            write!(sql, " UNION ALL SELECT 1 FROM vector_search('jobs', 'x', 1)").unwrap();
        }
        sql
    };
    assert_eq!(lake.rows(&calls(16)).await.as_array().unwrap().len(), 16);
    assert_eq!(lake.refused(&calls(17)).await.0, "query.invalid_search");
    let (code, message) = lake.refused("SELECT id FROM vector_search('huge', 'x', 1)").await;
    assert_eq!(code, "query.memory_limit");
    assert!(message.contains("search for fewer items"), "{message}");
    let elements = vec!["1"; 100_000].join(",");
    let (code, _) = lake.refused(&format!("SELECT * FROM vector_search('jobs', ARRAY[{elements}], 1)")).await;
    assert_eq!(code, "query.too_complex");
    let nested = format!("SELECT 1 FROM vector_search('jobs', {}'x'{}, 1)", "(".repeat(600), ")".repeat(600));
    assert_eq!(lake.refused(&nested).await.0, "query.too_complex");
    // A vector of 4,000 numbers, signs included, is a statement like any other.
    let signed = vec!["-0.125"; 4_000].join(",");
    let (code, _) = lake.refused(&format!("SELECT * FROM vector_search('jobs', ARRAY[{signed}], 1)")).await;
    assert_eq!(code, "vectors.dimension");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_beyond_a_thousand_are_in_the_metadata_only() {
    let lake = Lake::open().await;
    let answer = lake.json("SELECT * FROM vector_search('wide', 'x', 1)").await.unwrap();
    assert_eq!(answer["columns"].as_array().unwrap().len(), 1_003);
    let (code, _) = lake.refused("SELECT f1000 FROM vector_search('wide', 'x', 1)").await;
    assert_eq!(code, "query.invalid_sql");
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_json_and_plans_show_the_search() {
    let lake = Lake::open().await;
    let sql = "SELECT metadata FROM vector_search('jobs', 'x', 4)";
    let rows = lake.rows(sql).await;
    assert_eq!(metadata(&rows[2][0])["Title"], json!("Cook's \"mate\""));
    assert!(metadata(&rows[3][0]).is_empty());
    let plan = lake.rows(&format!("EXPLAIN {sql}")).await.to_string();
    assert!(plan.contains("vector_search"), "{plan}");
    let plan = lake.rows(&format!("EXPLAIN ANALYZE {sql} WHERE id > ''")).await.to_string();
    assert!(plan.contains("output_rows=4"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_beside_a_search_is_found_or_missed_by_name() {
    let lake = Lake::open().await;
    lake.replace("jobs_at", "job,place\na,Toledo\n").await;
    let sql = "SELECT place FROM vector_search('jobs', 'x', 1) v JOIN jobs_at j ON j.job = v.id";
    assert_eq!(lake.rows(sql).await, json!([["Toledo"]]));
    let (code, message) = lake.refused("SELECT 1 FROM vector_search('jobs', 'x', 1) v JOIN jobs_on j ON true").await;
    assert_eq!(code, "query.invalid_sql");
    assert!(message.contains("did you mean jobs_at?"), "{message}");
}
