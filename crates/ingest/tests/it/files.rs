//! The Parquet files themselves.

use base::Fault;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{Compression, LogicalType};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};

use crate::lake::{Lake, show};

async fn footer(lake: &Lake, path: &str) -> ParquetMetaData {
    let bytes = lake.lake.store.get(path).await.unwrap();
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    ArrowReaderMetadata::load(&bytes, options).unwrap().metadata().as_ref().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_compressed_and_carry_ids_statistics_and_a_page_index() {
    let lake = Lake::open().await;
    let outcome = lake.load("t", "id,fruit\n1,apple\n2,žito\n").await;
    assert_eq!(outcome.objects.len(), 1);
    let footer = footer(&lake, &outcome.objects[0]).await;
    let columns = footer.row_group(0).columns();
    let ids: Vec<_> = columns.iter().map(|column| column.column_descr().self_type().get_basic_info().id()).collect();
    assert_eq!(ids, [1, 2]);
    for column in columns {
        assert!(matches!(column.compression(), Compression::ZSTD(_)));
        assert_eq!(column.statistics().unwrap().null_count_opt(), Some(0));
    }
    assert_eq!(columns[1].column_descr().logical_type_ref(), Some(&LogicalType::String));
    assert_eq!(columns[1].statistics().unwrap().max_bytes_opt(), Some("žito".as_bytes()));
    assert!(footer.column_index().is_some() && footer.offset_index().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_has_several_row_groups_in_the_order_of_its_rows() {
    let lake = Lake::open().await;
    let filler = "lorem ipsum dolor sit amet ".repeat(20);
    let mut text = String::from("id,note,odd\n");
    for row in 0..110_000 {
        text.push_str(&format!("{row},\"{filler}\n{row}\",{}\n", row % 2 == 1));
    }
    let outcome = lake.load("t", &text).await;
    let footer = footer(&lake, &outcome.objects[0]).await;
    assert!(footer.num_row_groups() > 1, "{}", footer.num_row_groups());
    let rows = lake.rows("t").await;
    assert_eq!(rows.len(), 110_000);
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row[0].as_deref(), Some(number.to_string().as_str()));
        assert_eq!(row[1].as_ref().map(|note| note.ends_with(&format!("\n{number}"))), Some(true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_columns_load_and_one_more_does_not() {
    let lake = Lake::open().await;
    let text = |width: usize| {
        let header: Vec<_> = (0..width).map(|column| format!("c{column}")).collect();
        let row: Vec<_> = (0..width).map(|column| column.to_string()).collect();
        format!("{}\n{}\n", header.join(","), row.join(","))
    };
    let outcome = lake.load("wide", text(10_000)).await;
    assert_eq!(outcome.row_count, 1);
    let rows = lake.rows("wide").await;
    assert_eq!(show(&rows)[0][9_999], "9999");
    for width in [10_001, 1_000_000] {
        let refused = lake.refused(crate::lake::request("wider"), text(width)).await;
        assert!(refused.to_string().contains("at most 10000"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_has_no_endless_name() {
    let lake = Lake::open().await;
    let (longest, longer) = ("k".repeat(1024), "k".repeat(1025));
    lake.load("csv", format!("{longest}\n1\n")).await;
    lake.load("json", format!("{{\"{longest}\":1}}\n")).await;
    let nested = format!("{{\"{}\":{{\"{}\":1}}}}\n", "a".repeat(512), "b".repeat(512));
    let cases = [
        (format!("{longer}\n1\n"), "ingest.bad_header"),
        (format!("{{\"{longer}\":1}}\n"), "ingest.bad_rows"),
        (nested, "ingest.bad_rows"),
    ];
    for (text, code) in cases {
        let refused = lake.refused(crate::lake::request("t"), text).await;
        assert_eq!(refused.code(), code);
        let told = format!("{refused} {}", serde_json::Value::Object(refused.facts()));
        assert!(told.contains("than 1024 bytes") && !told.contains(&longest), "{told}");
    }
}
