//! Parquet footers: read from the store, and turned into what Iceberg keeps of a data file.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::Schema as ArrowSchema;
use bytes::Bytes;
use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, Datum, PrimitiveType, Schema, Struct, Type,
};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, FooterTail, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::statistics::Statistics;
use storage::Store;

use crate::error::{Cause, Error, Result};
use crate::publication::NewFile;

#[cfg(test)]
mod tests;

/// The last bytes of a Parquet file: the footer's length and the magic.
const TAIL: u64 = 8;
/// The longest footer that is read into memory, in bytes; whoever wrote an object also wrote its footer's length.
const MAX_FOOTER: usize = 64 << 20;
/// Text bounds keep so many characters.
const BOUND_CHARS: usize = 16;

/// Reads the footer of a stored file of `size` bytes. The inner result tells whether it is Parquet at all.
pub async fn read(store: &Store, path: &str, size: u64) -> Result<Result<ParquetMetaData, Cause>> {
    if size < TAIL {
        return Ok(Err("it is too short".into()));
    }
    let tail = store.get_range(path, size - TAIL..size).await?;
    let length = match footer_length(&tail) {
        Ok(length) if length <= size - TAIL => length,
        Ok(_) => return Ok(Err("its footer is longer than the file".into())),
        Err(error) => return Ok(Err(error.into())),
    };
    let footer = store.get_range(path, size - TAIL - length..size - TAIL).await?;
    Ok(ParquetMetaDataReader::decode_metadata(&footer).map_err(Into::into))
}

fn footer_length(tail: &Bytes) -> Result<u64, ParquetError> {
    let tail = FooterTail::try_from(tail.as_ref())?;
    if tail.is_encrypted_footer() {
        return Err(ParquetError::General("its footer is encrypted".into()));
    }
    if tail.metadata_length() > MAX_FOOTER {
        return Err(ParquetError::General("its footer is larger than 64 MiB".into()));
    }
    Ok(tail.metadata_length() as u64)
}

/// The Arrow schema of a file by its Parquet types alone, whatever hints its writer left for Arrow readers.
pub fn arrow_schema(footer: &ParquetMetaData) -> Result<ArrowSchema, ParquetError> {
    parquet_to_arrow_schema(footer.file_metadata().schema_descr(), None)
}

/// The field ids of a file's top-level columns, in order; a column without one is `None`.
pub fn field_ids(footer: &ParquetMetaData) -> Vec<Option<i32>> {
    let fields = footer.file_metadata().schema_descr().root_schema().get_fields();
    let id = |field: &Arc<parquet::schema::types::Type>| {
        let info = field.get_basic_info();
        info.has_id().then(|| info.id())
    };
    fields.iter().map(id).collect()
}

/// What a manifest keeps of a data file: sizes, counts and bounds of its columns. Bounds are values, so personal columns
/// have none.
pub fn data_file(file: &NewFile, location: String, schema: &Schema, personal: &HashSet<i32>) -> Result<DataFile> {
    let mut columns = Columns::gather(&file.footer, schema);
    columns.lower.retain(|id, _| !personal.contains(id));
    columns.upper.retain(|id, _| !personal.contains(id));
    let mut builder = DataFileBuilder::default();
    let offsets = file.footer.row_groups().iter().filter_map(|group| group.file_offset()).collect();
    builder
        .content(DataContentType::Data)
        .file_path(location)
        .file_format(DataFileFormat::Parquet)
        .partition(Struct::empty())
        .partition_spec_id(0)
        .record_count(rows(&file.footer))
        .file_size_in_bytes(file.size)
        .column_sizes(columns.sizes)
        .value_counts(columns.values)
        .null_value_counts(columns.nulls)
        .lower_bounds(columns.lower)
        .upper_bounds(columns.upper)
        .split_offsets(Some(offsets));
    builder.build().map_err(|source| Error::Bug { doing: "describing a data file", source: Box::new(source) })
}

/// A file that a manifest of this partition spec lists, without the bounds of personal columns: they may have been
/// listed before somebody said that the columns are personal.
pub fn without_bounds(file: &DataFile, personal: &HashSet<i32>, spec_id: i32) -> Result<DataFile> {
    let bounds = [file.lower_bounds(), file.upper_bounds()];
    if !bounds.iter().any(|bounds| bounds.keys().any(|id| personal.contains(id))) {
        return Ok(file.clone());
    }
    let [lower, upper] = bounds.map(|bounds| {
        let mut bounds = bounds.clone();
        bounds.retain(|id, _| !personal.contains(id));
        bounds
    });
    let mut builder = DataFileBuilder::default();
    builder
        .content(file.content_type())
        .file_path(file.file_path().to_owned())
        .file_format(file.file_format())
        .partition(file.partition().clone())
        .partition_spec_id(spec_id)
        .record_count(file.record_count())
        .file_size_in_bytes(file.file_size_in_bytes())
        .column_sizes(file.column_sizes().clone())
        .value_counts(file.value_counts().clone())
        .null_value_counts(file.null_value_counts().clone())
        .nan_value_counts(file.nan_value_counts().clone())
        .lower_bounds(lower)
        .upper_bounds(upper)
        .key_metadata(file.key_metadata().map(<[u8]>::to_vec))
        .split_offsets(file.split_offsets().map(<[i64]>::to_vec))
        .equality_ids(file.equality_ids())
        .first_row_id(file.first_row_id());
    if let Some(order) = file.sort_order_id() {
        builder.sort_order_id(order);
    }
    builder.build().map_err(|source| Error::Bug { doing: "describing a data file", source: Box::new(source) })
}

/// The rows of a file.
pub fn rows(footer: &ParquetMetaData) -> u64 {
    footer.file_metadata().num_rows().max(0).unsigned_abs()
}

/// What the row groups of a file add up to, by field id.
#[derive(Default)]
struct Columns {
    sizes: HashMap<i32, u64>,
    values: HashMap<i32, u64>,
    nulls: HashMap<i32, u64>,
    lower: HashMap<i32, Datum>,
    upper: HashMap<i32, Datum>,
}

impl Columns {
    /// Columns are found by name, as the schema was made from these very files; those that hold others are left out.
    fn gather(footer: &ParquetMetaData, schema: &Schema) -> Self {
        let mut columns = Self::default();
        let leaves = footer.file_metadata().schema_descr().columns();
        for (index, leaf) in leaves.iter().enumerate() {
            let path = leaf.path().parts();
            let [name] = path else { continue };
            let Some(field) = schema.as_struct().field_by_name(name) else { continue };
            let Type::Primitive(ty) = field.field_type.as_ref() else { continue };
            let chunks: Vec<_> = footer.row_groups().iter().map(|group| group.column(index)).collect();
            columns.add(field.id, ty, &chunks);
        }
        columns
    }

    fn add(&mut self, id: i32, ty: &PrimitiveType, chunks: &[&ColumnChunkMetaData]) {
        let count = |value: i64| value.max(0).unsigned_abs();
        self.sizes.insert(id, chunks.iter().map(|chunk| count(chunk.compressed_size())).sum());
        self.values.insert(id, chunks.iter().map(|chunk| count(chunk.num_values())).sum());
        // A statement about the file holds only when every row group makes it.
        let statistics: Option<Vec<&Statistics>> = chunks.iter().map(|chunk| chunk.statistics()).collect();
        let Some(statistics) = statistics else { return };
        let nulls: Option<Vec<u64>> = statistics.iter().map(|statistics| statistics.null_count_opt()).collect();
        if let Some(nulls) = nulls {
            self.nulls.insert(id, nulls.iter().sum());
        }
        let bounded = chunks.iter().zip(&statistics).filter(|(chunk, statistics)| !all_null(chunk, statistics));
        let bounds: Option<Vec<(Datum, Datum)>> = bounded.map(|(_, statistics)| bounds(statistics, ty)).collect();
        let Some(bounds) = bounds.filter(|bounds| !bounds.is_empty()) else { return };
        let (lower, upper): (Vec<Datum>, Vec<Datum>) = bounds.into_iter().unzip();
        self.lower.extend(least(lower).and_then(|datum| Some((id, shorten(datum)?))));
        self.upper.extend(greatest(upper).and_then(|datum| Some((id, raise(datum)?))));
    }
}

fn all_null(chunk: &ColumnChunkMetaData, statistics: &Statistics) -> bool {
    statistics.null_count_opt().is_some_and(|nulls| i64::try_from(nulls) == Ok(chunk.num_values()))
}

fn least(datums: Vec<Datum>) -> Option<Datum> {
    datums.into_iter().reduce(|a, b| if b < a { b } else { a })
}

fn greatest(datums: Vec<Datum>) -> Option<Datum> {
    datums.into_iter().reduce(|a, b| if b > a { b } else { a })
}

/// The bounds of one row group; none when they are missing, doubtful or of a type whose bounds are not used.
fn bounds(statistics: &Statistics, ty: &PrimitiveType) -> Option<(Datum, Datum)> {
    let doubtful = statistics.is_min_max_deprecated() && !statistics.is_min_max_backwards_compatible();
    if doubtful || !fits(statistics, ty) {
        return None;
    }
    let datum = |bytes: &[u8]| Datum::try_from_bytes(bytes, ty.clone()).ok().filter(|datum| !datum.is_nan());
    Some((datum(statistics.min_bytes_opt()?)?, datum(statistics.max_bytes_opt()?)?))
}

/// Whether the stored form of a column is the plain one of its type.
fn fits(statistics: &Statistics, ty: &PrimitiveType) -> bool {
    use PrimitiveType::{Boolean, Date, Double, Float, Int, Long, String, Time, Timestamp, Timestamptz};
    match statistics {
        Statistics::Boolean(_) => matches!(ty, Boolean),
        Statistics::Int32(_) => matches!(ty, Int | Date),
        Statistics::Int64(_) => matches!(ty, Long | Time | Timestamp | Timestamptz),
        Statistics::Float(_) => matches!(ty, Float),
        Statistics::Double(_) => matches!(ty, Double),
        Statistics::ByteArray(_) => matches!(ty, String),
        Statistics::Int96(_) | Statistics::FixedLenByteArray(_) => false,
    }
}

/// A lower bound of bounded length.
fn shorten(datum: Datum) -> Option<Datum> {
    Some(match text(&datum) {
        Some(text) => Datum::string(text.chars().take(BOUND_CHARS).collect::<String>()),
        None => datum,
    })
}

/// An upper bound of bounded length: what is cut off is made up for by raising the last character that can be.
fn raise(datum: Datum) -> Option<Datum> {
    let Some(text) = text(&datum) else { return Some(datum) };
    if text.chars().count() <= BOUND_CHARS {
        return Some(datum);
    }
    let mut kept: Vec<char> = text.chars().take(BOUND_CHARS).collect();
    while let Some(last) = kept.pop() {
        if let Some(next) = successor(last) {
            kept.push(next);
            return Some(Datum::string(kept.into_iter().collect::<String>()));
        }
    }
    None
}

fn successor(char: char) -> Option<char> {
    // The step over the surrogates, which are no characters.
    let next = if char == '\u{d7ff}' { 0xe000 } else { u32::from(char) + 1 };
    char::from_u32(next)
}

fn text(datum: &Datum) -> Option<&str> {
    match datum.literal() {
        iceberg::spec::PrimitiveLiteral::String(text) => Some(text),
        _ => None,
    }
}
