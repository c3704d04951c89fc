//! Stores that fail: whoever appends learns why, however many append together.

use std::sync::Arc;

use async_trait::async_trait;
use base::{Fault, Seams};
use evidence::Evidence;
use storage::task;
use testkit::{Bucket, Call, Fate, Faulty, Mishap, Verb};

use crate::{line, stream};

/// Nothing can be listed, so that no number is known to be free.
struct NoList;

#[async_trait]
impl Fate for NoList {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        (call.verb == Verb::List).then_some(Mishap::FailsBefore)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_who_append_together_learn_why_nothing_was_appended() {
    let store =
        Faulty::over(Arc::new(Bucket::new(Seams::system())), Arc::new(NoList), Seams::system()).store("memory://lake");
    let evidence = Evidence::new(store, Seams::system());
    let append = |number| {
        let evidence = evidence.clone();
        task::spawn("append", async move { evidence.append(&stream("runs"), vec![line(number)]).await.unwrap_err() })
    };
    let appends: Vec<_> = (0..100).map(append).collect();
    for append in appends {
        assert_eq!(append.await.unwrap().code(), "storage.unavailable");
    }
}
