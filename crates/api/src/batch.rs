//! Bodies larger than other JSON: batches of texts and items. Few of them are in memory at once.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;
use serde::de::DeserializeOwned;
use storage::BodyError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::error::{Error, Refusal, Result};
use crate::limits::Limits;
use crate::request::{expect_json, fits, limits_of, parse_object, pieces, unread};

/// How many bodies over the limit of other JSON one door reads and works on at the same time.
const LARGE_AT_ONCE: usize = 8;
/// From here on a body is parsed off the threads that answer requests.
const LONG_TO_PARSE: usize = 256 << 10;

/// How long a large body waits for its turn before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// The places for large bodies of one door.
#[derive(Clone)]
pub(crate) struct Batches(Arc<Semaphore>);

/// The place of one large body, which must have come by a certain time.
pub(crate) struct Place {
    _held: OwnedSemaphorePermit,
    until: Instant,
}

impl Batches {
    /// To be laid over the routes of a door that read a [`Batch`].
    pub(crate) fn layer() -> Extension<Self> {
        Extension(Self(Arc::new(Semaphore::new(LARGE_AT_ONCE))))
    }

    async fn enter(&self, limits: &Limits) -> Result<Place, Error> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await;
        let held = turn.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        Ok(Place { _held: held, until: Instant::now() + limits.deadline.0 })
    }
}

/// A JSON object as body, up to the limit of batches. Other content types, larger bodies and unknown members are
/// refused. A large one keeps its place as long as this value lives.
pub(crate) struct Batch<T> {
    pub(crate) call: T,
    pub(crate) place: Option<Place>,
}

impl<T: DeserializeOwned + Send + 'static, S: Send + Sync> FromRequest<S> for Batch<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        expect_json(request.headers())?;
        let limits = limits_of(&request);
        fits(request.headers(), limits.batch_limit)?;
        let batches = request.extensions().get::<Batches>().cloned();
        let (mut pieces, mut whole, mut place) = (pieces(request), BytesMut::new(), None);
        while let Some(piece) = next(&mut pieces, place.as_ref()).await.map_err(unread)? {
            let length = whole.len() + piece.len();
            if length > limits.batch_limit.as_usize() {
                return Err(Error::TooLarge { limit: limits.batch_limit }.into());
            }
            if let (Some(batches), None) = (&batches, &place)
                && length > limits.json_limit.as_usize()
            {
                place = Some(batches.enter(&limits).await?);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Self { call: parsed(whole).await?, place })
    }
}

/// The next piece. Whoever holds a place keeps others waiting.
async fn next(
    pieces: &mut BoxStream<'static, Result<Bytes, BodyError>>,
    place: Option<&Place>,
) -> Result<Option<Bytes>, BodyError> {
    let piece = match place {
        Some(place) => tokio::time::timeout_at(place.until, pieces.next()).await.map_err(|_| BodyError::TooSlow)?,
        None => pieces.next().await,
    };
    piece.transpose()
}

async fn parsed<T: DeserializeOwned + Send + 'static>(whole: BytesMut) -> Result<T, Error> {
    if whole.len() < LONG_TO_PARSE {
        return parse_object(&whole);
    }
    let parsed = storage::task::blocking("parse a batch", move || parse_object(&whole)).await;
    parsed.map_err(|_| Error::Panicked)?
}
