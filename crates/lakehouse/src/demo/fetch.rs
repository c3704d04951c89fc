//! What is fetched by the checkout's scripts when they are at hand. Without it the demo has less to show.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::Command;

/// The full wage table.
pub const WAGES: &str = "scripts/parts/wages.py";
/// What occupations do and what skills are.
pub const TEXTS: &str = "scripts/parts/texts.py";

/// How long the fetching may take by itself, in seconds, and how long it is waited for at most.
const PATIENCE: &str = "20";
const DEADLINE: Duration = Duration::from_secs(40);

/// Lets a script write its CSV into `directory` and says where it is; an error says why it cannot be had.
pub async fn csv(script: &str, directory: &Path) -> anyhow::Result<PathBuf> {
    if !Path::new(script).exists() {
        bail!("{script} is not here: run the demo in a checkout");
    }
    let table = directory.join("fetched.csv");
    let mut fetching = Command::new("python3");
    fetching.arg(script).arg(&table).args(["--timeout", PATIENCE]);
    fetching.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let outcome = tokio::time::timeout(DEADLINE, fetching.output()).await.context("it took too long")?;
    let outcome = outcome.context("python3 cannot be started")?;
    if !outcome.status.success() {
        let said = String::from_utf8_lossy(&outcome.stderr);
        bail!("{}", said.lines().last().unwrap_or("the script failed").trim());
    }
    Ok(table)
}
