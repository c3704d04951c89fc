//! Puts encoded columns together to a Parquet file, row group by row group.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::{FieldRef, SchemaRef};
use catalog::checksums::Summing;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::writer::SerializedFileWriter;

use crate::error::Result;
use crate::layout::Layout;

#[cfg(test)]
mod tests;

/// A Parquet file being written by several threads, each of which encodes some of the columns.
///
/// A row group goes to the file when its last column arrives, and groups go in order. The file holds its own
/// checksums.
pub struct ParquetFile<W: Write + Send> {
    factory: ArrowRowGroupWriterFactory,
    built: SchemaRef,
    /// Parquet columns; more than Arrow's when some are nested.
    width: usize,
    state: Mutex<State<W>>,
}

struct State<W: Write + Send> {
    writer: SerializedFileWriter<Summing<W>>,
    next: usize,
    /// A write failed. What failed is told once; others would only hear that the file is useless.
    broken: bool,
    waiting: BTreeMap<usize, BTreeMap<usize, ArrowColumnChunk>>,
}

impl<W: Write + Send> ParquetFile<W> {
    /// Begins a file.
    pub fn create(to: W, layout: Layout) -> Result<Self> {
        let width = layout.descriptor.num_columns();
        let root = layout.descriptor.root_schema_ptr();
        let writer = SerializedFileWriter::new(Summing::new(to), root, layout.properties.into())?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&layout.built));
        Ok(Self {
            factory,
            built: layout.built,
            width,
            state: Mutex::new(State { writer, next: 0, broken: false, waiting: BTreeMap::new() }),
        })
    }

    /// The column at a position, as it is to be built.
    pub fn field(&self, column: usize) -> &FieldRef {
        &self.built.fields()[column]
    }

    /// One encoder for each column of a row group.
    pub fn encoders(&self, group: usize) -> Result<Vec<ArrowColumnWriter>> {
        Ok(self.factory.create_column_writers(group)?)
    }

    /// Takes a finished column of a row group.
    pub fn add(&self, group: usize, column: usize, chunk: ArrowColumnChunk) -> Result<()> {
        let mut state = self.lock();
        state.waiting.entry(group).or_default().insert(column, chunk);
        while !state.broken && state.next_is_whole(self.width) {
            state.broken = true;
            state.write_next()?;
            state.broken = false;
        }
        Ok(())
    }

    /// Writes the footer, then ends what it was written to; answers both.
    pub fn finish<T>(self, end: impl FnOnce(&mut W) -> Result<T>) -> Result<(ParquetMetaData, T)> {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.writer.flush().map_err(ParquetError::from)?;
        for pair in state.writer.inner_mut().begin_tail() {
            state.writer.append_key_value_metadata(pair);
        }
        let footer = state.writer.finish()?;
        Ok((footer, end(state.writer.inner_mut().end().map_err(ParquetError::from)?)?))
    }

    /// Bytes in the file so far.
    pub fn size(&self) -> u64 {
        self.lock().writer.bytes_written() as u64
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write + Send> State<W> {
    fn next_is_whole(&self, width: usize) -> bool {
        self.waiting.get(&self.next).is_some_and(|columns| columns.len() == width)
    }

    fn write_next(&mut self) -> Result<()> {
        let columns = self.waiting.remove(&self.next).unwrap_or_default();
        columns.values().for_each(|chunk| self.writer.inner_mut().expect(chunk.close()));
        let mut group = self.writer.next_row_group()?;
        for chunk in columns.into_values() {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        self.next += 1;
        Ok(())
    }
}
