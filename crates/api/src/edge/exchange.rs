//! Where the conversation on one connection stands.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// Nothing is asked, and nothing is left to be sent.
const QUIET: u8 = 0;
/// A request is worked on.
const ASKED: u8 = 1;
/// Its answer is on its way.
const ANSWERING: u8 = 2;
/// The answer was made to its end, which may not have been sent yet.
const ANSWERED: u8 = 3;

/// The requests of one connection and their answers, one after the other. Clones see the same.
#[derive(Clone, Default)]
pub(super) struct Exchange(Arc<AtomicU8>);

impl Exchange {
    /// A request has come.
    pub(super) fn ask(&self) {
        self.0.store(ASKED, Ordering::Release);
    }

    /// The answer to it, whose end is noted.
    pub(super) fn answer(&self, answer: Response) -> Response {
        self.0.store(ANSWERING, Ordering::Release);
        answer.map(|body| Body::new(Answer { body, exchange: self.clone() }))
    }

    /// All that there was to send is sent. Whether an exchange has come to its end with that.
    pub(super) fn sent(&self) -> bool {
        self.0.compare_exchange(ANSWERED, QUIET, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.0.load(Ordering::Acquire) == QUIET
    }

    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Acquire) == ASKED
    }
}

struct Answer {
    body: Body,
    exchange: Exchange,
}

impl hyper::body::Body for Answer {
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

impl Drop for Answer {
    fn drop(&mut self) {
        self.exchange.0.store(ANSWERED, Ordering::Release);
    }
}
