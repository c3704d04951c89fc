use arrow::array::{ArrayRef, Int64Array};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryConsumer, MemoryPool};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::executor::block_on;

use super::*;

/// Ten batches of as many bytes as the second value says.
fn ten() -> (SendableRecordBatchStream, usize) {
    let batch = |n: i64| {
        let values: ArrayRef = Arc::new(Int64Array::from(vec![n; 100]));
        RecordBatch::try_from_iter([("n", values)]).unwrap()
    };
    let bytes = batch(0).get_array_memory_size();
    let rows = stream::iter((0..10).map(move |n| Ok(batch(n))));
    (Box::pin(RecordBatchStreamAdapter::new(batch(0).schema(), rows)), bytes)
}

/// How many bytes wait when a pool has room for so many batches and so many are read ahead, in batches; and what is counted
/// before each batch is taken.
fn check(room: usize, most: usize) -> (usize, Vec<usize>) {
    let (rows, bytes) = ten();
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(room * bytes));
    let memory = MemoryConsumer::new("test").register(&pool);
    let ahead = block_on(Ahead::read(rows, memory, most * bytes)).unwrap();
    let (waiting, whole) = (pool.reserved() / bytes, ahead.all().map(|rows| rows.len()));
    assert_eq!(whole, (waiting == 10).then_some(10));
    let mut rows = Box::pin(ahead.rows());
    let mut counted = Vec::new();
    for n in 0..10 {
        let batch = block_on(rows.try_next()).unwrap().unwrap();
        assert_eq!(batch.column(0).as_ref(), &Int64Array::from(vec![n; 100]));
        counted.push(pool.reserved() / bytes);
    }
    assert!(block_on(rows.try_next()).unwrap().is_none());
    (waiting, counted)
}

#[test]
fn rows_count_for_as_long_as_they_wait() {
    assert_eq!(check(99, 99), (10, vec![9, 8, 7, 6, 5, 4, 3, 2, 1, 0]));
}

#[test]
fn what_is_long_or_does_not_fit_is_streamed() {
    let streamed = vec![2, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(check(99, 2), (3, streamed.clone()));
    assert_eq!(check(2, 99), (3, streamed));
    assert_eq!(check(0, 99), (1, vec![0; 10]));
}

#[test]
fn rows_that_were_kept_count_while_they_are_used() {
    let (rows, bytes) = ten();
    let rows: Vec<RecordBatch> = block_on(rows.try_collect()).unwrap();
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1));
    let ahead = Ahead::whole(rows.into(), MemoryConsumer::new("test").register(&pool));
    assert_eq!(pool.reserved(), 10 * bytes);
    assert_eq!(block_on(ahead.rows().try_collect::<Vec<_>>()).unwrap().len(), 10);
    assert_eq!(pool.reserved(), 0);
}
