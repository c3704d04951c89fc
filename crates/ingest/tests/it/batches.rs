//! Record batches become files that nobody sees until they are published.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StringViewArray};
use base::{ByteSize, Seams};
use catalog::{ColumnType, Draft, NewColumn};
use ingest::{BatchWriter, Site};
use storage::task;
use tokio::runtime::Handle;

use crate::lake::{Lake, name, parquet_rows};

fn draft(lake: &Lake) -> Draft {
    let column = |name: &str, ty| NewColumn { name: name.to_owned(), ty };
    let columns = [column("id", ColumnType::Int64), column("text", ColumnType::String)];
    lake.catalog.draft(&name("t"), &columns).unwrap()
}

fn writer(lake: &Lake, file_bytes: ByteSize) -> BatchWriter {
    let site = Site { store: lake.lake.store.clone(), seams: Seams::system(), runtime: Handle::current() };
    BatchWriter::new(&draft(lake), site, file_bytes).unwrap()
}

fn batch(writer: &BatchWriter, first: i64, rows: i64, text: &str) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(first..first + rows));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("{text}{row}"))));
    RecordBatch::try_new(Arc::clone(writer.schema()), vec![ids, texts]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_keep_their_order_over_files_and_row_groups() {
    let lake = Lake::open().await;
    let mut writer = writer(&lake, ByteSize(1));
    let files = task::blocking("write", move || {
        for part in 0..12 {
            writer.write(&batch(&writer, part * 100_000, 100_000, "x")).unwrap();
        }
        writer.finish().unwrap()
    });
    let files = files.await.unwrap();
    assert_eq!(files.len(), 2, "each row group filled a file");
    let mut next = 0;
    for file in &files {
        assert_eq!(file.size, lake.paths().await[&file.path]);
        for row in parquet_rows(lake.lake.store.get(&file.path).await.unwrap()) {
            assert_eq!(row[0], Some(next.to_string()));
            assert_eq!(row[1], Some(format!("x{}", next % 100_000)));
            next += 1;
        }
    }
    assert_eq!(next, 1_200_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_shared_by_many_rows_is_written_in_bounded_pieces() {
    let lake = Lake::open().await;
    let mut writer = writer(&lake, ByteSize::gib(1));
    let text: ArrayRef = Arc::new(StringViewArray::from_iter_values(["long ".repeat(200_000)]));
    let files = task::blocking("write", move || {
        let rows = 100;
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        let place = arrow::array::UInt32Array::from(vec![0; 100]);
        let texts = arrow::compute::take(&text, &place, None).unwrap();
        let columns = vec![("id", ids), ("text", texts)];
        writer.write(&RecordBatch::try_from_iter(columns).unwrap()).unwrap();
        writer.finish().unwrap()
    });
    let files = files.await.unwrap();
    let groups = files[0].footer.row_groups();
    assert_eq!((files.len(), groups.len()), (1, 2), "100 MB of text");
    assert_eq!(groups.iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).sum::<i64>(), 100);
    assert!(files[0].size < 10 << 20, "{}", files[0].size);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_dropped_leaves_nothing() {
    let lake = Lake::open().await;
    let before = lake.paths().await;
    let mut writer = writer(&lake, ByteSize(1));
    let written = task::blocking("write", move || {
        for part in 0..7 {
            writer.write(&batch(&writer, part * 100_000, 100_000, "x")).unwrap();
        }
        writer
    });
    let writer = written.await.unwrap();
    assert_eq!(lake.paths().await.len(), before.len() + 1, "one file is whole, one is begun");
    drop(writer);
    while lake.paths().await != before {
        tokio::task::yield_now().await;
    }
}
