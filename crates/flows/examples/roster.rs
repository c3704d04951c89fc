//! How long the roster of half a million workers takes from the lake, how much memory that needs at most, and how much
//! stays with it.
//!
//! `cargo run --release -p flows --example roster`

#![expect(clippy::disallowed_methods, reason = "the process is asked how much memory it holds")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

use base::Seams;
use bytes::Bytes;
use catalog::Catalog;
use flows::Rosters;
use futures::stream;
use ingest::{Ingest, Progress, Request};
use query::Query;
use testkit::TestLake;

const WORKERS: usize = 500_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (lake, seams) = (TestLake::open().await, Seams::system());
    let catalog = Catalog::open(lake.store.clone(), &catalog::Config::default(), seams.clone()).await?;
    let ingest = Ingest::new(catalog.clone(), &ingest::Config::default(), seams.clone());
    let body = stream::iter([Ok(Bytes::from(workers()?))]);
    ingest.load(Request::new("workers".parse()?), body, &Progress::default()).await?;
    let query = Query::new(catalog, &query::Config::default(), seams)?;
    let rosters = Rosters::new(query, "workers".parse()?);
    // From here on the highest mark is that of the loading.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let (before, begun) = (status("VmRSS:")?, Instant::now());
    let (roster, _) = rosters.at(None).await?;
    let (seconds, held) = (begun.elapsed().as_secs_f64(), roster.bytes() as f64 / 1e6);
    let more = |than: u64| than.saturating_sub(before) as f64 / 1e3;
    let (peak, grown) = (more(status("VmHWM:")?), more(status("VmRSS:")?));
    writeln!(
        std::io::stdout(),
        "roster: {} workers in {seconds:.2} s, {held:.1} MB held, the process grew by {peak:.1} MB at most and {grown:.1} MB at last",
        roster.len()
    )?;
    Ok(())
}

fn workers() -> Result<String, std::fmt::Error> {
    let mut csv = String::from("worker_id,name,role,city,state,status,blacklist\n");
    for number in 0..WORKERS {
        let (role, city) =
            (["Welder", "Baker", "Packer"][number % 3], ["Toledo", "Lima", "Akron", "Dayton"][number % 4]);
        writeln!(csv, "{number},Worker Number {number},{role},{city},OH,active,\"C-{}\"", number % 50)?;
    }
    Ok(csv)
}

/// What the system says of the process's memory, in kilobytes.
fn status(name: &str) -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
