//! How columns lie in a Parquet file: compression, dictionaries, statistics.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::SchemaDescriptor;

use crate::column;
use crate::error::Result;

/// Text of a row group: large enough to scan and compress well, small enough to wait in memory.
pub const GROUP_BYTES: usize = 48 << 20;
/// Rows of a row group, so that narrow tables too can be scanned on many cores.
pub const GROUP_ROWS: usize = 512 << 10;
/// Wider tables do without dictionaries: each costs some 20 KiB before its first value, and wide row groups are short.
const DICTIONARY_COLUMNS: usize = 1000;
/// zstd's own default: higher levels cost more than they save here.
const ZSTD_LEVEL: i32 = 3;

/// How the rows become Parquet.
pub struct Layout {
    /// The Parquet columns, with field ids.
    pub descriptor: SchemaDescriptor,
    /// The Arrow columns as they are built from blocks.
    pub built: SchemaRef,
    /// Compression, dictionaries, statistics.
    pub properties: WriterProperties,
}

impl Layout {
    /// The layout of a table's columns, which carry their field ids as metadata. `repeats` says of each column whether
    /// its values repeat often enough for a dictionary, `personal` whether it holds personal data: smallest and largest
    /// values are values, so such a column has no statistics.
    pub fn new(schema: &Schema, repeats: &[bool], personal: &[bool]) -> Result<Self> {
        let descriptor = ArrowSchemaConverter::new().convert(schema)?;
        let fields = schema.fields().iter().map(|field| {
            let ty = column::built_type(field.data_type());
            field.as_ref().clone().with_data_type(ty)
        });
        let built = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("lakehouse ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
            .set_statistics_enabled(EnabledStatistics::Page);
        let narrow = repeats.len() <= DICTIONARY_COLUMNS;
        for (leaf, column) in descriptor.columns().iter().enumerate() {
            let root = descriptor.get_column_root_idx(leaf);
            let repeats = repeats.get(root).copied().unwrap_or(true);
            properties = properties.set_column_dictionary_enabled(column.path().clone(), narrow && repeats);
            if personal.get(root).copied().unwrap_or(false) {
                properties = properties.set_column_statistics_enabled(column.path().clone(), EnabledStatistics::None);
            }
        }
        Ok(Self { descriptor, built, properties: properties.build() })
    }
}
