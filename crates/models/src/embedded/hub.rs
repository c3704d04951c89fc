//! The model's files from the model hub, over HTTP.

use std::time::Duration;

use futures::StreamExt;
use reqwest::{Client, Response};
use sha2::{Digest, Sha256};
use storage::CacheDir;
use tokio::time::timeout;

use crate::embedded::files::Closed;
use crate::embedded::kit::{Kit, Pinned};
use crate::progress::Progress;

/// So long the hub may say nothing, at the beginning and in between, before another way is taken.
const SILENCE: Duration = Duration::from_secs(4);
/// What is said of every failure of the network.
const UNREACHABLE: &str = "the model hub cannot be reached";
/// What is said when other bytes come than those that are pinned.
const ANOTHER: &str = "the model hub has another file in its place";
/// What is said when the cache refuses.
const UNKEPT: &str = "models.cache_dir cannot be written";

/// Fetches all files from under `url` into the cache.
pub(crate) async fn fetch(url: &str, kit: &'static Kit, cache: &CacheDir, progress: &Progress) -> Result<(), Closed> {
    let client = Client::builder().connect_timeout(SILENCE).build();
    let client = client.map_err(|error| Closed::by(UNREACHABLE, error))?;
    for file in kit.files() {
        let answer = ask(&client, &format!("{}/{}", url.trim_end_matches('/'), file.name)).await?;
        keep(file, answer, cache, progress).await?;
    }
    tracing::info!("the embedded model came from the model hub");
    Ok(())
}

async fn ask(client: &Client, url: &str) -> Result<Response, Closed> {
    let answer = timeout(SILENCE, client.get(url).send()).await.map_err(|error| Closed::by(UNREACHABLE, error))?;
    let answer = answer.map_err(|error| Closed::by(UNREACHABLE, error))?;
    answer.error_for_status().map_err(|error| Closed::by("the model hub does not have the model", error))
}

/// Checks the bytes while they arrive; nothing is kept unless all are right.
async fn keep(file: &Pinned, answer: Response, cache: &CacheDir, progress: &Progress) -> Result<(), Closed> {
    let mut writer = file.writer(cache).await.map_err(|error| Closed::by(UNKEPT, error))?;
    let (mut digest, mut size) = (Sha256::new(), 0);
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = timeout(SILENCE, pieces.next()).await.map_err(|error| Closed::by(UNREACHABLE, error))? {
        let piece = piece.map_err(|error| Closed::by(UNREACHABLE, error))?;
        size += piece.len() as u64;
        if size > file.size {
            return Err(Closed::because(ANOTHER));
        }
        digest.update(&piece);
        writer.append(&piece).await.map_err(|error| Closed::by(UNKEPT, error))?;
        progress.arrived(piece.len() as u64);
    }
    if hex::encode(digest.finalize()) != file.sha256 {
        return Err(Closed::because(ANOTHER));
    }
    writer.finish().await.map(drop).map_err(|error| Closed::by(UNKEPT, error))
}
