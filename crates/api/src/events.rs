//! Work told as it goes: an answer as server-sent events.
//!
//! There are `progress` events while the work goes on, then one `done` with what it comes to, or one `error` with the
//! problem. A client that goes away ends the work, as it does with a plain request.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use base::RequestId;
use bytes::Bytes;
use futures::Stream;
use futures::future::BoxFuture;
use futures::stream::unfold;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use tokio::time::{Interval, interval};

use crate::error::{Refusal, Result};
use crate::limits::Limits;
use crate::request::text;
use crate::trace::REQUEST_ID;

/// The media type of such an answer.
pub(crate) const MEDIA_TYPE: &str = "text/event-stream";
/// How often there may be a `progress` event.
const TICK: Duration = Duration::from_millis(500);
/// After so many ticks without news a comment shows that the connection lives.
const QUIET: u32 = 20;

/// Work under way, and what is told of it.
struct Telling<F> {
    /// None once its end was told.
    work: Option<BoxFuture<'static, Result<String>>>,
    progress: F,
    ticks: Interval,
    told: String,
    quiet: u32,
    request: Option<RequestId>,
}

/// Tells how `work` goes; `progress` says how far it is, as JSON. Work that takes longer than a request may ends.
pub(crate) fn tell<T, F>(
    work: impl Future<Output = Result<T>> + Send + 'static,
    progress: F,
    limits: &Limits,
    headers: &HeaderMap,
) -> Response
where
    T: Serialize,
    F: FnMut() -> String + Send + 'static,
{
    let deadline = limits.long_deadline.0;
    let work = async move {
        let late = |_| Refusal::from(crate::error::Error::Deadline);
        let outcome = tokio::time::timeout(deadline, work).await.map_err(late)??;
        Ok(serde_json::to_string(&outcome).unwrap_or_default())
    };
    let request = text(headers, &REQUEST_ID).and_then(RequestId::accept);
    let (ticks, told) = (interval(TICK), String::new());
    let telling = Telling { work: Some(Box::pin(work)), progress, ticks, told, quiet: 0, request };
    let mut answer = Response::new(Body::from_stream(events(telling)));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn events<F>(telling: Telling<F>) -> impl Stream<Item = Result<Bytes, Infallible>> + Send
where
    F: FnMut() -> String + Send + 'static,
{
    unfold(telling, async |mut telling| {
        let event = telling.next().await?;
        Some((Ok(Bytes::from(event)), telling))
    })
}

impl<F: FnMut() -> String> Telling<F> {
    /// The next event; none after the last.
    async fn next(&mut self) -> Option<String> {
        loop {
            let work = self.work.as_mut()?;
            tokio::select! {
                biased;
                outcome = work => {
                    self.work = None;
                    return Some(self.last(outcome));
                }
                _ = self.ticks.tick() => {}
            }
            if let Some(event) = self.news() {
                return Some(event);
            }
        }
    }

    fn news(&mut self) -> Option<String> {
        let now = (self.progress)();
        if now != self.told {
            self.quiet = 0;
            self.told = now;
            return Some(event("progress", &self.told));
        }
        self.quiet += 1;
        (self.quiet.is_multiple_of(QUIET)).then(|| ": still at work\n\n".to_owned())
    }

    fn last(&self, outcome: Result<String>) -> String {
        match outcome {
            Ok(done) => event("done", &done),
            Err(refusal) => event("error", &refusal.told(self.request.as_ref())),
        }
    }
}

/// One event; JSON has no line ends of its own.
fn event(name: &str, json: &str) -> String {
    format!("event: {name}\ndata: {json}\n\n")
}
