//! Time that passes only when nobody can go on: the next moment somebody waits for comes at once.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base::{Timestamp, Wait};
use tokio::runtime::Builder;

/// The moments that are waited for, and the one that is now.
#[derive(Debug)]
pub struct Timeline {
    moments: Mutex<Moments>,
}

#[derive(Debug)]
struct Moments {
    now: Timestamp,
    /// Numbers the waits, so that equal moments come in the order in which they were asked for.
    asked: u64,
    waits: BTreeMap<(Timestamp, u64), Arc<Bell>>,
    root: Option<Waker>,
}

/// Rings when its moment has come.
#[derive(Debug, Default)]
struct Bell(Mutex<Rung>);

#[derive(Debug, Default)]
struct Rung {
    rung: bool,
    waker: Option<Waker>,
}

impl Timeline {
    /// A timeline that begins where the clocks of tests do.
    pub fn new() -> Arc<Self> {
        let moments = Moments { now: testkit::seam::START, asked: 0, waits: BTreeMap::new(), root: None };
        Arc::new(Self { moments: Mutex::new(moments) })
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.moments().now
    }

    /// Lets `span` pass.
    pub fn wait(&self, span: Duration) -> Wait {
        let bell = Arc::new(Bell::default());
        let mut moments = self.moments();
        let due = later(moments.now, span);
        moments.asked += 1;
        let number = moments.asked;
        moments.waits.insert((due, number), Arc::clone(&bell));
        Box::pin(Listening(bell))
    }

    /// Runs a future and all tasks that it starts to its end, on this thread, in the same order every time.
    pub fn run<F: Future>(self: &Arc<Self>, future: F) -> F::Output {
        let timeline = Arc::clone(self);
        // Without a driver of its own: whoever asks the machine for time or for the network is found out.
        let runtime = Builder::new_current_thread().on_thread_park(move || timeline.go_on()).build();
        let mut future = Box::pin(future);
        let root = std::future::poll_fn(|context| {
            self.moments().root = Some(context.waker().clone());
            future.as_mut().poll(context)
        });
        runtime.expect("a runtime").block_on(root)
    }

    /// Nobody can go on: the next moment comes.
    fn go_on(&self) {
        let mut moments = self.moments();
        let next = moments.waits.pop_first();
        let root = moments.root.clone();
        if let Some(((due, _), bell)) = next {
            moments.now = due.max(moments.now);
            drop(moments);
            bell.ring();
        } else {
            drop(moments);
            panic!("everybody waits, and for nothing that this timeline knows of");
        }
        root.iter().for_each(Waker::wake_by_ref);
    }

    fn moments(&self) -> MutexGuard<'_, Moments> {
        self.moments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The moment so much after another.
pub fn later(moment: Timestamp, span: Duration) -> Timestamp {
    let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(moment.micros().saturating_add(span))
}

impl Bell {
    fn ring(&self) {
        let mut rung = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rung.rung = true;
        let waker = rung.waker.take();
        drop(rung);
        waker.into_iter().for_each(Waker::wake);
    }
}

/// Ends when its bell rings.
struct Listening(Arc<Bell>);

impl Future for Listening {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut rung = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rung.rung {
            return Poll::Ready(());
        }
        rung.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
