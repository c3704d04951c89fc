//! Tables that other engines wrote: evolved, nested, partitioned, with deleted rows.

use arrow::datatypes::Schema;
use base::{ByteSize, Seams};
use iceberg::spec::{Literal, Struct};
use query::{Ask, Config, Query};
use serde_json::{Value, json};

use crate::lake::Lake;
use crate::outsider::Outsider;

fn field(id: i32, name: &str, ty: impl Into<Value>) -> Value {
    json!({ "id": id, "name": name, "required": false, "type": ty.into() })
}

#[tokio::test(flavor = "multi_thread")]
async fn evolved_columns_are_found_by_their_ids() {
    let lake = Lake::open().await;
    let old = json!([
        field(1, "a", "int"),
        field(2, "b", "float"),
        field(3, "d", "decimal(5,2)"),
        field(4, "gone", "string"),
        field(5, "old", "string"),
    ]);
    let outsider = Outsider::create(&lake, "t", old, json!([])).await;
    let first = outsider.data("SELECT * FROM (VALUES (1, 0.5, 12.25, 'x', 'one'), (2, 1.5, -3.5, 'y', NULL))").await;
    outsider.add(vec![first], vec![]).await;
    let then = lake.query.catalog().pin(None).await.unwrap().version();
    let new = json!([
        field(5, "Fresh", "string"),
        field(3, "d", "decimal(9,2)"),
        field(1, "a", "long"),
        field(2, "b", "double"),
        field(6, "old", "string"),
    ]);
    outsider.evolve(new).await;
    let second = outsider.data("SELECT 'two', 1234567.25, 5000000000, 2.5, 'new'").await;
    outsider.add(vec![second], vec![]).await;
    let document = lake.json("SELECT * FROM t ORDER BY a").await.unwrap();
    let types: Vec<&str> =
        document["columns"].as_array().unwrap().iter().map(|c| c["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["VARCHAR", "DECIMAL(9,2)", "BIGINT", "DOUBLE", "VARCHAR"]);
    let rows = json!([
        ["one", "12.25", 1, 0.5, null],
        [null, "-3.50", 2, 1.5, null],
        ["two", "1234567.25", 5_000_000_000_i64, 2.5, "new"],
    ]);
    assert_eq!(document["rows"], rows);
    assert_eq!(lake.rows("SELECT fresh FROM t WHERE a < 2 AND d > 12 AND old IS NULL").await, json!([["one"]]));
    assert_eq!(lake.rows("SELECT count(*), min(a), max(d), count(old) FROM t").await, json!([[3, 1, "1234567.25", 1]]));
    let before = lake.rows(&format!("SELECT gone, old FROM t FOR VERSION AS OF {then} ORDER BY a")).await;
    assert_eq!(before, json!([["x", "one"], ["y", null]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_answered() {
    let lake = Lake::open().await;
    let types = ["uuid", "time", "timestamp", "timestamptz", "date", "fixed[3]", "binary", "boolean", "decimal(38,10)"];
    let fields: Vec<Value> = (1..).zip(types).map(|(id, ty)| field(id, &format!("c{id}"), ty)).collect();
    let outsider = Outsider::create(&lake, "t", json!(fields), json!([])).await;
    let sql = "SELECT decode('00112233445566778899aabbccddeeff', 'hex'), TIME '12:34:56.5', \
               TIMESTAMP '2024-02-29 01:02:03.000004', arrow_cast(TIMESTAMP '2024-02-29 01:02:03', 'Timestamp(Microsecond, Some(\"+00:00\"))'), \
               DATE '2024-02-29', decode('010203', 'hex'), decode('ff', 'hex'), true, CAST('1.0000000001' AS DECIMAL(38,10))";
    let file = outsider.data(sql).await;
    outsider.add(vec![file], vec![]).await;
    let row = json!([[
        "00112233-4455-6677-8899-aabbccddeeff",
        "12:34:56.500",
        "2024-02-29T01:02:03.000004",
        "2024-02-29T01:02:03Z",
        "2024-02-29",
        "AQID",
        "/w==",
        true,
        "1.0000000001",
    ]]);
    assert_eq!(lake.rows("SELECT * FROM t").await, row);
    let found = "SELECT count(*) FROM t WHERE c1 = '00112233-4455-6677-8899-aabbccddeeff' AND c5 = '2024-02-29'";
    assert_eq!(lake.rows(found).await, json!([[1]]));
    assert_eq!(lake.rows("DESCRIBE t").await[0], json!(["c1", "VARCHAR", "YES"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_values_are_reached_and_evolve_by_their_ids() {
    let lake = Lake::open().await;
    let name = |fields: Value| json!({ "type": "struct", "fields": fields });
    let list = |id: i32, element: Value| json!({ "type": "list", "element-id": id, "element-required": false, "element": element });
    let map = json!({ "type": "map", "key-id": 11, "key": "string", "value-id": 12, "value-required": false, "value": "int" });
    let old = json!([
        field(1, "id", "long"),
        field(2, "who", name(json!([field(5, "first", "string"), field(6, "age", "int")]))),
        field(3, "tags", list(7, json!("string"))),
        field(4, "jobs", list(8, name(json!([field(9, "title", "string"), field(10, "wage", "int")])))),
        field(13, "marks", map),
    ]);
    let outsider = Outsider::create(&lake, "t", old, json!([])).await;
    let rows = "SELECT 1, named_struct('first', 'Ann', 'age', 30), ['a', 'b'], \
                [named_struct('title', 'nurse', 'wage', 20), named_struct('title', 'cook', 'wage', 15)], map(['x', 'y'], [1, 2])";
    let first = outsider.data(rows).await;
    outsider.add(vec![first], vec![]).await;
    let document = lake.rows("SELECT * FROM t").await;
    let shown = json!([[
        1,
        { "first": "Ann", "age": 30 },
        ["a", "b"],
        [{ "title": "nurse", "wage": 20 }, { "title": "cook", "wage": 15 }],
        { "x": 1, "y": 2 },
    ]]);
    assert_eq!(document, shown);
    assert_eq!(lake.rows("SELECT who['first'], t.who.age FROM t WHERE who['age'] > 20").await, json!([["Ann", 30]]));
    let unnested = "SELECT j['title'] FROM (SELECT unnest(jobs) AS j FROM t) WHERE j['wage'] < 20";
    assert_eq!(lake.rows(unnested).await, json!([["cook"]]));
    assert_eq!(lake.rows("SELECT tags[2], marks['y'], cardinality(jobs) FROM t").await, json!([["b", 2, 2]]));
    let evolve = |fields: &mut Value, new: i32| {
        let parts = &mut fields[1]["type"]["fields"];
        let (mut given, mut age) = (parts[0].clone(), parts[1].clone());
        given["name"] = json!("given");
        age["type"] = json!("long");
        *parts = json!([age, given, field(new, "town", "string")]);
    };
    outsider.change(evolve).await;
    let second = outsider
        .data("SELECT 2, named_struct('age', 5000000000, 'given', 'Bob', 'town', 'Bonn'), NULL, NULL, NULL")
        .await;
    outsider.add(vec![second], vec![]).await;
    let whos = json!([
        [{ "age": 30, "given": "Ann", "town": null }],
        [{ "age": 5_000_000_000_i64, "given": "Bob", "town": "Bonn" }],
    ]);
    assert_eq!(lake.rows("SELECT who FROM t ORDER BY id").await, whos);
    assert_eq!(lake.rows("SELECT id FROM t WHERE who['given'] = 'Ann' OR who['town'] = 'Berlin'").await, json!([[1]]));
    assert_eq!(lake.rows("SELECT count(*) FROM t WHERE tags IS NULL AND who IS NOT NULL").await, json!([[1]]));
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "this test removes what must not be read again")]
async fn deleted_positions_are_gone_from_their_file_only() {
    let lake = Lake::open().await;
    let outsider = Outsider::create(&lake, "t", json!([field(1, "k", "long")]), json!([])).await;
    let series = |from: u32, to: u32| format!("SELECT value FROM generate_series({from}, {to})");
    let (first, second) = (outsider.data(&series(0, 9999)).await, outsider.data(&series(10_000, 10_009)).await);
    outsider.add(vec![first.clone(), second.clone()], vec![]).await;
    assert_eq!(lake.rows("SELECT count(*) FROM t").await, json!([[10_010]]));
    let even = outsider.delete_at(&first, "SELECT value * 2 AS at FROM generate_series(0, 4999)").await;
    let some = outsider.delete_at(&second, "SELECT * FROM (VALUES (9), (0), (0)) t(at)").await;
    let deletes = [even, some];
    outsider.add(vec![], deletes.to_vec()).await;
    assert_eq!(lake.rows("SELECT count(*), min(k), max(k), sum(k % 2) FROM t").await, json!([[5008, 1, 10_008, 5004]]));
    assert_eq!(lake.rows("SELECT count(*) FROM (SELECT k FROM t WHERE k >= 0 LIMIT 5007)").await, json!([[5007]]));
    assert_eq!(lake.rows("SELECT k FROM t ORDER BY k LIMIT 2").await, json!([[1], [3]]));
    assert_eq!(lake.rows("SELECT k FROM t WHERE k IN (4, 5, 10000, 10001)").await.as_array().unwrap().len(), 2);
    let third = outsider.data(&series(20_000, 20_000)).await;
    outsider.add(vec![third], vec![]).await;
    assert_eq!(lake.rows("SELECT count(*), max(k) FROM t").await, json!([[5009, 20_000]]));
    // They were read once, as they never change.
    for delete in deletes {
        std::fs::remove_file(delete.file_path().trim_start_matches("file://")).unwrap();
    }
    assert_eq!(lake.rows("SELECT count(*), sum(k % 2) FROM t").await, json!([[5009, 5004]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_deleted_by_value_stay_deleted_until_they_are_written_again() {
    let lake = Lake::open().await;
    let fields = json!([field(1, "k", "int"), field(2, "v", "string"), field(3, "w", "string")]);
    let outsider = Outsider::create(&lake, "t", fields, json!([])).await;
    let rows = "SELECT * FROM (VALUES (1, 'a', 'x'), (2, 'b', 'x'), (3, NULL, 'y'), (4, 'a', 'y'), (5, NULL, 'z'))";
    let first = outsider.data(rows).await;
    outsider.add(vec![first.clone()], vec![]).await;
    // In one commit: the old row of 1 goes and its new one comes, and whatever has neither value goes.
    let (new, by_key) = (outsider.data("SELECT 1, 'A', 'x'").await, outsider.delete_equal("SELECT 1", &[1]).await);
    let by_null = outsider.delete_equal("SELECT CAST(NULL AS VARCHAR), 'z'", &[2, 3]).await;
    outsider.add(vec![new], vec![by_key, by_null]).await;
    let all = "SELECT k, v FROM t ORDER BY k";
    assert_eq!(lake.rows(all).await, json!([[1, "A"], [2, "b"], [3, null], [4, "a"]]));
    assert_eq!(lake.rows("SELECT v FROM t WHERE k = 1").await, json!([["A"]]));
    assert_eq!(lake.rows("SELECT count(*) FROM t").await, json!([[4]]));
    assert_eq!(lake.rows("SELECT count(*) FROM (SELECT v FROM t LIMIT 4)").await, json!([[4]]));
    // A column may go after rows were deleted by it, and another become wider.
    let by_w = outsider.delete_equal("SELECT 'y'", &[3]).await;
    let position = outsider.delete_at(&first, "SELECT 1 AS at").await;
    outsider.add(vec![], vec![by_w, position]).await;
    outsider.evolve(json!([field(2, "v", "string"), field(1, "k", "long")])).await;
    assert_eq!(lake.rows("SELECT * FROM t").await, json!([["A", 1]]));
    let again = outsider.data("SELECT 'b', 2").await;
    outsider.add(vec![again], vec![]).await;
    assert_eq!(lake.rows(all).await, json!([[1, "A"], [2, "b"]]));
    let plan = lake.rows("EXPLAIN SELECT * FROM t").await.to_string();
    assert!(plan.contains("WithoutDeleted"), "{plan}");
    // What was deleted by a column that became wider stays so when the column goes.
    let wide = outsider.data("SELECT 'c', 5000000000").await;
    outsider.add(vec![wide], vec![]).await;
    let by_wide = outsider.delete_equal("SELECT 5000000000", &[1]).await;
    outsider.add(vec![], vec![by_wide]).await;
    outsider.evolve(json!([field(2, "v", "string")])).await;
    assert_eq!(lake.rows("SELECT v FROM t ORDER BY v").await, json!([["A"], ["b"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_only_the_partition_tells_is_read_from_there() {
    let lake = Lake::open().await;
    let fields = json!([field(1, "k", "long"), field(2, "day", "date"), field(3, "place", "string")]);
    let by = |source: i32, id: i32, name: &str| json!({ "source-id": source, "field-id": id, "name": name, "transform": "identity" });
    let partitions = json!([by(2, 1000, "day"), by(3, 1001, "place")]);
    let outsider = Outsider::create(&lake, "t", fields, partitions).await;
    let columns = outsider.columns().await;
    let only_k: Schema = columns.project(&[0]).unwrap();
    let at = |day: i32, place: Option<&str>| Struct::from_iter([Some(Literal::date(day)), place.map(Literal::string)]);
    let files = vec![
        outsider.part("SELECT * FROM (VALUES (1), (2))", only_k.clone().into(), at(0, Some("Bonn"))).await,
        outsider.part("SELECT 3", only_k.into(), at(1, None)).await,
        outsider.part("SELECT 4, DATE '1970-01-03', 'Köln'", columns, at(2, Some("Köln"))).await,
    ];
    outsider.add(files.clone(), vec![]).await;
    let rows = json!([
        [1, "1970-01-01", "Bonn"],
        [2, "1970-01-01", "Bonn"],
        [3, "1970-01-02", null],
        [4, "1970-01-03", "Köln"],
    ]);
    assert_eq!(lake.rows("SELECT * FROM t ORDER BY k").await, rows);
    assert_eq!(
        lake.rows("SELECT k FROM t WHERE place IS NULL OR day > DATE '1970-01-02' ORDER BY k").await,
        json!([[3], [4]])
    );
    assert_eq!(
        lake.rows("SELECT place, count(*) FROM t WHERE place LIKE 'B%' GROUP BY place").await,
        json!([["Bonn", 2]])
    );
    let position = outsider.delete_at(&files[0], "SELECT 0 AS at").await;
    outsider.add(vec![], vec![position]).await;
    assert_eq!(lake.rows("SELECT k, place FROM t WHERE day = DATE '1970-01-01'").await, json!([[2, "Bonn"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_rows_count_among_the_memory_of_queries() {
    let lake = Lake::with(&Config { memory_limit: ByteSize::mib(8), threads: Some(1), ..Config::default() }).await;
    let outsider = Outsider::create(&lake, "t", json!([field(1, "k", "long")]), json!([])).await;
    let file = outsider.data("SELECT value FROM generate_series(1, 400000)").await;
    outsider.add(vec![file.clone()], vec![]).await;
    let even = outsider.delete_at(&file, "SELECT value * 2 AS at FROM generate_series(0, 199999)").await;
    outsider.add(vec![], vec![even]).await;
    assert_eq!(lake.refused("SELECT sum(k) FROM t").await.0, "query.memory_limit");
    let roomy = Query::new(lake.query.catalog().clone(), &Config::default(), Seams::system()).unwrap();
    let answer =
        roomy.run(Ask { sql: "SELECT count(*), sum(k % 2) FROM t".to_owned(), ..Ask::default() }).await.unwrap();
    let document: Value = serde_json::from_slice(&answers::json(answer, 1).await.unwrap()).unwrap();
    assert_eq!(document["rows"], json!([[200_000, 0]]));
}
