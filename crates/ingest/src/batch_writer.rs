//! Record batches become Parquet files of a draft that nobody sees yet.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{RowConverter, SortField};
use base::{ByteSize, Seams};
use catalog::{Draft, NewFile};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, compute_leaves};
use storage::{Store, task};
use tokio::runtime::Handle;

use crate::error::Result;
use crate::layout::{GROUP_BYTES, GROUP_ROWS, Layout};
use crate::stage;
use crate::store_file::StoreFile;
use crate::write::ParquetFile;

/// Bytes of rows that are encoded in one go: an encoder looks at the size of its page only between calls.
pub const PIECE: usize = 4 << 20;
/// Rows of the first batch that are looked at to see whether values repeat.
const SAMPLE_ROWS: usize = 4096;

/// Where files are written.
#[derive(Clone)]
pub struct Site {
    /// The lake's store.
    pub store: Store,
    /// Chance, for file names.
    pub seams: Seams,
    /// Drives the store's futures from blocking threads.
    pub runtime: Handle,
}

/// Writes record batches as the Parquet files of a draft, in the layout of every load: zstd, row groups, page index,
/// statistics. Its methods block, so it works on threads that may ([`task::blocking`]).
///
/// Files are synced, and known to nobody until they are published. Dropped unfinished, it removes what it wrote.
pub struct BatchWriter {
    site: Site,
    draft: Draft,
    schema: SchemaRef,
    file_bytes: u64,
    repeats: Option<Vec<bool>>,
    open: Option<Open>,
    written: Vec<NewFile>,
}

/// The file that is being filled.
struct Open {
    file: ParquetFile<StoreFile>,
    group: Group,
}

/// The row group that is being filled.
#[derive(Default)]
struct Group {
    number: usize,
    rows: usize,
    bytes: usize,
    encoders: Vec<ArrowColumnWriter>,
}

impl BatchWriter {
    /// A writer of the draft's columns. A file that has reached `file_bytes` is followed by another.
    pub fn new(draft: &Draft, site: Site, file_bytes: ByteSize) -> Result<Self> {
        let schema = draft.arrow_schema().map_err(catalog::Error::from)?;
        let (draft, file_bytes) = (draft.clone(), file_bytes.0);
        Ok(Self { site, draft, schema, file_bytes, repeats: None, open: None, written: Vec::new() })
    }

    /// The columns that batches must have, in this order. Text may come as any Arrow text or binary type that is UTF-8.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let bytes = batch.columns().iter().map(bytes_of).sum();
        if bytes > PIECE && batch.num_rows() > 1 {
            let half = batch.num_rows() / 2;
            self.write(&batch.slice(0, half))?;
            return self.write(&batch.slice(half, batch.num_rows() - half));
        }
        self.encode(batch, bytes)
    }

    /// Completes the last file; answers all of them.
    pub fn finish(mut self) -> Result<Vec<NewFile>> {
        self.end_file()?;
        Ok(std::mem::take(&mut self.written))
    }

    fn encode(&mut self, batch: &RecordBatch, bytes: usize) -> Result<()> {
        if self.open.is_none() {
            self.open = Some(self.begin_file(batch)?);
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.group.encode(&open.file, &self.schema, batch)?;
        open.group.rows += batch.num_rows();
        open.group.bytes += bytes;
        if open.group.rows >= GROUP_ROWS || open.group.bytes >= GROUP_BYTES {
            open.group.end(&open.file)?;
            if open.file.size() >= self.file_bytes {
                self.end_file()?;
            }
        }
        Ok(())
    }

    fn begin_file(&mut self, batch: &RecordBatch) -> Result<Open> {
        let repeats = self.repeats.get_or_insert_with(|| batch.columns().iter().map(repeats).collect());
        let personal: Vec<bool> = self.draft.columns.iter().map(|column| column.pii.is_some()).collect();
        let layout = Layout::new(&self.schema, repeats, &personal)?;
        let path = self.draft.data_path(&self.site.seams);
        let target = StoreFile::new(self.site.store.clone(), path, self.site.runtime.clone());
        Ok(Open { file: ParquetFile::create(target, layout)?, group: Group::default() })
    }

    fn end_file(&mut self) -> Result<()> {
        if let Some(mut open) = self.open.take() {
            open.group.end(&open.file)?;
            self.written.push(stage::new_file(open.file)?);
        }
        Ok(())
    }
}

impl Group {
    fn encode(&mut self, file: &ParquetFile<StoreFile>, schema: &SchemaRef, batch: &RecordBatch) -> Result<()> {
        if self.rows == 0 {
            self.encoders = file.encoders(self.number)?;
        }
        let mut encoders = self.encoders.iter_mut();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            for (leaf, encoder) in compute_leaves(field, column)?.iter().zip(&mut encoders) {
                encoder.write(leaf)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, file: &ParquetFile<StoreFile>) -> Result<()> {
        for (column, encoder) in std::mem::take(&mut self.encoders).into_iter().enumerate() {
            file.add(self.number, column, encoder.close()?)?;
        }
        let number = if self.rows == 0 { self.number } else { self.number + 1 };
        *self = Self { number, ..Self::default() };
        Ok(())
    }
}

impl Drop for BatchWriter {
    fn drop(&mut self) {
        let needless = std::mem::take(&mut self.written);
        if needless.is_empty() {
            return;
        }
        let _entered = self.site.runtime.enter();
        let store = self.site.store.clone();
        task::spawn("remove files that nobody published", async move {
            for file in needless {
                // Whoever wrote them learns why they are needless; that one is left is for the log.
                if let Err(error) = store.delete(&file.path).await {
                    tracing::warn!(%error, "a needless file could not be removed");
                }
            }
        });
    }
}

/// How much a column's rows hold, near enough to bound memory.
pub fn bytes_of(array: &ArrayRef) -> usize {
    match array.data_type() {
        DataType::Utf8 => span(array.as_string::<i32>().value_offsets()),
        DataType::Binary => span(array.as_binary::<i32>().value_offsets()),
        DataType::Utf8View => viewed(array.as_string_view().views()),
        DataType::BinaryView => viewed(array.as_binary_view().views()),
        DataType::Struct(_) => array.as_struct().columns().iter().map(bytes_of).sum(),
        DataType::List(_) => items(array.as_list::<i32>().values(), array.as_list::<i32>().value_offsets()),
        DataType::LargeList(_) => items(array.as_list::<i64>().values(), array.as_list::<i64>().value_offsets()),
        DataType::Map(..) => {
            let (map, offsets) = (array.as_map(), array.as_map().value_offsets());
            items(map.keys(), offsets) + items(map.values(), offsets)
        }
        ty => match ty.primitive_width() {
            Some(width) => width * array.len(),
            None => array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size()),
        },
    }
}

/// The items of lists; beside each something to tell it from the next.
fn items<O: Copy + TryInto<usize>>(values: &ArrayRef, offsets: &[O]) -> usize {
    let ends = [offsets.first(), offsets.last()].map(|end| end.and_then(|&end| end.try_into().ok()).unwrap_or(0));
    let count = ends[1] - ends[0];
    bytes_of(&values.slice(ends[0], count)) + 8 * (count + offsets.len())
}

fn span(offsets: &[i32]) -> usize {
    match offsets {
        [first, .., last] => usize::try_from(last - first).unwrap_or_default() + 4 * offsets.len(),
        _ => 0,
    }
}

/// The low half of the low word of a view is the length of its text.
fn viewed(views: &[u128]) -> usize {
    views.iter().map(|view| 16 + (view & u128::from(u32::MAX)) as usize).sum()
}

/// Whether fewer than half of the values are distinct; a dictionary of more costs time and saves nothing.
fn repeats(column: &ArrayRef) -> bool {
    let sample = column.slice(0, column.len().min(SAMPLE_ROWS));
    let values = sample.len() - sample.null_count();
    let converter = RowConverter::new(vec![SortField::new(sample.data_type().clone())]);
    let rows = converter.and_then(|converter| converter.convert_columns(&[sample]));
    let Ok(rows) = rows else { return true };
    let distinct: HashSet<_> = rows.iter().collect();
    distinct.len() * 2 <= values.max(32)
}
