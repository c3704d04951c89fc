//! Arrow's IPC stream. Texts and bytes go out in the classic layout, which every reader knows.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use query::{Answer, Result};

use crate::stream::{CHUNK, Encoder, unwritable};

/// Rows of a message: enough to be columnar, few enough to be small.
const ROWS: usize = 8192;

pub(crate) struct ArrowStream {
    schema: SchemaRef,
    writer: StreamWriter<Vec<u8>>,
}

impl ArrowStream {
    pub(crate) fn new(answer: &Answer) -> Result<Self> {
        let fields = answer.schema.fields().iter();
        let fields = fields.map(|field| Field::new(field.name(), classic(field.data_type()), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let writer = StreamWriter::try_new(Vec::with_capacity(CHUNK), &schema).map_err(unwritable)?;
        Ok(Self { schema, writer })
    }

    fn drain(&mut self, out: &mut Vec<u8>) {
        out.append(self.writer.get_mut());
    }
}

fn classic(ty: &DataType) -> DataType {
    match ty {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        other => other.clone(),
    }
}

impl Encoder for ArrowStream {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.drain(out);
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, from: usize, out: &mut Vec<u8>) -> Result<usize> {
        let rows = ROWS.min(batch.num_rows() - from);
        let part = batch.slice(from, rows);
        let columns = part.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| cast(column, field.data_type())).collect::<Result<Vec<_>, _>>();
        let part = RecordBatch::try_new(Arc::clone(&self.schema), columns.map_err(unwritable)?).map_err(unwritable)?;
        self.writer.write(&part).map_err(unwritable)?;
        self.drain(out);
        Ok(from + rows)
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.writer.finish().map_err(unwritable)?;
        self.drain(out);
        Ok(())
    }
}
