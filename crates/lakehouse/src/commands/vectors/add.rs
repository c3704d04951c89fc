//! `lakehouse vectors add`: a file goes in batch by batch, each durable before the next.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use client::{Added, TextBatch, TextItem, VectorBatch, VectorItem};
use futures::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::io::{ReaderStream, StreamReader};

use super::items::{Content, Item, Items};
use crate::cli::Overflow;
use crate::commands::watch::{fetching, open};
use crate::door::Door;
use crate::exit::Usage;
use crate::output::grouped;

/// How much of the file is read at a time.
const PIECE: usize = 64 << 10;
/// Texts of one request: enough for the model's batches, few enough for the bar to move.
const TEXTS: usize = 128;
/// Vectors of one request.
const VECTORS: usize = 500;

/// How texts are taken.
#[derive(Debug, Clone, Copy)]
pub struct Texts {
    /// What happens to one that is longer than the model reads.
    pub overflow: Overflow,
    /// Whether they are kept beside their vectors.
    pub kept: bool,
}

/// Adds the items of a file; the counts are those of all batches together.
pub async fn file(door: &Door, index: &str, path: &Path, texts: Texts) -> anyhow::Result<Added> {
    let (file, size) = open(path).await?;
    let read = Arc::new(AtomicU64::new(0));
    let counter = read.clone();
    let pieces = ReaderStream::with_capacity(file, PIECE).inspect_ok(move |piece| {
        counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
    });
    let mut items = Items::of(path, StreamReader::new(pieces)).await?;
    let bar = bar(size)?;
    let mut total: Option<Added> = None;
    while let Some(batch) = batch(&mut items).await? {
        let lines = format!("lines {} to {}", batch.first, batch.last);
        let left_out = || match &total {
            Some(before) => format!("{lines} are refused; {} items before them are in", before.added + before.updated),
            None => format!("{lines} are refused; nothing was added"),
        };
        let added = fetching(door.fetching(), send(door, index, batch, texts)).await?.with_context(left_out)?;
        total = Some(sum(total, added));
        bar.set_position(read.load(Ordering::Relaxed));
    }
    bar.finish_and_clear();
    total.ok_or_else(|| Usage(format!("{} holds no items", path.display())).into())
}

/// What was added, in a sentence.
pub fn told(index: &str, added: &Added) -> String {
    let (new, replaced) = (grouped(added.added), grouped(added.updated));
    format!("{index}: {new} new, {replaced} replaced, {} in all", grouped(added.length))
}

/// Items that go together, all of one kind.
struct Batch {
    items: Vec<Item>,
    first: u64,
    last: u64,
}

/// The next batch; none at the end of the file.
async fn batch<R: tokio::io::AsyncRead + Unpin>(items: &mut Items<R>) -> anyhow::Result<Option<Batch>> {
    let Some(first) = items.next().await? else { return Ok(None) };
    let most = if matches!(first.content, Content::Text(_)) { TEXTS } else { VECTORS };
    let kind = std::mem::discriminant(&first.content);
    let mut batch = Batch { first: first.line, last: first.line, items: vec![first] };
    while batch.items.len() < most {
        match items.next().await? {
            Some(item) if std::mem::discriminant(&item.content) == kind => {
                batch.last = item.line;
                batch.items.push(item);
            }
            Some(other) => {
                items.put_back(other);
                break;
            }
            None => break,
        }
    }
    Ok(Some(batch))
}

async fn send(door: &Door, index: &str, batch: Batch, texts: Texts) -> client::Result<Added> {
    let Texts { overflow, kept } = texts;
    let (mut texts, mut vectors) = (Vec::new(), Vec::new());
    for Item { id, content, metadata, .. } in batch.items {
        match content {
            Content::Text(text) => texts.push(TextItem { id, text, metadata: Some(metadata) }),
            Content::Vector(vector) => vectors.push(VectorItem { id, vector, metadata: Some(metadata) }),
        }
    }
    if vectors.is_empty() {
        let batch = TextBatch { items: texts, overflow: Some(overflow.name().to_owned()), keep_text: Some(kept) };
        return door.client.add_texts(index, &batch).await;
    }
    door.client.add_vectors(index, &VectorBatch { items: vectors, fingerprint: None }).await
}

fn sum(before: Option<Added>, added: Added) -> Added {
    let Some(before) = before else { return added };
    Added { added: before.added + added.added, updated: before.updated + added.updated, ..added }
}

fn bar(size: Option<u64>) -> anyhow::Result<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let bar = size.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.set_style(ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {eta} left")?);
    Ok(bar)
}
