//! Files read and work waited for, with something to look at meanwhile.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use models::{Phase, Progress};
use tokio::io::AsyncRead;

/// How often a bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// A file's bytes as they are read.
pub type Reading = Box<dyn AsyncRead + Send + Unpin>;

/// The file's bytes and their number; `-` is standard input, whose number nobody knows.
pub async fn open(path: &Path) -> anyhow::Result<(Reading, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(tokio::io::stdin()), None));
    }
    let named = || format!("cannot read {}", path.display());
    let file = tokio::fs::File::open(path).await.with_context(named)?;
    let found = file.metadata().await.with_context(named)?;
    anyhow::ensure!(!found.is_dir(), "{}: it is a directory", named());
    Ok((Box::new(file), Some(found.len())))
}

/// Waits for the work and draws in between.
pub async fn watched<T>(work: impl Future<Output = T>, mut draw: impl FnMut()) -> T {
    let mut work = std::pin::pin!(work);
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            _ = ticks.tick() => draw(),
        }
    }
}

/// Waits for work that may need the model; while this process fetches or loads it, that is drawn on a terminal.
pub async fn fetching<T>(progress: Option<Progress>, work: impl Future<Output = T>) -> anyhow::Result<T> {
    let Some(progress) = progress.filter(|_| std::io::stderr().is_terminal()) else {
        return Ok(work.await);
    };
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {msg}")?);
    let outcome = watched(work, || draw(&bar, &progress)).await;
    bar.finish_and_clear();
    Ok(outcome)
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    let told = match progress.phase() {
        Phase::Idle | Phase::Ready | Phase::Failed => return,
        Phase::Hub => "the model, from its hub, this once",
        Phase::Package => "the model, as a Python package, this once",
        Phase::Loading => "loading the model",
    };
    bar.set_length(progress.total());
    bar.set_position(progress.bytes());
    bar.set_message(told);
}
