//! The parts of a multipart body, of which there is one.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::extract::Request;
use bytes::Bytes;
use futures::Stream;
use futures::stream::BoxStream;
use http::header::CONTENT_TYPE;
use multer::{Field, Multipart};
use storage::BodyError;

use crate::error::{BoxError, Error};
use crate::request::{pieces, text};

/// What is said of a body that broke off; the reader of multipart says the same of a header without end.
pub(crate) const BROKE_OFF: &str = "it broke off, or the header of a part is too long";
/// The only field of an upload.
const FIELD: &str = "file";
/// What a multipart body may hold beside its file, in bytes: boundaries and the part's header.
pub(super) const ENVELOPE: u64 = 64 << 10;
/// Pieces that a connection offers are smaller than this, in bytes.
const LARGEST_PIECE: u64 = 1 << 20;

/// Why a piece did not come: the sender went away or stood still, or sent what it may not.
pub(super) enum Broken {
    Off(BodyError),
    Rule(Error),
}

/// A multipart body, opened at its file.
pub(super) struct Parts {
    /// Let go at its end; the body goes on only then.
    field: Option<Field<'static>>,
    body: Multipart<'static>,
    given: Arc<AtomicU64>,
}

impl Parts {
    /// Opens a multipart body and expects its first field to be the file.
    pub(super) async fn open(request: Request) -> Result<Self, Error> {
        let stated = text(request.headers(), &CONTENT_TYPE).unwrap_or_default();
        let boundary = multer::parse_boundary(stated).map_err(|why| malformed(&why))?;
        let given = Arc::new(AtomicU64::new(0));
        let body = pieces(request);
        let paced = Paced { body, taken: 0, given: Arc::clone(&given), rest: false };
        let mut body = Multipart::new(paced, boundary);
        let first = body.next_field().await.map_err(|why| malformed(&why))?;
        let field = first.ok_or_else(|| Error::Field(format!("it has no field `{FIELD}`")))?;
        expect_file(&field)?;
        Ok(Self { field: Some(field), body, given })
    }

    /// The next piece of the file; none at its end, behind which nothing may stand: what is committed is all that
    /// was sent.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        let Some(field) = &mut self.field else { return Ok(None) };
        if let Some(piece) = field.chunk().await.map_err(broken)? {
            self.given.fetch_add(piece.len() as u64, Ordering::Relaxed);
            return Ok(Some(piece));
        }
        self.field = None;
        match self.body.next_field().await.map_err(broken)? {
            None => Ok(None),
            Some(_) => Err(Broken::Rule(Error::Field(format!("it has more fields than `{FIELD}`")))),
        }
    }
}

fn expect_file(field: &Field<'static>) -> Result<(), Error> {
    match field.name() {
        Some(FIELD) => Ok(()),
        Some(other) => {
            let other: String = other.chars().take(100).collect();
            Err(Error::Field(format!("its field is {other:?}; the only one it may have is `{FIELD}`")))
        }
        None => Err(Error::Field(format!("its field has no name; it must be `{FIELD}`"))),
    }
}

fn broken(why: multer::Error) -> Broken {
    match why {
        multer::Error::StreamReadFailed(cause) if is_slow(cause.as_ref()) => Broken::Off(BodyError::TooSlow),
        why => Broken::Rule(malformed(&why)),
    }
}

fn is_slow(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(BodyError::TooSlow))
}

fn malformed(why: &multer::Error) -> Error {
    let reason = match why {
        multer::Error::NoMultipart | multer::Error::NoBoundary | multer::Error::DecodeContentType(_) => {
            "its content type states no boundary"
        }
        multer::Error::IncompleteFieldData { .. } | multer::Error::IncompleteStream => {
            "it ends before its last boundary"
        }
        multer::Error::IncompleteHeaders => "the header of a part is cut off",
        multer::Error::ReadHeaderFailed(_) | multer::Error::DecodeHeaderName { .. } => {
            "the header of a part is damaged"
        }
        multer::Error::DecodeHeaderValue { .. } => "the header of a part is damaged",
        multer::Error::StreamReadFailed(_) => BROKE_OFF,
        _ => "its parts cannot be told apart",
    };
    Error::Multipart(reason.to_owned())
}

/// A body that hands out one piece at a time. The multipart reader keeps whatever it is offered, so it is offered no
/// more than it has passed on, give or take the envelope.
struct Paced {
    body: BoxStream<'static, Result<Bytes, BodyError>>,
    taken: u64,
    given: Arc<AtomicU64>,
    rest: bool,
}

impl Stream for Paced {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.rest) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.taken.saturating_sub(self.given.load(Ordering::Relaxed)) > ENVELOPE + LARGEST_PIECE {
            return Poll::Ready(Some(Err("the envelope is too large".into())));
        }
        let piece = Pin::new(&mut self.body).poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &piece {
            self.taken += bytes.len() as u64;
            self.rest = true;
        }
        piece.map(|piece| piece.map(|piece| piece.map_err(Into::into)))
    }
}
