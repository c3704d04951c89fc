//! How many requests a door works on at once, how many may wait, and for how long.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};
use crate::limits::Limits;

/// The places of one door, and the deadline of the requests that pass here.
#[derive(Clone)]
pub(crate) struct Gate {
    working: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    deadline: Duration,
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            working: Arc::new(Semaphore::new(limits.concurrent_requests)),
            waiting: Arc::new(Semaphore::new(limits.waiting_requests)),
            deadline: limits.deadline.0,
        }
    }

    /// The same places, another deadline.
    pub(crate) fn with_deadline(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// Does `work` when there is a place for it, and holds the place until the last byte of the answer is gone.
    pub(crate) async fn admit<E>(&self, work: impl Future<Output = Result<Response, E>>) -> Result<Response, E>
    where
        E: From<Error>,
    {
        let placed = async {
            let place = self.enter().await?;
            let answer = work.await?;
            Ok(answer.map(|body| Body::new(Held { body, _place: place })))
        };
        tokio::time::timeout(self.deadline, placed).await.unwrap_or_else(|_| Err(Error::Deadline.into()))
    }

    async fn enter(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(place) = Arc::clone(&self.working).try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| Error::Busy)?;
        Arc::clone(&self.working).acquire_owned().await.map_err(|_| Error::Busy)
    }
}

/// Lets the requests of a set of routes through the gate.
pub(crate) async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Result<Response> {
    gate.admit(async { Ok(next.run(request).await) }).await
}

/// A body that holds its request's place.
struct Held {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl hyper::body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
