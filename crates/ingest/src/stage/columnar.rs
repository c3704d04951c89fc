//! A Parquet file into the Parquet files of a table: read under limits, column by column without loss.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use base::ByteSize;
use catalog::{ColumnType, Draft, SchemaDiff};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::{Stage, Staged};
use crate::batch_writer::{BatchWriter, PIECE, Site, bytes_of};
use crate::column::first_null;
use crate::columnar::guard::{self, quietly};
use crate::columnar::int96::{self, Nanos};
use crate::columnar::lists;
use crate::columnar::text::{becomes_text, texts};
use crate::columnar::types::{self, Given};
use crate::csv::{CELL_LIMIT, ROW_LIMIT};
use crate::error::{Error, Result};
use crate::pii::{SAMPLE, Sample};
use crate::plan::ColumnPlan;
use crate::reject::Refusals;

/// Rows that are read at a time, fewer of wide tables.
const ROWS: usize = 8192;
/// Values that are read at a time.
const VALUES: usize = 256 << 10;

/// How the columns of a file become those of a draft.
struct Conversion {
    given: Vec<Given>,
    /// By the columns' places in the file.
    plans: Vec<ColumnPlan>,
}

impl Stage {
    /// Reads a Parquet file.
    pub(super) fn columnar(&self) -> Result<Staged> {
        let file = self.spool.open()?;
        let footer = Arc::new(guard::open(&file, self.spool.len)?);
        let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = quietly(|| ArrowReaderMetadata::try_new(Arc::clone(&footer), plain.clone()))?;
        let given = types::columns(metadata.schema())?;
        let places = int96::places(metadata.metadata().file_metadata().schema_descr())?;
        let rows_at_once = lists::rows_at_once(&file, &footer, ROWS.min(VALUES / given.len().max(1)).max(1))?;
        let views = plain.with_schema(types::reading(&int96::reading(metadata.schema(), &places)));
        let mut nanos = Nanos::open(self.spool.open()?, metadata, places, rows_at_once)?;
        let metadata = quietly(|| ArrowReaderMetadata::try_new(footer, views))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
        let mut batches = quietly(|| builder.with_batch_size(rows_at_once).build())?;
        let first = quietly(|| batches.next().transpose())?;
        let (mut draft, conversion) = self.conversion(given)?;
        self.notice(&mut draft, &conversion, first.as_ref())?;
        let site =
            Site { store: self.catalog.store().clone(), seams: self.seams.clone(), runtime: self.runtime.clone() };
        let mut writer = BatchWriter::new(&draft, site, ByteSize(u64::MAX))?;
        let (mut rows, mut bytes, mut next) = (0, 0, first);
        while let Some(batch) = next {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Error::Lost);
            }
            bytes += self.weigh(&batch, bytes, rows)?;
            if let Some((place, row)) = nanos.misfit(&batch)? {
                return Err(conversion.misfit(self, conversion.plan_of(place), rows + row as u64 + 1));
            }
            conversion.write(self, &mut writer, &types::side_by_side(&conversion.given, &batch)?, rows)?;
            rows += batch.num_rows() as u64;
            self.progress.at(self.spool.len, rows);
            next = quietly(|| batches.next().transpose())?;
        }
        Self::finish(draft, writer.finish()?, rows, Refusals::default())
    }

    /// The draft of the table and how the file's columns go there.
    fn conversion(&self, given: Vec<Given>) -> Result<(Draft, Conversion)> {
        if given.is_empty() {
            return Err(Error::Empty);
        }
        let names: Vec<String> = given.iter().map(|given| given.name.clone()).collect();
        let mut draft = self.draft(&names)?;
        let plan = |(place, given): (usize, &Given)| {
            let mut plan = ColumnPlan::of(&given.name, None, place);
            plan.ty = given.ty.clone();
            plan
        };
        let mut plans: Vec<ColumnPlan> = given.iter().enumerate().map(plan).collect();
        if let Some(table) = &self.table {
            self.fit(table, &mut draft, &mut plans)?;
        }
        for (plan, given) in plans.iter().zip(&given) {
            draft.columns[plan.target].ty = plan.ty.clone();
            let to = plan.ty.arrow().map_err(catalog::Error::from)?;
            if plan.fixed && !types::is_akin(&given.arrow, &to) {
                return Err(self.drift(SchemaDiff::retyped(&given.name, &plan.ty, &given.ty)));
            }
        }
        Ok((draft, Conversion { given, plans }))
    }

    /// Notes the class of personal data that the table notes of a column, or that its first rows suggest.
    fn notice(&self, draft: &mut Draft, conversion: &Conversion, first: Option<&RecordBatch>) -> Result<()> {
        let first = first.map(|first| types::side_by_side(&conversion.given, &sample_of(first))).transpose()?;
        let classified = self.table.as_ref().map(|table| table.classified()).unwrap_or_default();
        for plan in &conversion.plans {
            let column = &mut draft.columns[plan.target];
            let noticed = || {
                let mut sample = Sample::of(&plan.name);
                if let Some(first) = first.as_ref().filter(|_| plan.ty == ColumnType::String) {
                    see(first.column(plan.source), &mut sample);
                }
                sample.decide(&plan.ty)
            };
            column.pii = classified.get(&column.id).copied().unwrap_or_else(noticed);
        }
        Ok(())
    }

    /// What the rows hold; refuses those that are longer than any may be, and files that never end.
    fn weigh(&self, batch: &RecordBatch, before: u64, rows: u64) -> Result<u64> {
        let bytes = size(batch);
        if bytes > CELL_LIMIT {
            for row in 0..batch.num_rows() {
                let lengths = batch.columns().iter().map(|column| bytes_of(&column.slice(row, 1)));
                let (longest, sum) = lengths.fold((0, 0), |(longest, sum), length| (length.max(longest), sum + length));
                if longest > CELL_LIMIT + 64 || sum > ROW_LIMIT {
                    return Err(Error::RowTooLong { line: rows + row as u64 + 1 });
                }
            }
        }
        if before + bytes as u64 > self.unpack_limit.0 {
            return Err(Error::Inflated { packing: "Parquet", limit: self.unpack_limit, ratio: None });
        }
        Ok(bytes as u64)
    }
}

impl Conversion {
    /// What becomes of the file's column at a place.
    fn plan_of(&self, place: usize) -> &ColumnPlan {
        &self.plans[self.given.iter().position(|given| given.path == [place]).unwrap_or_default()]
    }

    /// Writes the rows, `rows` of which come before them. Lists grow when they become text, so few are made at a time.
    fn write(&self, stage: &Stage, writer: &mut BatchWriter, batch: &RecordBatch, rows: u64) -> Result<()> {
        let grows = self.given.iter().any(|given| becomes_text(&given.arrow));
        if grows && batch.num_rows() > 1 && size(batch) > PIECE {
            let half = batch.num_rows() / 2;
            self.write(stage, writer, &batch.slice(0, half), rows)?;
            return self.write(stage, writer, &batch.slice(half, batch.num_rows() - half), rows + half as u64);
        }
        writer.write(&self.apply(stage, writer, batch, rows)?)
    }

    /// The rows under the draft's columns; `rows` come before them.
    fn apply(&self, stage: &Stage, writer: &BatchWriter, batch: &RecordBatch, rows: u64) -> Result<RecordBatch> {
        let fields = writer.schema().fields();
        let mut columns: Vec<Option<ArrayRef>> = vec![None; fields.len()];
        for plan in &self.plans {
            let to = fields[plan.target].data_type();
            columns[plan.target] = Some(match types::convert(batch.column(plan.source), to)? {
                Ok(column) => column,
                Err(row) => return Err(self.misfit(stage, plan, rows + row as u64 + 1)),
            });
            let demanded = columns[plan.target].iter().filter(|_| !fields[plan.target].is_nullable());
            if let Some(row) = demanded.filter_map(first_null).next() {
                return Err(self.misfit(stage, plan, rows + row as u64 + 1));
            }
        }
        let columns = columns
            .into_iter()
            .zip(fields)
            .map(|(column, field)| column.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows())));
        let columns: Vec<ArrayRef> = columns.collect();
        let field = |(column, field): (&ArrayRef, &Arc<Field>)| {
            field.as_ref().clone().with_data_type(column.data_type().clone())
        };
        let schema: Vec<Field> = columns.iter().zip(fields).map(field).collect();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(schema)), columns)?)
    }

    fn misfit(&self, stage: &Stage, plan: &ColumnPlan, row: u64) -> Error {
        if plan.fixed {
            return stage.drift(SchemaDiff::misfit(&plan.name, &plan.ty.name(), row));
        }
        let what = match self.given[plan.source].arrow {
            DataType::Timestamp(..) | DataType::Time64(_) => {
                "has a time that microseconds of the years 1 to 9999 do not hold"
            }
            ref lists if becomes_text(lists) => {
                "has a list or map that is longer than 64 MiB as JSON, or holds a time outside the years 0 to 9999"
            }
            DataType::Date32 => "has a day outside the years 1 to 9999",
            _ => "has a value that the table's type does not hold",
        };
        Error::Column { column: plan.name.clone(), reason: format!("row {row} {what}") }
    }
}

fn size(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(bytes_of).sum()
}

/// The first rows, few enough to have them as text.
fn sample_of(batch: &RecordBatch) -> RecordBatch {
    let mut sample = batch.slice(0, SAMPLE.min(batch.num_rows()));
    while sample.num_rows() > 1 && size(&sample) > PIECE {
        sample = sample.slice(0, sample.num_rows() / 2);
    }
    sample
}

fn see(column: &ArrayRef, sample: &mut Sample) {
    let texts = if becomes_text(column.data_type()) { texts(column).ok() } else { None };
    if let Some(texts) = texts {
        texts.as_string::<i32>().iter().flatten().for_each(|text| sample.see(text));
    } else if let Some(texts) = column.as_string_view_opt() {
        texts.iter().flatten().for_each(|text| sample.see(text));
    }
}
