//! Reads the footer of a Parquet file and compares what it claims with the file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};

use catalog::thrift::{self, Value, giants};

use crate::csv::COLUMN_LIMIT;
use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

const MAGIC: &[u8; 4] = b"PAR1";
/// The footer's length and the magic.
const TAIL: u64 = 8;
/// The longest footer, in bytes: it is read into memory and grows there.
const MAX_FOOTER: u64 = 16 << 20;
/// The longest page, unpacked, in bytes.
const MAX_PAGE: i64 = 64 << 20;
/// What the longest pages of all columns of a row group may take together, since they are read side by side.
const MAX_PAGES: i64 = 256 << 20;
/// The longest header of a page, in bytes; only statistics make it longer than some ten.
const MAX_PAGE_HEADER: usize = 1 << 20;
/// Rows that each byte of the file may stand for. A page of equal values takes some 40 bytes and holds at most a few
/// million of them as writers make it, which is fewer; a file that claims more costs its readers more than its writer.
const ROWS_OF_A_BYTE: u64 = 100_000;

/// The footer of a file of `len` bytes, once its sizes, places and counts are known to be those of the file.
pub fn open(mut file: &File, len: u64) -> Result<ParquetMetaData> {
    let footer = footer(&mut file, len)?;
    giants::refuse(&footer, COLUMN_LIMIT).map_err(bad)?;
    let metadata = without_empty_groups(quietly(|| ParquetMetaDataReader::decode_metadata(&footer))?);
    let data = len - TAIL - footer.len() as u64;
    check_counts(&metadata, len)?;
    let mut left = data;
    for group in metadata.row_groups() {
        check_group(&mut file, group, data, &mut left)?;
    }
    Ok(metadata)
}

/// A row group without rows has nothing to read, and its columns lie nowhere: tables without rows are often written so.
fn without_empty_groups(metadata: ParquetMetaData) -> ParquetMetaData {
    let mut builder = metadata.into_builder();
    let mut groups = builder.take_row_groups();
    groups.retain(|group| group.num_rows() != 0);
    builder.set_row_groups(groups).build()
}

/// Runs the decoder, which may panic on bytes that no writer wrote.
pub fn quietly<T, E>(decode: impl FnOnce() -> std::result::Result<T, E>) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(decoded) => {
            decoded.map_err(|cause| Error::BadParquet { reason: DAMAGED.into(), source: Some(cause.into()) })
        }
        Err(_) => Err(bad(DAMAGED)),
    }
}

const DAMAGED: &str = "it is damaged";

/// A refusal of the file.
pub fn bad(reason: impl Into<String>) -> Error {
    Error::BadParquet { reason: reason.into(), source: None }
}

fn footer(file: &mut &File, len: u64) -> Result<Vec<u8>> {
    if len < TAIL + MAGIC.len() as u64 {
        return Err(bad("it is cut off"));
    }
    let tail = read(file, len - TAIL, TAIL)?;
    match &tail[4..] {
        b"PAR1" => {}
        b"PARE" => return Err(bad("it is encrypted")),
        _ => return Err(bad("its end is missing: it is cut off")),
    }
    let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    if length > len - TAIL - MAGIC.len() as u64 {
        return Err(bad("its footer is longer than the file"));
    }
    if length > MAX_FOOTER {
        return Err(bad("its footer is longer than 16 MiB"));
    }
    read(file, len - TAIL - length, length)
}

fn check_counts(metadata: &ParquetMetaData, len: u64) -> Result<()> {
    let rows: Option<i64> = metadata.row_groups().iter().try_fold(0_i64, |sum, group| {
        let rows = Some(group.num_rows()).filter(|&rows| rows >= 0);
        rows.and_then(|rows| sum.checked_add(rows))
    });
    match rows {
        Some(rows) if rows == metadata.file_metadata().num_rows() => {}
        _ => return Err(bad("its row groups do not have as many rows as it says")),
    }
    if rows.unwrap_or_default().unsigned_abs() / ROWS_OF_A_BYTE > len {
        return Err(bad("it claims more rows than so few bytes can hold"));
    }
    Ok(())
}

/// Checks a row group whose columns lie within the first `data` bytes; takes their sizes off what is `left` of these.
fn check_group(file: &mut &File, group: &RowGroupMetaData, data: u64, left: &mut u64) -> Result<()> {
    let mut pages = 0;
    for chunk in group.columns() {
        let span = span(chunk).filter(|span| span.1 <= data).ok_or_else(|| bad("a column lies outside the file"))?;
        *left = left.checked_sub(span.1 - span.0).ok_or_else(|| bad("its columns lie over each other"))?;
        if matches!(chunk.compression(), Compression::BROTLI(_) | Compression::LZO) {
            return Err(bad("it is packed with Brotli or LZO, which are not read"));
        }
        // How many values the rows of lists have, their levels tell.
        if chunk.column_descr().max_rep_level() == 0 && chunk.num_values() != group.num_rows() {
            return Err(bad("a column does not have as many values as there are rows"));
        }
        pages += check_pages(file, chunk, span)?;
    }
    if pages > MAX_PAGES {
        return Err(bad("the pages of a row group unpack to more than 256 MiB together"));
    }
    Ok(())
}

/// Where a column begins and ends.
fn span(chunk: &ColumnChunkMetaData) -> Option<(u64, u64)> {
    let data = u64::try_from(chunk.data_page_offset()).ok()?;
    let begin = match chunk.dictionary_page_offset() {
        // Some writers say 0 for none.
        Some(offset) if offset != 0 => u64::try_from(offset).ok()?.min(data),
        _ => data,
    };
    let length = u64::try_from(chunk.compressed_size()).ok()?;
    let end = begin.checked_add(length)?;
    (begin >= MAGIC.len() as u64 && data <= end).then_some((begin, end))
}

/// What the header of a page says, beside statistics.
#[derive(Default)]
struct Page {
    unpacked: i64,
    packed: i64,
    values: i64,
    is_dictionary: bool,
}

/// Walks over the pages of a column by their headers; answers what the longest page and the dictionary take.
fn check_pages(file: &mut &File, chunk: &ColumnChunkMetaData, (mut at, end): (u64, u64)) -> Result<i64> {
    let (mut values, mut dictionary, mut longest) = (0_i64, 0, 0);
    while at < end && values < chunk.num_values() {
        let (page, header) = page(file, at, end)?;
        if page.unpacked > MAX_PAGE {
            return Err(bad("a page unpacks to more than 64 MiB"));
        }
        let size = u64::try_from(page.packed).ok().filter(|_| page.unpacked >= 0 && page.values >= 0);
        at = size.and_then(|size| at.checked_add(header + size)).ok_or_else(|| bad("a page has no possible size"))?;
        if at > end {
            return Err(bad("a page is longer than its column"));
        }
        if page.is_dictionary {
            dictionary = dictionary.max(page.unpacked);
        } else {
            longest = longest.max(page.unpacked);
            values = values.checked_add(page.values).ok_or_else(|| bad("its pages hold impossibly many values"))?;
        }
    }
    if values != chunk.num_values() {
        return Err(bad("the pages of a column do not hold as many values as it says"));
    }
    Ok(dictionary + longest)
}

fn page(file: &mut &File, at: u64, end: u64) -> Result<(Page, u64)> {
    let mut window = 256;
    loop {
        let length = (end - at).min(window as u64);
        let bytes = read(file, at, length)?;
        let mut page = Page::default();
        let walked = thrift::walk(&bytes, &mut |path, value| {
            if let Value::Int(number) = value {
                page.note(path, number);
            }
            true
        });
        match walked {
            Some(header) => return Ok((page, header as u64)),
            None if length < window as u64 || window >= MAX_PAGE_HEADER => return Err(bad("a page header is damaged")),
            None => window *= 16,
        }
    }
}

impl Page {
    fn note(&mut self, path: &[i16], number: i64) {
        match path {
            [1] => self.is_dictionary = number == 2,
            [2] => self.unpacked = number,
            [3] => self.packed = number,
            // The three kinds of pages each have a header of their own.
            [5 | 8, 1] => self.values = number,
            _ => {}
        }
    }
}

fn read(file: &mut &File, at: u64, length: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at)).map_err(Error::Spool)?;
    file.take(length).read_to_end(&mut bytes).map_err(Error::Spool)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(bad("it is cut off")) }
}
