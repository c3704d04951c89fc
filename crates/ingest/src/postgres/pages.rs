//! Record batches become the bytes of a Parquet file, in pieces.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::error::Result;

/// Encoded bytes after which a row group ends.
const GROUP: usize = 16 << 20;

/// A Parquet file of which only what is not handed over yet is in memory.
pub struct Pages(ArrowWriter<Vec<u8>>);

impl Pages {
    /// Begins a file. It is read once, soon, so it has no statistics and little compression.
    pub fn begin(schema: SchemaRef) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None);
        Ok(Self(ArrowWriter::try_new(Vec::new(), schema, Some(properties.build()))?))
    }

    /// Adds rows; answers the bytes that are complete.
    pub fn add(&mut self, rows: &RecordBatch) -> Result<Bytes> {
        self.0.write(rows)?;
        if self.0.in_progress_size() >= GROUP {
            self.0.flush()?;
        }
        Ok(std::mem::take(self.0.inner_mut()).into())
    }

    /// Ends the file; answers its last bytes.
    pub fn finish(self) -> Result<Bytes> {
        Ok(self.0.into_inner()?.into())
    }
}
