//! How many requests a door works on at once, how many may wait, and for how long.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::error::{Error, Result};
use crate::limits::Limits;

mod place;

use place::{Place, Places};

/// The places of one door, and the deadline of the requests that pass here.
///
/// A place belongs to work. Whoever waits for its client (for the rest of a body, or for an answer to be read) keeps
/// its place only until somebody else needs it, and takes one again before it goes on: clients that stand still take
/// nothing from those that do not.
#[derive(Clone)]
pub(crate) struct Gate {
    places: Arc<Places>,
    deadline: Duration,
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Self {
        let places = Places::new(limits.concurrent_requests, limits.waiting_requests);
        Self { places: Arc::new(places), deadline: limits.deadline.0 }
    }

    /// The same places, another deadline.
    pub(crate) fn with_deadline(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// Does `work` with `request` when there is a place for it, which the answer gives back with its last byte.
    pub(crate) async fn admit<E, W>(&self, request: Request, work: impl FnOnce(Request) -> W) -> Result<Response, E>
    where
        W: Future<Output = Result<Response, E>>,
        E: From<Error>,
    {
        let placed = pin!(async {
            let place = Place::take(&self.places).await?;
            let answer = work(place.watch_request(request)).await?;
            Ok(place.watch_answer(answer))
        });
        tokio::time::timeout(self.deadline, placed).await.unwrap_or_else(|_| Err(Error::Deadline.into()))
    }
}

/// Lets the requests of a set of routes through the gate.
pub(crate) async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Result<Response> {
    gate.admit(request, async |request| Ok(next.run(request).await)).await
}
