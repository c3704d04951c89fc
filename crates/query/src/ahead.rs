//! Rows of a file that are read before their turn has come, so that several files are read at once.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::stream::{self, Stream};
use futures::{StreamExt, TryStreamExt};

#[cfg(test)]
mod tests;

/// The first rows of a file, counted for as long as they wait, and the stream of those that follow.
pub(crate) struct Ahead {
    first: Arc<[RecordBatch]>,
    memory: MemoryReservation,
    rest: Option<SendableRecordBatchStream>,
}

impl Ahead {
    /// Reads on until so many bytes wait, or no more fit into the memory of queries.
    pub(crate) async fn read(
        mut rows: SendableRecordBatchStream,
        memory: MemoryReservation,
        bytes: usize,
    ) -> Result<Self> {
        let (mut first, mut fits) = (Vec::new(), true);
        while fits && memory.size() <= bytes {
            let Some(batch) = rows.try_next().await? else {
                return Ok(Self { first: first.into(), memory, rest: None });
            };
            fits = memory.try_grow(batch.get_array_memory_size()).is_ok();
            if !fits {
                // It is there all the same.
                memory.grow(batch.get_array_memory_size());
            }
            first.push(batch);
        }
        Ok(Self { first: first.into(), memory, rest: Some(rows) })
    }

    /// All rows of a file that are there already.
    pub(crate) fn whole(rows: Arc<[RecordBatch]>, memory: MemoryReservation) -> Self {
        memory.grow(rows.iter().map(RecordBatch::get_array_memory_size).sum());
        Self { first: rows, memory, rest: None }
    }

    /// All rows, when none follow.
    pub(crate) fn all(&self) -> Option<&Arc<[RecordBatch]>> {
        self.rest.is_none().then_some(&self.first)
    }

    /// The rows, which count no more once they are handed over.
    pub(crate) fn rows(self) -> impl Stream<Item = Result<RecordBatch>> + Send {
        let Self { first, memory, rest } = self;
        let waiting = (0..first.len()).map(move |at| {
            memory.shrink(first[at].get_array_memory_size());
            Ok(first[at].clone())
        });
        stream::iter(waiting).chain(stream::iter(rest).flatten())
    }
}
