use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use futures::FutureExt;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use super::*;

/// A file with checksums, of two row groups, each with a dictionary and several pages in its columns.
fn written() -> Vec<u8> {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..300).map(|n| n % 7)));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..300).map(|n| format!("text {}", n % 11))));
    summed(&RecordBatch::try_from_iter([("n", numbers), ("t", texts)]).unwrap())
}

/// A file with checksums that holds a batch twice.
fn summed(batch: &RecordBatch) -> Vec<u8> {
    let schema = batch.schema();
    let properties = WriterProperties::builder().set_created_by("lakehouse 0".to_owned());
    let properties = properties.set_data_page_row_count_limit(100).set_write_batch_size(50).build();
    let root = ArrowSchemaConverter::new().convert(&schema).unwrap().root_schema_ptr();
    let mut writer = SerializedFileWriter::new(Summing::new(Vec::new()), root, properties.into()).unwrap();
    let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&schema));
    for group in 0..2 {
        let mut chunks = Vec::new();
        for (mut encoder, (field, column)) in
            factory.create_column_writers(group).unwrap().into_iter().zip(schema.fields().iter().zip(batch.columns()))
        {
            compute_leaves(field, column).unwrap().iter().for_each(|leaf| encoder.write(leaf).unwrap());
            chunks.push(encoder.close().unwrap());
        }
        chunks.iter().for_each(|chunk| writer.inner_mut().expect(chunk.close()));
        let mut group = writer.next_row_group().unwrap();
        chunks.into_iter().for_each(|chunk| chunk.append_to_row_group(&mut group).unwrap());
        group.close().unwrap();
    }
    writer.flush().unwrap();
    writer.inner_mut().begin_tail().into_iter().for_each(|pair| writer.append_key_value_metadata(pair));
    writer.finish().unwrap();
    std::mem::take(writer.inner_mut().end().unwrap())
}

/// Opens a file that lies in memory.
fn opened(file: &[u8]) -> Result<Opened, ParquetError> {
    let file = Bytes::copy_from_slice(file);
    let fetch = |range: Range<u64>| {
        let found = file.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap());
        std::future::ready(Ok(found))
    };
    open(file.len() as u64, fetch).now_or_never().unwrap()
}

#[test]
fn pieces_are_the_pages_that_readers_fetch() {
    let file = written();
    let Opened { footer, checksums } = opened(&file).unwrap();
    let checksums = checksums.unwrap();
    let mut expected: Vec<Range<u64>> = std::iter::once(0..4).collect();
    for (group, indexes) in footer.row_groups().iter().zip(footer.offset_index().unwrap()) {
        for (chunk, index) in group.columns().iter().zip(indexes) {
            let (begin, length) = chunk.byte_range();
            let first = index.page_locations[0].offset.unsigned_abs();
            assert!(begin < first && index.page_locations.len() == 3, "a dictionary and three pages");
            expected.push(begin..first);
            let page = |page: &parquet::file::page_index::offset_index::PageLocation| {
                page.offset.unsigned_abs()
                    ..page.offset.unsigned_abs() + u64::from(page.compressed_page_size.unsigned_abs())
            };
            expected.extend(index.page_locations.iter().map(page));
            assert_eq!(expected.last().unwrap().end, begin + length);
        }
    }
    expected.push(expected.last().unwrap().end..file.len() as u64);
    let found: Vec<Range<u64>> = checksums.pieces.iter().map(|piece| piece.begin..piece.end).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_byte_that_changes_is_found() {
    let mut file = written();
    let Opened { footer, checksums } = opened(&file).unwrap();
    let checksums = checksums.unwrap();
    let tail = usize::try_from(checksums.pieces.last().unwrap().begin).unwrap();
    assert!(checksums.check(0, &file).is_ok() && Watch::new(Arc::clone(&checksums)).pass(&file).is_ok());
    for at in 0..file.len() {
        file[at] ^= 0x10;
        assert!(checksums.check(0, &file).is_err() && Watch::new(Arc::clone(&checksums)).pass(&file).is_err(), "{at}");
        // Without its key the list of checksums is none, and the rows are as they were.
        let same = |opened: &Opened| opened.checksums.is_none() && opened.footer.row_groups() == footer.row_groups();
        assert!(at < tail || opened(&file).map_or(true, |opened| same(&opened)), "{at}");
        file[at] ^= 0x10;
    }
}

#[test]
fn sums_that_another_program_copied_are_none() {
    let ours = opened(&written()).unwrap().footer;
    let copied = ours.file_metadata().key_value_metadata().cloned();
    let properties = WriterProperties::builder().set_key_value_metadata(copied);
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..5000));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    for (writer, is_read) in [("parquet-cpp-arrow version 21.0.0", true), ("lakehouse 0", false)] {
        let properties = properties.clone().set_created_by(writer.to_owned()).build();
        let mut rewritten = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
        rewritten.write(&batch).unwrap();
        let opened = opened(&rewritten.into_inner().unwrap());
        assert_eq!(opened.map(|opened| opened.checksums.is_none()).unwrap_or(false), is_read, "{writer}");
    }
}

#[test]
fn what_is_cut_is_found_whatever_the_bytes_come_in() {
    let file = written();
    let checksums = opened(&file).unwrap().checksums.unwrap();
    let mut watch = Watch::new(Arc::clone(&checksums));
    assert!(file.chunks(7).all(|bytes| watch.pass(bytes).is_ok()));
    assert_eq!(watch.piece, checksums.pieces.len());
    let page = checksums.pieces[2];
    let (begin, end) = (usize::try_from(page.begin).unwrap(), usize::try_from(page.end).unwrap());
    let mut bytes = file[begin..end].to_vec();
    assert!(checksums.check(page.begin, &bytes).is_ok());
    bytes[0] ^= 1;
    let told = checksums.check(page.begin, &bytes).unwrap_err().to_string();
    assert!(told.contains(&format!("from {begin} to {end}")), "{told}");
}

#[test]
fn an_end_that_is_longer_than_the_first_read_is_read_whole() {
    let column = |number: i64| (format!("c{number}"), Arc::new(Int64Array::from(vec![number])) as ArrayRef);
    let batch = RecordBatch::try_from_iter((0..1500).map(column)).unwrap();
    let mut plain = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    plain.write(&batch).unwrap();
    for (file, is_summed) in [(plain.into_inner().unwrap(), false), (summed(&batch), true)] {
        let opened = opened(&file).unwrap();
        let begin = indexes(&opened.footer).unwrap();
        assert!(begin + TAIL_HINT < file.len() as u64, "the indexes begin before what is read first");
        assert_eq!((opened.footer.offset_index().is_some(), opened.checksums.is_some()), (true, is_summed));
    }
}

#[test]
fn indexes_that_begin_far_before_the_end_are_done_without() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let mut plain = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    plain.write(&batch).unwrap();
    let mut file = plain.into_inner().unwrap();
    assert!(opened(&file).unwrap().footer.offset_index().is_some());
    let length = u32::from_le_bytes(file[file.len() - 8..file.len() - 4].try_into().unwrap());
    let footer = file.len() - 8 - usize::try_from(length).unwrap();
    let far = usize::try_from(FARTHEST).unwrap();
    file.splice(footer..footer, std::iter::repeat_n(0, far));
    let file = Bytes::from(file);
    let fetch = |range: Range<u64>| {
        assert!(range.end - range.start <= TAIL_HINT, "{range:?} is read at once");
        std::future::ready(Ok(file.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap())))
    };
    let opened = open(file.len() as u64, fetch).now_or_never().unwrap().unwrap();
    assert!(opened.footer.offset_index().is_none() && opened.footer.num_row_groups() == 1);
}
