//! JSON by lines, in arrays and one after the other.

use base::{Fault, Kind};
use catalog::Mode;
use ingest::{Error, Format, Request, Stated};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::lake::{Lake, appending, request, show, skipping};

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_found_and_every_value_kept() {
    let lake = Lake::open().await;
    let text = r#"{"b":true,"i":1,"f":1.5,"d":"2026-11-22","t":"2026-11-22T10:00:00","z":"2026-11-22T10:00:00Z","s":"x","zip":"00501","big":1}
{"s":"","zip":"10001","z":"2026-11-22T10:00:00+02:00","i":-7,"b":false,"f":2,"d":"2026-02-28","big":123456789012345678901}

{"nested":{"n":1,"list":[1, {"a": "b"}]},"none":null}
"#;
    let outcome = lake.load("t", text).await;
    assert_eq!((outcome.row_count, outcome.existing), (3, false));
    let types = lake.types("t").await;
    let types: Vec<_> = types.iter().map(|(name, ty)| (name.as_str(), ty.as_str())).collect();
    assert_eq!(
        types,
        [
            ("b", "bool"),
            ("i", "int64"),
            ("f", "float64"),
            ("d", "date"),
            ("t", "timestamp"),
            ("z", "timestamptz"),
            ("s", "string"),
            ("zip", "string"),
            ("big", "string"),
            ("nested.n", "int64"),
            ("nested.list", "string"),
            ("none", "string"),
        ]
    );
    let rows = lake.rows("t").await;
    let first = ["true", "1", "1.5", "2026-11-22", "2026-11-22T10:00:00", "2026-11-22T10:00:00Z", "x", "00501", "1"];
    assert_eq!(show(&rows)[0][..9], first);
    assert_eq!(show(&rows)[1][4..9], ["NULL", "2026-11-22T08:00:00Z", "", "10001", "123456789012345678901"]);
    assert_eq!(show(&rows)[2][9..], ["1", r#"[1,{"a":"b"}]"#, "NULL"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn arrays_and_loose_objects_hold_the_same_rows_as_lines() {
    let lake = Lake::open().await;
    let lines = lake.load("lines", "{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\",\"a\":2}").await;
    let array = lake.load("array", "\u{feff} [\n {\"a\": 1, \"b\": \"x\"},\n {\"b\": \"y\", \"a\": 2}\n]\n").await;
    let loose = lake.load("loose", "{\n \"a\": 1,\n \"b\": \"x\"\n}\n{\"b\": \"y\", \"a\": 2}").await;
    for (name, outcome) in [("array", array), ("loose", loose)] {
        assert_eq!(outcome.schema_fingerprint, lines.schema_fingerprint);
        assert_eq!(lake.rows(name).await, lake.rows("lines").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_string_is_never_taken_for_a_number() {
    let lake = Lake::open().await;
    lake.load("t", r#"[{"a":"1","b":"true","c":1,"d":"1"},{"a":"2","b":"false","c":"x","d":2.5}]"#).await;
    let types: Vec<_> = lake.types("t").await.into_iter().map(|(_, ty)| ty).collect();
    assert_eq!(types, ["string"; 4]);
    assert_eq!(show(&lake.rows("t").await), [["1", "true", "1", "1"], ["2", "false", "x", "2.5"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_types_at_row_100_001_count_as_much_as_the_first() {
    let lake = Lake::open().await;
    let mut text = String::new();
    for row in 0..100_000 {
        text.push_str(&format!("{{\"id\":{row},\"amount\":{row},\"o\":null}}\n"));
    }
    text.push_str("{\"amount\":0.5,\"late\":\"2026-11-22\",\"id\":100000,\"o\":{\"p\":1}}\n");
    let outcome = lake.load("t", &text).await;
    assert_eq!(outcome.row_count, 100_001);
    let expected = [("id", "int64"), ("amount", "float64"), ("late", "date"), ("o.p", "int64")];
    assert_eq!(lake.types("t").await, expected.map(|(name, ty)| (name.to_owned(), ty.to_owned())));
    let rows = lake.rows("t").await;
    assert_eq!(show(&rows[99_999..]), [["99999", "99999.0", "NULL", "NULL"], ["100000", "0.5", "2026-11-22", "1"]]);
    let data = lake.paths().await.into_keys().filter(|path| path.ends_with(".parquet") && path.contains("/data/"));
    assert_eq!(data.count(), 1, "the files of earlier attempts are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_records_are_reported_with_their_lines_or_kept_apart() {
    let lake = Lake::open().await;
    let text = "{\"a\":1}\n\n{\"a\":\n[2]\n{\"a\":1,\"a\":2}\n{\"a\":NaN}\n{\"a\":\"\\ud800\"}\n\"x\"\n{\"a\":2}\n";
    let error = lake.refused(request("t"), text).await;
    let Error::Rows { total, first } = &error else { panic!("{error}") };
    let lines: Vec<u64> = first.iter().map(|row| row.line).collect();
    assert_eq!((*total, lines), (6, vec![3, 4, 5, 6, 7, 8]));
    assert_eq!((first[2].column.as_deref(), first[3].column.as_deref()), (Some("a"), None));
    let outcome = lake.send(skipping("t"), text).await.unwrap();
    assert_eq!((outcome.row_count, outcome.rejected), (2, 6));
    let kept = outcome.rejected_object.unwrap();
    assert!(kept.ends_with(".ndjson"), "{kept}");
    let kept = lake.lake.store.get(&kept).await.unwrap();
    assert_eq!(kept, "{\"a\":\n[2]\n{\"a\":1,\"a\":2}\n{\"a\":NaN}\n{\"a\":\"\\ud800\"}\n\"x\"\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_array_that_is_not_whole_loads_nothing() {
    let lake = Lake::open().await;
    let before = lake.paths().await;
    for text in ["[{\"a\":1},\n{\"a\":2}\n", "[{\"a\":1}\n{\"a\":2}]", "[{\"a\":1}]\n[", "[{\"a\":1},"] {
        let error = lake.refused(skipping("t"), text).await;
        assert_eq!((error.code(), error.kind()), ("ingest.bad_json", Kind::Invalid), "{text:?}");
        assert!(error.facts()["line"].as_u64().unwrap() >= 1);
    }
    for text in ["[]", "[{}]", "{}\n{}\n"] {
        assert_eq!(lake.refused(request("t"), text).await.code(), "ingest.empty_file", "{text:?}");
    }
    assert_eq!(lake.paths().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flaw_is_told_with_its_place_in_the_file() {
    let lake = Lake::open().await;
    let giant = format!("[{}{{\"a\":x}}]", "{\"a\":1234},".repeat(300_000));
    for (text, line, character) in [
        (r#"[{"a":1},{"a":x}]"#, 1, 15),
        (r#"[{"a":"é"},5]"#, 1, 12),
        ("[{\"a\":1},\n {\"a\":1}, {\n\"a\": x}]", 3, 6),
        (&giant, 1, 1 + 11 * 300_000 + 6),
    ] {
        let Error::Rows { first, .. } = lake.refused(request("t"), text).await else { panic!("{character}") };
        let place = format!("(line {line}, character {character})");
        assert!(first[0].reason.ends_with(&place), "{} instead of {place}", first[0].reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_decides_columns_and_types() {
    let lake = Lake::open().await;
    lake.load("t", "id,amount,note,a.b\n1,1.5,x,7\n").await;
    let outcome = lake.send(appending("t"), r#"[{"amount":2,"id":2},{"note":3,"id":null,"a":{"b":8}}]"#).await;
    assert_eq!(outcome.unwrap().total_rows, 3);
    lake.send(appending("t"), r#"{"a.b":9}"#).await.unwrap();
    let rows = lake.rows("t").await;
    assert_eq!(
        show(&rows[1..]),
        [["2", "2.0", "NULL", "NULL"], ["NULL", "NULL", "3", "8"], ["NULL", "NULL", "NULL", "9"]]
    );
    let before = lake.paths().await;
    for mode in [Mode::Replace, Mode::Append] {
        let added = lake.refused(Request { mode, ..request("t") }, "{\"id\":1}\n{\"ID\":1}\n{\"x\":{\"y\":1}}\n").await;
        assert_eq!(added.code(), "catalog.schema_drift");
        for value in ["\"5\"", "\"\"", "1.5", "true", "9223372036854775808"] {
            let text = format!("{{\"id\":1}}\n{{\"id\":2}}\n{{\"id\":{value}}}\n");
            let misfit = lake.refused(Request { mode, ..request("t") }, text).await;
            assert_eq!(misfit.code(), "catalog.schema_drift", "{value}");
            assert_eq!(misfit.facts()["diff"]["retyped"][0]["line"], 3, "{value}");
        }
    }
    assert_eq!(lake.paths().await, before);
    let emptied = lake.load("t", "[]").await;
    assert_eq!((emptied.row_count, emptied.total_rows), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_make_no_version_and_what_is_said_must_fit() {
    let lake = Lake::open().await;
    let first = lake.load("t", "{\"a\":1}\n").await;
    let again = lake.load("t", "{\"a\":1}\n").await;
    assert!(again.existing && again.version == first.version);
    let stated = Stated { format: Some(Format::Parquet), media: None };
    let refused = lake.refused(Request { stated, ..request("t") }, "{\"a\":1}\n").await;
    assert_eq!(refused.code(), "ingest.bad_format");
    let delimited = Request { delimiter: Some(";".into()), ..request("t") };
    assert_eq!(lake.refused(delimited, "{\"a\":1}\n").await.code(), "ingest.bad_option");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_nesting_and_keys_are_refused() {
    let lake = Lake::open().await;
    let deep = "[".repeat(1_000_000);
    assert_eq!(lake.refused(request("t"), format!("{{\"a\":{deep}}}")).await.code(), "ingest.bad_rows");
    assert_eq!(lake.refused(request("t"), &deep).await.code(), "ingest.bad_json");
    let objects = "{\"a\":".repeat(1_000_000);
    assert_eq!(lake.refused(request("t"), &objects).await.code(), "ingest.bad_rows");
    let wide: String = (0..1_000_000).map(|key| format!("\"k{key}\":1,")).collect();
    assert_eq!(lake.refused(skipping("t"), format!("{{{wide}\"z\":1}}")).await.code(), "ingest.bad_json");
    let many: String = (0..10_001).map(|key| format!("{{\"k{key}\":1}}\n")).collect();
    assert_eq!(lake.refused(skipping("t"), many).await.code(), "ingest.bad_json");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_encodings_are_read_by_their_mark() {
    let lake = Lake::open().await;
    let bytes: Vec<u8> = "\u{feff}{\"é\":\"日本\"}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    lake.load("t", bytes).await;
    assert_eq!(lake.types("t").await, [("é".to_owned(), "string".to_owned())]);
    assert_eq!(show(&lake.rows("t").await), [["日本"]]);
    let broken = lake.refused(request("u"), b"{\"a\":\"ok\"}\n{\"a\":\"\xff\"}\n").await;
    let Error::Rows { first, .. } = broken else { panic!("{broken}") };
    assert_eq!(first[0].line, 2);
}

/// Any value that a cell can hold.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1_000_000_i32..1_000_000).prop_map(|number| json!(f64::from(number) / 8.0)),
        any::<String>().prop_map(Value::from),
        "20[0-9]{2}-0[1-9]-1[0-9]".prop_map(Value::from),
    ];
    let list = prop::collection::vec(scalar.clone(), 0..4).prop_map(Value::from);
    prop_oneof![4 => scalar, 1 => list]
}

/// What the table must show for a value, whatever the type of its column turns out to be.
fn shown(value: Option<&Value>, ty: &str) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if ty == "float64" => Some(format!("{:?}", number.as_f64().unwrap())),
        other => Some(other.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_value_is_kept(records in prop::collection::vec(prop::collection::btree_map("[a-f]", value(), 1..5), 1..20), form in 0..3) {
        let keys: std::collections::BTreeSet<&String> = records.iter().flat_map(|record| record.keys()).collect();
        let objects: Vec<Value> =
            records.iter().map(|record| Value::Object(record.clone().into_iter().collect::<Map<_, _>>())).collect();
        let text = match form {
            0 => objects.iter().map(|object| format!("{object}\n")).collect::<String>(),
            1 => serde_json::to_string_pretty(&objects).unwrap(),
            _ => objects.iter().map(|object| serde_json::to_string_pretty(object).unwrap()).collect::<String>(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let lake = Lake::open().await;
            lake.load("t", &text).await;
            let types = lake.types("t").await;
            let rows = lake.rows("t").await;
            assert_eq!((types.len(), rows.len()), (keys.len(), records.len()));
            for (row, record) in rows.iter().zip(&records) {
                for (cell, (name, ty)) in row.iter().zip(&types) {
                    assert_eq!(cell, &shown(record.get(name), ty), "{name} {ty} in {text}");
                }
            }
        });
    }
}
