//! Places, and the bodies that hold them.

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::error::{Error, Result};

/// How long a client may keep its request waiting before the place may go to another.
const GRACE: Duration = Duration::from_millis(100);

/// How often the places are looked through at most.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A piece of a body, or its end.
type Piece = Option<Result<Frame<Bytes>, axum::Error>>;

/// The places of one door.
pub(super) struct Places {
    working: Arc<Semaphore>,
    waiting: Semaphore,
    next: AtomicU64,
    held: Mutex<Held>,
}

/// The seats that have a place, and when they were last looked through.
#[derive(Default)]
struct Held {
    seats: HashMap<u64, Arc<Mutex<Seat>>>,
    looked: Option<Instant>,
}

/// What a request holds: its place, if nobody took it, and since when it has waited for its client.
#[derive(Default)]
struct Seat {
    permit: Option<OwnedSemaphorePermit>,
    idle_since: Option<Instant>,
}

impl Places {
    pub(super) fn new(working: usize, waiting: usize) -> Self {
        Self {
            working: Arc::new(Semaphore::new(working)),
            waiting: Semaphore::new(waiting),
            next: AtomicU64::default(),
            held: Mutex::default(),
        }
    }

    async fn enter(&self) -> Result<OwnedSemaphorePermit, Error> {
        let free = || Arc::clone(&self.working).try_acquire_owned();
        if let Ok(permit) = free() {
            return Ok(permit);
        }
        self.take_back();
        if let Ok(permit) = free() {
            return Ok(permit);
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| Error::Busy)?;
        self.wait().await
    }

    async fn wait(&self) -> Result<OwnedSemaphorePermit, Error> {
        let mut free = pin!(Arc::clone(&self.working).acquire_owned());
        loop {
            if let Ok(permit) = tokio::time::timeout(GRACE, &mut free).await {
                return permit.map_err(|_| Error::Busy);
            }
            self.take_back();
        }
    }

    /// Frees the places of all whose clients keep them waiting. Many who wait ask for this; one look serves them all.
    fn take_back(&self) {
        let (mut held, now) = (lock(&self.held), Instant::now());
        if held.looked.is_some_and(|looked| now - looked < LOOK_EVERY) {
            return;
        }
        held.looked = Some(now);
        held.seats.retain(|_, seat| {
            let mut seat = lock(seat);
            let stalled = seat.idle_since.is_some_and(|since| now - since >= GRACE);
            if stalled {
                seat.permit = None;
            }
            !stalled
        });
    }
}

/// A request's place at a door.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    seat: Arc<Mutex<Seat>>,
}

impl Place {
    pub(super) async fn take(places: &Arc<Places>) -> Result<Arc<Self>, Error> {
        let permit = places.enter().await?;
        let number = places.next.fetch_add(1, Ordering::Relaxed);
        let place = Self { places: Arc::clone(places), number, seat: Arc::default() };
        place.sit(permit);
        Ok(Arc::new(place))
    }

    fn sit(&self, permit: OwnedSemaphorePermit) {
        lock(&self.seat).permit = Some(permit);
        lock(&self.places.held).seats.insert(self.number, Arc::clone(&self.seat));
    }

    /// The request, whose body notes when it keeps the place waiting.
    pub(super) fn watch_request(self: &Arc<Self>, request: Request) -> Request {
        let place = Arc::clone(self);
        request.map(|body| match hyper::body::Body::is_end_stream(&body) {
            true => body,
            false => Body::new(Arriving { body, piece: None, turn: Turn::of(place) }),
        })
    }

    /// The answer, whose body holds the place to its end.
    pub(super) fn watch_answer(self: Arc<Self>, answer: Response) -> Response {
        answer.map(|body| Body::new(Leaving { body, turn: Turn::of(self) }))
    }

    fn idle(&self) {
        lock(&self.seat).idle_since.get_or_insert_with(Instant::now);
    }

    /// Whether the place is still there to go on with.
    fn resume(&self) -> bool {
        let mut seat = lock(&self.seat);
        seat.idle_since = None;
        seat.permit.is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.places.held).seats.remove(&self.number);
    }
}

/// A body's way back to its place after it has waited.
struct Turn {
    place: Arc<Place>,
    coming: Option<BoxFuture<'static, Result<OwnedSemaphorePermit, Error>>>,
}

impl Turn {
    fn of(place: Arc<Place>) -> Self {
        Self { place, coming: None }
    }

    /// Ready when the request has a place.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.coming.is_none() && self.place.resume() {
            return Poll::Ready(());
        }
        let places = &self.place.places;
        let coming = self.coming.get_or_insert_with(|| {
            let places = Arc::clone(places);
            async move { places.wait().await }.boxed()
        });
        let permit = ready!(coming.poll_unpin(cx));
        self.coming = None;
        if let Ok(permit) = permit {
            self.place.sit(permit);
        }
        Poll::Ready(())
    }
}

/// A request's body: the place is idle until the next piece is here.
struct Arriving {
    body: Body,
    piece: Option<Piece>,
    turn: Turn,
}

impl hyper::body::Body for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Piece> {
        if self.piece.is_none() {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(piece) => self.piece = Some(piece),
                Poll::Pending => {
                    self.turn.place.idle();
                    return Poll::Pending;
                }
            }
        }
        ready!(self.turn.poll(cx));
        Poll::Ready(self.piece.take().flatten())
    }

    fn is_end_stream(&self) -> bool {
        self.piece.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Arriving {
    /// Whoever lets the rest of a body go waits for it no longer.
    fn drop(&mut self) {
        self.turn.place.resume();
    }
}

/// An answer's body: the place is idle until the next piece is asked for.
struct Leaving {
    body: Body,
    turn: Turn,
}

impl hyper::body::Body for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Piece> {
        ready!(self.turn.poll(cx));
        let piece = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.turn.place.idle();
        Poll::Ready(piece)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
