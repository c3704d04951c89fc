//! A process: it can be killed, and it can be suspended and wake up late without having noticed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::{Clock, Seams, Timestamp, Wait};
use testkit::SeededDice;

use crate::timeline::{Timeline, later};

/// One life of a process.
#[derive(Debug)]
pub struct Process {
    timeline: Arc<Timeline>,
    dead: AtomicBool,
    asleep_until: Mutex<Timestamp>,
}

impl Process {
    /// A process that runs.
    pub fn start(timeline: &Arc<Timeline>) -> Arc<Self> {
        let asleep_until = Mutex::new(timeline.now());
        Arc::new(Self { timeline: Arc::clone(timeline), dead: AtomicBool::new(false), asleep_until })
    }

    /// Ends it: whatever it was doing goes no further.
    pub fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    /// Suspends it for `span`.
    pub fn suspend(&self, span: Duration) {
        *self.asleep_until.lock().unwrap_or_else(PoisonError::into_inner) = later(self.timeline.now(), span);
    }

    /// Comes back when the process may go on: at once, when it wakes, or never.
    pub async fn awake(&self) {
        loop {
            if self.dead.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            let until = *self.asleep_until.lock().unwrap_or_else(PoisonError::into_inner);
            let left = until.micros() - self.timeline.now().micros();
            match u64::try_from(left) {
                Ok(left) if left > 0 => self.timeline.wait(Duration::from_micros(left)).await,
                _ => return,
            }
        }
    }

    /// What this process takes for the time, and its dice.
    pub fn seams(self: &Arc<Self>, skew: i64, seed: u64) -> Seams {
        let clock = SkewedClock { process: Arc::clone(self), skew };
        Seams::new(Arc::new(clock), Arc::new(SeededDice::new(seed)))
    }
}

/// The clock of one machine, which is wrong by so many microseconds.
struct SkewedClock {
    process: Arc<Process>,
    skew: i64,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.process.timeline.now().micros() + self.skew)
    }

    fn wait(&self, span: Duration) -> Wait {
        let (wait, process) = (self.process.timeline.wait(span), Arc::clone(&self.process));
        Box::pin(async move {
            wait.await;
            process.awake().await;
        })
    }
}
