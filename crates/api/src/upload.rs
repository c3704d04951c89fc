//! A file on its way in: the multipart field `file`, or the raw body.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::BodyDataStream;
use axum::extract::Request;
use base::ByteSize;
use bytes::Bytes;
use futures::stream::{BoxStream, try_unfold};
use futures::{Stream, StreamExt};
use http::header::CONTENT_TYPE;
use multer::{Field, Multipart};
use storage::BodyError;

use crate::error::{BoxError, Error};
use crate::request::{fits, media_type, text};

/// The only field of an upload.
const FIELD: &str = "file";
/// What a multipart body may hold beside its file: boundaries and the part's header.
const ENVELOPE: u64 = 64 << 10;
/// Pieces that a connection offers are smaller than this.
const LARGEST_PIECE: u64 = 1 << 20;
/// Types of a raw body. Absent counts as given: many scripts state none.
const RAW: [&str; 7] = [
    "",
    "text/csv",
    "application/csv",
    "application/vnd.ms-excel",
    "text/tab-separated-values",
    "text/plain",
    "application/octet-stream",
];

/// A file that is arriving, at most so long.
pub(crate) struct Upload {
    pieces: Pieces,
    limit: ByteSize,
}

/// Why an upload was refused while it was read. The reader of the stream only learns that it broke off.
#[derive(Clone, Default)]
pub(crate) struct Refused(Arc<Mutex<Option<Error>>>);

enum Pieces {
    Raw(BodyDataStream),
    Field { field: Field<'static>, parts: Multipart<'static>, given: Arc<AtomicU64> },
}

impl Upload {
    /// Reads up to the first byte of the file. A declared length over `limit` is refused before anything is read.
    pub(crate) async fn open(request: Request, limit: ByteSize) -> Result<Self, Error> {
        let stated = media_type(request.headers());
        if stated == "multipart/form-data" {
            fits(request.headers(), ByteSize(limit.0.saturating_add(ENVELOPE)))
                .map_err(|_| Error::TooLarge { limit })?;
            return Ok(Self { pieces: field_of(request).await?, limit });
        }
        if !RAW.contains(&stated.as_str()) {
            let given = stated.chars().take(100).collect();
            return Err(Error::MediaType { expected: "multipart/form-data with a field `file`, or text/csv", given });
        }
        fits(request.headers(), limit)?;
        Ok(Self { pieces: Pieces::Raw(request.into_body().into_data_stream()), limit })
    }

    /// The bytes of the file, and where to look for the reason if they break off.
    pub(crate) fn into_stream(self) -> (Refused, BoxStream<'static, Result<Bytes, BodyError>>) {
        let refused = Refused::default();
        let state = Reading { pieces: self.pieces, limit: self.limit, read: 0, refused: refused.clone() };
        (refused, try_unfold(state, Reading::next).boxed())
    }
}

impl Refused {
    /// The reason, once.
    pub(crate) fn take(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn with(&self, reason: Error) -> BodyError {
        let broken = BodyError::Broken(reason.to_string().into());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        broken
    }
}

struct Reading {
    pieces: Pieces,
    limit: ByteSize,
    read: u64,
    refused: Refused,
}

impl Reading {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, BodyError> {
        let Some(piece) = self.pieces.next().await.map_err(|why| self.reason(why))? else { return Ok(None) };
        self.read += piece.len() as u64;
        if self.read > self.limit.0 {
            return Err(self.refused.with(Error::TooLarge { limit: self.limit }));
        }
        Ok(Some((piece, self)))
    }

    fn reason(&self, why: Broken) -> BodyError {
        match why {
            Broken::Off(cause) => BodyError::Broken(cause),
            Broken::Rule(error) => self.refused.with(error),
        }
    }
}

/// Why a piece did not come: the sender went away, or sent what it may not.
enum Broken {
    Off(BoxError),
    Rule(Error),
}

impl Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        match self {
            Self::Raw(body) => body.next().await.transpose().map_err(|why| Broken::Off(why.into())),
            Self::Field { field, parts, given } => {
                let piece = field.chunk().await.map_err(|why| Broken::Rule(malformed(&why)))?;
                match piece {
                    Some(piece) => {
                        given.fetch_add(piece.len() as u64, Ordering::Relaxed);
                        Ok(Some(piece))
                    }
                    None => last(parts).await.map(|()| None).map_err(Broken::Rule),
                }
            }
        }
    }
}

/// Opens a multipart body and expects its first field to be the file.
async fn field_of(request: Request) -> Result<Pieces, Error> {
    let stated = text(request.headers(), &CONTENT_TYPE).unwrap_or_default();
    let boundary = multer::parse_boundary(stated).map_err(|why| malformed(&why))?;
    let given = Arc::new(AtomicU64::new(0));
    let paced =
        Paced { body: request.into_body().into_data_stream(), taken: 0, given: Arc::clone(&given), rest: false };
    let mut parts = Multipart::new(paced, boundary);
    let first = parts.next_field().await.map_err(|why| malformed(&why))?;
    let field = first.ok_or_else(|| Error::Field(format!("it has no field `{FIELD}`")))?;
    expect_file(&field)?;
    Ok(Pieces::Field { field, parts, given })
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

/// Expects nothing behind the file, so that what is committed is all that was sent.
async fn last(parts: &mut Multipart<'static>) -> Result<(), Error> {
    match parts.next_field().await.map_err(|why| malformed(&why))? {
        None => Ok(()),
        Some(_) => Err(Error::Field(format!("it has more fields than `{FIELD}`"))),
    }
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
        multer::Error::StreamReadFailed(_) => "it broke off, or the header of a part is too long",
        _ => "its parts cannot be told apart",
    };
    Error::Multipart(reason.to_owned())
}

/// A body that hands out one piece at a time. The multipart reader keeps whatever it is offered, so it is offered no
/// more than it has passed on, give or take the envelope.
struct Paced {
    body: BodyDataStream,
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
