//! The one place that spawns: every task has a name, and a panic in it is logged under that name.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use futures::FutureExt;
use tokio::task::{JoinError, JoinHandle};
use tracing::Instrument;

#[cfg(test)]
mod tests;

/// Runs `future` beside the caller, on the runtime of the caller.
#[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let watched = async move {
        match AssertUnwindSafe(future).catch_unwind().await {
            Ok(output) => output,
            Err(panic) => report(name, panic),
        }
    };
    tokio::spawn(watched.in_current_span())
}

/// Runs `work`, which may block, on the runtime's threads for such work.
#[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
pub fn spawn_blocking<T, W>(name: &'static str, work: W) -> JoinHandle<T>
where
    T: Send + 'static,
    W: FnOnce() -> T + Send + 'static,
{
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || {
        let _entered = span.entered();
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| report(name, panic))
    })
}

/// Runs `work`, which may block, and waits for it. Fails only when it panicked or the runtime is shutting down.
pub async fn blocking<T, W>(name: &'static str, work: W) -> Result<T, JoinError>
where
    T: Send + 'static,
    W: FnOnce() -> T + Send + 'static,
{
    spawn_blocking(name, work).await
}

fn report(name: &'static str, panic: Box<dyn Any + Send>) -> ! {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(task = name, panic = text, "a task panicked");
    resume_unwind(panic)
}
