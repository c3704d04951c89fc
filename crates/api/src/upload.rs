//! A file on its way in: the multipart field `file`, or the raw body.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use base::ByteSize;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{BoxStream, try_unfold};
use storage::BodyError;

use crate::error::Error;
use crate::request::{expect_encoding, fits, media_type, pieces};

mod parts;

pub(crate) use parts::BROKE_OFF;
use parts::{Broken, ENVELOPE, Parts};

/// Types of a raw body. Absent counts as given: many scripts state none.
const RAW: [&str; 14] = [
    "",
    "text/csv",
    "application/csv",
    "application/vnd.ms-excel",
    "text/tab-separated-values",
    "application/json",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/vnd.apache.parquet",
    "application/x-parquet",
    "text/plain",
    "application/octet-stream",
];

/// Encodings of a raw body that its own first bytes tell as well, and that files may have.
const PACKED: [&str; 3] = ["gzip", "x-gzip", "zstd"];

/// A file that is arriving, at most so long.
pub(crate) struct Upload {
    pieces: Pieces,
    limit: ByteSize,
}

/// Why an upload was refused while it was read. The reader of the stream only learns that it broke off.
#[derive(Clone, Default)]
pub(crate) struct Refused(Arc<Mutex<Option<Error>>>);

enum Pieces {
    Raw(BoxStream<'static, Result<Bytes, BodyError>>),
    Field(Box<Parts>),
}

impl Upload {
    /// Reads up to the first byte of the file. A declared length over `limit` is refused before anything is read.
    pub(crate) async fn open(request: Request, limit: ByteSize) -> Result<Self, Error> {
        let stated = media_type(request.headers());
        if stated == "multipart/form-data" {
            expect_encoding(request.headers(), "forms as they are", &[])?;
            fits(request.headers(), ByteSize(limit.0.saturating_add(ENVELOPE)))
                .map_err(|_| Error::TooLarge { limit })?;
            return Ok(Self { pieces: Pieces::Field(Box::new(Parts::open(request).await?)), limit });
        }
        if !RAW.contains(&stated.as_str()) {
            let given = stated.chars().take(100).collect();
            return Err(Error::MediaType {
                expected: "multipart/form-data with a field `file`, or CSV, JSON or Parquet as it is",
                given,
            });
        }
        expect_encoding(request.headers(), "files as they are, or packed with gzip or zstd", &PACKED)?;
        fits(request.headers(), limit)?;
        Ok(Self { pieces: Pieces::Raw(pieces(request)), limit })
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
            Broken::Off(cause) => cause,
            Broken::Rule(error) => self.refused.with(error),
        }
    }
}

impl Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        match self {
            Self::Raw(body) => body.next().await.transpose().map_err(Broken::Off),
            Self::Field(parts) => parts.next().await,
        }
    }
}
