use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataWriter};

use super::*;

fn parquet(rows: i64) -> Vec<u8> {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("text {}", row % 5))));
    let batch = RecordBatch::try_from_iter([("id", ids), ("text", texts)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn checked(bytes: &[u8]) -> std::result::Result<ParquetMetaData, String> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    open(&file, bytes.len() as u64).map_err(|error| error.to_string())
}

/// The file with another footer.
fn told(bytes: &[u8], tell: impl FnOnce(ParquetMetaData) -> ParquetMetaData) -> Vec<u8> {
    let footer = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap()) as usize;
    let mut told = bytes[..bytes.len() - 8 - footer].to_vec();
    let metadata = tell(checked(bytes).unwrap());
    ParquetMetaDataWriter::new(&mut told, &metadata).finish().unwrap();
    told
}

fn refused(bytes: &[u8], reason: &str) {
    let error = checked(bytes).unwrap_err();
    assert!(error.contains(reason), "{error}");
}

#[test]
fn sound_files_pass() {
    for rows in [0, 1, 100_000] {
        assert_eq!(checked(&parquet(rows)).unwrap().file_metadata().num_rows(), rows);
    }
}

#[test]
fn lengths_of_the_footer_are_compared_with_the_file() {
    let whole = parquet(10);
    refused(b"PAR1", "cut off");
    refused(&whole[..whole.len() - 1], "cut off");
    let mut long = whole.clone();
    let at = long.len() - 8;
    long[at..at + 4].copy_from_slice(&(u32::MAX - 1).to_le_bytes());
    refused(&long, "longer than the file");
    let giant = [b"PAR1".to_vec(), vec![0; 17 << 20], (17_u32 << 20).to_le_bytes().to_vec(), b"PAR1".to_vec()].concat();
    refused(&giant, "16 MiB");
    // A list that claims two billion elements.
    let lying = [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
    refused(&[&b"PAR1"[..], &lying, &8_u32.to_le_bytes(), b"PAR1"].concat(), "damaged");
    let names = [&[0x29, 0xfc, 0xa0, 0x9c, 0x01][..], &[0x48, 0, 0].repeat(20_000), &[0]].concat();
    let length = u32::try_from(names.len()).unwrap().to_le_bytes();
    refused(&[&b"PAR1"[..], &names, &length, b"PAR1"].concat(), "");
}

#[test]
fn absurd_rows_are_refused() {
    let whole = parquet(10);
    let lying = told(&whole, |metadata| {
        with_groups(&metadata, |group| group.into_builder().set_num_rows(1 << 20).build().unwrap())
    });
    refused(&lying, "as many values as there are rows");
}

#[test]
fn places_of_columns_are_compared_with_the_file() {
    let whole = parquet(10);
    for length in [1 << 50, 1 << 40, -1] {
        let lying = told(&whole, |metadata| {
            with_chunks(&metadata, |chunk| chunk.into_builder().set_total_compressed_size(length).build().unwrap())
        });
        refused(&lying, "a column lies outside the file");
    }
    for offset in [-1, 1 << 40, 0] {
        let lying = told(&whole, |metadata| {
            with_chunks(&metadata, |chunk| {
                chunk.into_builder().set_data_page_offset(offset).set_dictionary_page_offset(None).build().unwrap()
            })
        });
        assert!(checked(&lying).is_err(), "{offset}");
    }
}

#[test]
fn pages_that_claim_too_much_are_refused() {
    let whole = parquet(10);
    let metadata = checked(&whole).unwrap();
    let chunk = metadata.row_group(0).column(0);
    let begin = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset()) as usize;
    // The header begins with the page's type and its unpacked size; make room for a longer number by overwriting both
    // sizes, which are a byte or two each here.
    let mut bomb = whole.clone();
    bomb[begin + 2..begin + 8].copy_from_slice(&[0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f]);
    assert!(checked(&bomb).is_err());
}

/// A footer whose schema is columns one in the other.
fn nested(deep: usize) -> Vec<u8> {
    // Version 1, and a list of elements: required, a name, one child; the last has a type, is required and has a name.
    let group = [0x35, 0, 0x18, 1, b'a', 0x15, 2, 0];
    let leaf = [0x15, 2, 0x25, 0, 0x18, 1, b'a', 0];
    let count = u16::try_from(deep + 1).unwrap();
    let length = [u8::try_from(count & 0x7f).unwrap() | 0x80, u8::try_from(count >> 7).unwrap()];
    // No rows, and no row groups.
    let rest = [0x16, 0, 0x19, 0x0c, 0];
    let footer = [&[0x15, 2, 0x19, 0xfc][..], &length, &group.repeat(deep), &leaf, &rest].concat();
    let long = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [&b"PAR1"[..], &footer, &long, b"PAR1"].concat()
}

#[test]
fn columns_nested_without_end_are_refused_before_anybody_goes_down() {
    checked(&nested(129)).unwrap();
    refused(&nested(130), "nested more than 128 deep");
    refused(&nested(16_000), "nested more than 128 deep");
}

fn with_groups(metadata: &ParquetMetaData, change: impl Fn(RowGroupMetaData) -> RowGroupMetaData) -> ParquetMetaData {
    let groups: Vec<RowGroupMetaData> = metadata.row_groups().iter().cloned().map(change).collect();
    let known = metadata.file_metadata();
    let rows = groups.iter().map(RowGroupMetaData::num_rows).sum();
    let file = FileMetaData::new(known.version(), rows, None, None, known.schema_descr_ptr(), None);
    ParquetMetaDataBuilder::new(file).set_row_groups(groups).build()
}

fn with_chunks(
    metadata: &ParquetMetaData,
    change: impl Fn(ColumnChunkMetaData) -> ColumnChunkMetaData,
) -> ParquetMetaData {
    with_groups(metadata, |group| {
        let chunks = group.columns().iter().cloned().map(&change).collect();
        group.into_builder().set_column_metadata(chunks).build().unwrap()
    })
}
