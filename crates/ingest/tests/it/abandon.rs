//! Loads that are given up leave nothing.

use std::pin::pin;
use std::task::Poll;

use base::Fault;
use bytes::Bytes;
use futures::{StreamExt, future, stream};
use ingest::{Phase, Progress};
use storage::BodyError;

use crate::lake::{Lake, request};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_leaves_nothing() {
    let lake = Lake::open().await;
    let before = lake.paths().await;
    let pieces = vec![Ok(Bytes::from_static(b"a,b\n1,2\n")), Err(BodyError::Broken("gone".into()))];
    let error = lake.ingest.load(request("t"), stream::iter(pieces), &Progress::default()).await.unwrap_err();
    assert_eq!(error.code(), "storage.body_broken");
    assert_eq!(lake.paths().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_dropped_while_receiving_leaves_nothing() {
    let lake = Lake::open().await;
    let before = lake.paths().await;
    let progress = Progress::default();
    let body = stream::iter([Ok(Bytes::from_static(b"a,b\n1,2\n"))]).chain(stream::pending());
    {
        let mut load = pin!(lake.ingest.load(request("t"), body, &progress));
        while progress.bytes_received() == 0 {
            future::poll_fn(|context| {
                assert!(load.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(lake.paths().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_dropped_while_reading_leaves_nothing() {
    let lake = Lake::open().await;
    let before = lake.paths().await;
    let text = Bytes::from(format!("a,b\n{}", "12345,some text that repeats\n".repeat(400_000)));
    let progress = Progress::default();
    {
        let mut load = pin!(lake.ingest.load(request("t"), stream::iter([Ok(text)]), &progress));
        while progress.phase() == Phase::Receiving || progress.rows() == 0 {
            future::poll_fn(|context| {
                assert!(load.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
        }
    }
    let outcome = lake.load("other", "a\n1\n").await;
    assert_eq!(outcome.total_rows, 1, "the turn was given back");
    let left: Vec<_> = lake.paths().await.into_keys().filter(|path| !before.contains_key(path)).collect();
    assert!(left.iter().all(|path| !path.starts_with("tables/t-")), "{left:?}");
    let pin = lake.catalog.pin(None).await.unwrap();
    assert_eq!(pin.names().count(), 1);
}
