//! Types are decided by all values.

use base::Fault;

use crate::lake::{Lake, show};

async fn types_of(text: &str) -> Vec<String> {
    let lake = Lake::open().await;
    lake.load("t", text).await;
    lake.types("t").await.into_iter().map(|(_, ty)| ty).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_found_and_every_value_kept() {
    let lake = Lake::open().await;
    let text = "b,i,f,d,t,z,s,zip,none\n\
        true,1,1.5,2026-11-22,2026-11-22T10:00:00,2026-11-22T10:00:00Z,x,00501,\n\
        FALSE,-7,2,2026-02-28,2026-11-22T10:00:00.25,2026-11-22T10:00:00+02:00,\"\",10001,\n\
        ,,,,,,,,\n";
    let outcome = lake.load("t", text).await;
    assert_eq!((outcome.row_count, outcome.total_rows, outcome.existing), (3, 3, false));
    let types: Vec<_> = lake.types("t").await.into_iter().map(|(_, ty)| ty).collect();
    let expected = ["bool", "int64", "float64", "date", "timestamp", "timestamptz", "string", "string", "string"];
    assert_eq!(types, expected);
    let rows = lake.rows("t").await;
    let expected = [
        ["true", "1", "1.5", "2026-11-22", "2026-11-22T10:00:00", "2026-11-22T10:00:00Z", "x", "00501", "NULL"],
        ["false", "-7", "2.0", "2026-02-28", "2026-11-22T10:00:00.250", "2026-11-22T08:00:00Z", "", "10001", "NULL"],
        ["NULL"; 9],
    ];
    assert_eq!(show(&rows), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_at_row_100_001_decides_as_much_as_the_first() {
    let lake = Lake::open().await;
    let mut text = String::from("id,amount,code,late,wide\n");
    for row in 0..100_000 {
        text.push_str(&format!("{row},{row},{row},,1234567890123456\n"));
    }
    text.push_str("100000,0.5,00501,2026-11-22,0.5\n");
    let outcome = lake.load("t", &text).await;
    assert_eq!(outcome.row_count, 100_001);
    let types: Vec<_> = lake.types("t").await.into_iter().map(|(_, ty)| ty).collect();
    assert_eq!(types, ["int64", "float64", "string", "date", "string"]);
    let rows = lake.rows("t").await;
    assert_eq!(show(&rows[..1]), [["0", "0.0", "0", "NULL", "1234567890123456"]]);
    assert_eq!(
        show(&rows[99_999..]),
        [["99999", "99999.0", "99999", "NULL", "1234567890123456"], ["100000", "0.5", "00501", "2026-11-22", "0.5"],]
    );
    let data = lake.paths().await.into_keys().filter(|path| path.ends_with(".parquet") && path.contains("/data/"));
    assert_eq!(data.count(), 1, "the file of the first attempt is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn mixed_and_ambiguous_columns_are_text() {
    for values in
        [["1", "true"], ["2026-11-22", "1"], ["1,000", "2"], ["0x10", "1"], ["NaN", "1.5"], [" 1", "2"], ["+1", "2"]]
    {
        let text = format!("a,b\n\"{}\",1\n\"{}\",2\n", values[0], values[1]);
        assert_eq!(types_of(&text).await, ["string", "int64"], "{values:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_do_not_make_numbers_text() {
    assert_eq!(types_of("a,b\n\"1\",\"2.5\"\n").await, ["int64", "float64"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_alone_makes_an_empty_table_of_text() {
    let lake = Lake::open().await;
    let outcome = lake.load("t", "id,name\n").await;
    assert_eq!((outcome.row_count, outcome.total_rows, outcome.objects.len()), (0, 0, 0));
    assert_eq!(lake.types("t").await, [("id".into(), "string".into()), ("name".into(), "string".into())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_do_not_name_their_columns_are_refused() {
    let lake = Lake::open().await;
    for (text, position) in [("a,,c\n1,2,3\n", 2), ("a,b,a\n1,2,3\n", 3), ("Id,x,ID\n1,2,3\n", 3)] {
        let error = lake.refused(crate::lake::request("t"), text).await;
        assert_eq!(error.code(), "ingest.bad_header", "{text:?}");
        assert_eq!(error.facts()["position"], position, "{text:?}");
    }
    for text in ["", "\n\n", "\u{feff}"] {
        assert_eq!(lake.refused(crate::lake::request("t"), text).await.code(), "ingest.empty_file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn moments_outside_the_calendar_of_answers_stay_text() {
    let text = "a,b\n0001-01-01T00:00:00+14:00,9999-12-31T23:59:59-14:00\n2026-11-22T00:00:00Z,2026-11-22T00:00:00Z\n";
    assert_eq!(types_of(text).await, ["string", "string"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn encodings_that_are_neither_marked_nor_utf_8_are_refused() {
    let lake = Lake::open().await;
    let text = "a,b\n1,2\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let wide: Vec<u8> =
        std::iter::once('\u{feff}').chain(text.chars()).flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for bytes in [&little, &big, &wide] {
        let error = lake.refused(crate::lake::request("t"), bytes).await;
        assert_eq!(error.code(), "ingest.bad_header", "{error}");
    }
    let named = ingest::Request { encoding: Some("utf-16le".to_owned()), ..crate::lake::request("t") };
    lake.send(named, &little).await.unwrap();
    assert_eq!(lake.types("t").await, [("a".into(), "int64".into()), ("b".into(), "int64".into())]);
}
