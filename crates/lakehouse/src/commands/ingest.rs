//! `lakehouse ingest`: a file becomes a version, with a progress bar on a terminal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::ingest::{Phase, Progress};
use client::{Body, Ingested, Load, Source};
use futures::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use super::watch::{open, watched};
use crate::cli::{Evolve, From, Ingest, Mode, OnError};
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::exit::Usage;
use crate::output::{Output, grouped};

/// How much of the file is read at a time.
const PIECE: usize = 256 << 10;

pub async fn run(ingest: &Ingest, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let ingested = match (&ingest.file, source(&ingest.from)) {
        (Some(path), _) => {
            let (file, size) = open(path).await?;
            let door = Door::open(&ingest.target, sources, Purpose::MakesLake).await?;
            let outcome = load(&door, &request(ingest), file, size).await;
            door.close().await;
            outcome?
        }
        (None, Some(source)) => {
            let door = Door::open(&ingest.target, sources, Purpose::MakesLake).await?;
            let outcome = found(&door, &request(ingest), &source).await;
            door.close().await;
            outcome?
        }
        (None, None) => return Err(Usage("name a file, or what to load it from".to_owned()).into()),
    };
    output.told(&ingested, || tell(&ingested, output))
}

/// What the service is to find itself, if anything.
fn source(from: &From) -> Option<Source> {
    if let Some(path) = from.from_path.clone() {
        return Some(Source::Path { path });
    }
    if let Some(object) = from.from_object.clone() {
        return Some(Source::Object { object });
    }
    match from.from_postgres.as_deref()? {
        [postgres, query] => Some(Source::Postgres { postgres: postgres.clone(), query: query.clone() }),
        _ => None,
    }
}

fn request(ingest: &Ingest) -> Load {
    let mode = match ingest.mode {
        Mode::Replace => "replace",
        Mode::Append => "append",
    };
    let on_error = match ingest.on_error {
        OnError::Fail => "fail",
        OnError::Skip => "skip",
    };
    let evolve = match ingest.evolve {
        Evolve::None => "none",
        Evolve::Add => "add",
    };
    Load {
        name: ingest.name.clone(),
        mode: Some(mode.to_owned()),
        on_error: Some(on_error.to_owned()),
        format: ingest.format.clone(),
        evolve: Some(evolve.to_owned()),
        encoding: ingest.encoding.clone(),
        delimiter: ingest.delimiter.clone(),
        seal: ingest.seal.clone(),
        idempotency_key: ingest.idempotency_key.clone(),
    }
}

/// Has the service load what it finds itself, drawing how far the work is when it is done in this process.
async fn found(door: &Door, load: &Load, source: &Source) -> anyhow::Result<Ingested> {
    let work = door.client.ingest_from(load, source);
    if !std::io::stderr().is_terminal() {
        return Ok(work.await?);
    }
    let bar = bar(None)?;
    let outcome = watched(work, || {
        let read = door.progress.as_ref().map_or(0, Progress::bytes_received);
        draw(&bar, door.progress.as_ref(), read);
    })
    .await;
    bar.finish_and_clear();
    Ok(outcome?)
}

/// Sends the file, drawing how far the work is.
async fn load(
    door: &Door,
    load: &Load,
    file: Box<dyn AsyncRead + Send + Unpin>,
    size: Option<u64>,
) -> anyhow::Result<Ingested> {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = sent.clone();
    let pieces = ReaderStream::with_capacity(file, PIECE).inspect_ok(move |piece| {
        counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
    });
    let work = door.client.ingest(load, Body::stream(pieces), size);
    if !std::io::stderr().is_terminal() {
        return Ok(work.await?);
    }
    let bar = bar(size)?;
    let outcome = watched(work, || draw(&bar, door.progress.as_ref(), sent.load(Ordering::Relaxed))).await;
    bar.finish_and_clear();
    Ok(outcome?)
}

fn bar(size: Option<u64>) -> anyhow::Result<ProgressBar> {
    let template = match size {
        Some(_) => "{bar:30} {bytes}/{total_bytes}  {msg}  {eta} left",
        None => "{spinner} {bytes}  {msg}",
    };
    let bar = size.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.set_style(ProgressStyle::with_template(template)?);
    Ok(bar)
}

/// In this process the bar follows the rows; behind a gateway only the upload can be seen.
fn draw(bar: &ProgressBar, progress: Option<&Progress>, sent: u64) {
    let Some(progress) = progress else {
        bar.set_position(sent);
        return bar.set_message(if bar.length() == Some(sent) { "sent, being read" } else { "sending" });
    };
    let read = progress.bytes_read();
    bar.set_position(read);
    match progress.phase() {
        Phase::Receiving => bar.set_message("looking at the file"),
        Phase::Reading => bar.set_message(format!("{} rows/s", grouped(per_second(progress.rows(), bar.elapsed())))),
        Phase::Publishing | Phase::Done => bar.set_message("publishing"),
    }
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1000) / millis
}

/// What the load did, in a sentence or two.
pub fn tell(ingested: &Ingested, output: Output) -> anyhow::Result<()> {
    let name = output.bold(&ingested.name);
    let told = if ingested.existing {
        format!(
            "{name} already holds exactly this: version {}, {} rows",
            ingested.version,
            grouped(ingested.total_rows)
        )
    } else {
        let rows = grouped(ingested.row_count);
        let total = grouped(ingested.total_rows);
        format!(
            "{name} is now version {}: {rows} rows read, {total} in all, {} ms",
            ingested.version, ingested.elapsed_ms
        )
    };
    output.line(told)?;
    if ingested.rejected > 0 {
        output.line(format!("{} rows were refused and left out:", grouped(ingested.rejected)))?;
        for row in &ingested.rejected_rows {
            let column = row.column.as_ref().map(|column| format!(", column {column}")).unwrap_or_default();
            output.line(format!("  line {}{column}: {}", row.line, row.reason))?;
        }
    }
    if let Some(object) = &ingested.rejected_object {
        output.line(format!("the refused lines are kept as {object}"))?;
    }
    Ok(())
}
