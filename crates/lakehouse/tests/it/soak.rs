//! Kills, races, slow clients and long loads, in a short seeded form. `cargo xtask soak` runs them at full length.

mod api;
mod kill;
mod ledger;
mod line;
mod lot;
mod million;
mod race;
mod sessions;
mod slow;
mod vectors;

use std::io::Write;

/// A number from the environment: how long a programme runs, or its seed.
#[expect(clippy::disallowed_methods, reason = "the soak runner says how long through the environment")]
fn number(variable: &str, default: u64) -> anyhow::Result<u64> {
    std::env::var(variable).map_or(Ok(default), |text| Ok(text.parse()?))
}

/// One line of figures.
pub fn figure(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}

/// SIGKILL at random moments under a mixed load: no acknowledged write is lost, nothing is half visible.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill() -> anyhow::Result<()> {
    let kills = number("LAKEHOUSE_SOAK_KILLS", 8)?;
    let seed = number("LAKEHOUSE_SOAK_SEED", 7)?;
    kill::run(kills, seed).await
}

/// SIGKILL at random moments while items are added, replaced and deleted: no acknowledged change of an index is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vectors() -> anyhow::Result<()> {
    let kills = number("LAKEHOUSE_SOAK_KILLS", 6)?;
    let seed = number("LAKEHOUSE_SOAK_SEED", 7)?;
    vectors::run(kills, seed).await
}

/// SIGKILL at random moments during sessions: every answered one is recorded, exactly once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions() -> anyhow::Result<()> {
    let kills = number("LAKEHOUSE_SOAK_KILLS", 5)?;
    let seed = number("LAKEHOUSE_SOAK_SEED", 7)?;
    sessions::run(kills, seed).await
}

/// Requests made out of the description of the API: every answer is as described.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api() -> anyhow::Result<()> {
    let examples = number("LAKEHOUSE_SOAK_EXAMPLES", 5)?;
    let seed = number("LAKEHOUSE_SOAK_SEED", 7)?;
    api::run(examples, seed).await
}

/// Clients of two processes race for the same names: no duplicate, no false conflict.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn race() -> anyhow::Result<()> {
    let calls = number("LAKEHOUSE_SOAK_CALLS", 600)?;
    let seed = number("LAKEHOUSE_SOAK_SEED", 7)?;
    race::run(calls, seed).await
}

/// Clients that are slow on purpose take nothing from the others, and are cut off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow() -> anyhow::Result<()> {
    let crowd = number("LAKEHOUSE_SOAK_CROWD", 90)?;
    slow::run(crowd).await
}

/// Cached embeds and searches one after another: every answer right, and the server's memory flat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn million() -> anyhow::Result<()> {
    let requests = number("LAKEHOUSE_SOAK_REQUESTS", 2_000)?;
    let seed = number("LAKEHOUSE_SOAK_SEED", 7)?;
    million::run(requests, seed).await
}
