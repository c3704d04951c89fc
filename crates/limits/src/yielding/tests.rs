use std::time::Duration;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{common, execute_stream};
use futures::stream;

use super::*;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, true)]))
}

#[tokio::test]
async fn a_thousand_in_a_row_come_to_an_end() {
    let leaf: Arc<dyn ExecutionPlan> = Arc::new(EmptyExec::new(schema()));
    let plan = (0..1000).fold(leaf, |plan, _| Arc::new(Yielding(plan)));
    let collected = common::collect(execute_stream(plan, Arc::default()).unwrap());
    let ended = tokio::time::timeout(Duration::from_secs(60), collected).await;
    assert_eq!(ended.expect("each lets the next one answer").unwrap(), Vec::new());
}

#[tokio::test]
async fn what_always_has_an_answer_lets_others_run() {
    let batch = RecordBatch::new_empty(schema());
    let endless = stream::repeat_with(move || Ok(batch.clone()));
    let inner = Box::pin(RecordBatchStreamAdapter::new(schema(), endless));
    let answers = InTurns { inner, answered: 0 };
    let mut others = 0;
    let mut ready = asked(answers);
    for _ in 0..10 * (IN_A_ROW + 1) {
        others += u32::from(!ready());
    }
    assert_eq!(others, 10);
}

/// Whether the stream has an answer, each time it is asked.
fn asked(mut answers: InTurns) -> impl FnMut() -> bool {
    move || answers.poll_next_unpin(&mut Context::from_waker(futures::task::noop_waker_ref())).is_ready()
}
