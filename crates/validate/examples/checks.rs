//! How many fills one processor judges in a second, and how large a roster of half a million is.
//!
//! `cargo run --release -p validate --example checks`

use std::io::Write;
use std::time::Instant;

use serde_json::json;
use validate::{Artifact, Kind, Roster, RosterBuilder, Row, judge};

const WORKERS: usize = 500_000;
const CHECKS: usize = 1_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout();
    let begun = Instant::now();
    let roster = roster()?;
    let (seconds, megabytes) = (begun.elapsed().as_secs_f64(), roster.bytes() as f64 / 1e6);
    writeln!(out, "roster: {} workers in {seconds:.2} s, {megabytes:.1} MB", roster.len())?;
    let artifacts: Vec<Artifact> = (0..1_000).map(|number| fill(number * 499)).collect();
    let begun = Instant::now();
    let passed = (0..CHECKS).filter(|at| judge(&artifacts[at % artifacts.len()], &roster).is_ok()).count();
    let rate = CHECKS as f64 / begun.elapsed().as_secs_f64();
    writeln!(out, "checks: {rate:.0} fills a second on one thread, {passed} of {CHECKS} passed")?;
    Ok(())
}

fn roster() -> Result<Roster, validate::roster::Overfull> {
    let mut builder = RosterBuilder::new(true);
    for number in 0..WORKERS {
        let (id, name) = (format!("W-{number}"), format!("Worker Number {number}"));
        builder.push(&Row {
            id: &id,
            name: Some(&name),
            role: Some(["Welder", "Baker", "Forklift Operator", "Packer"][number % 4]),
            city: Some(["Toledo", "Lima", "Akron", "Dayton", "Mansfield"][number % 5]),
            state: Some("OH"),
            status: Some("active"),
            active: Some(true),
            blacklist: Some(if number % 10 == 0 { "C-1;C-2" } else { "" }),
        })?;
    }
    Ok(builder.finish())
}

/// A fill of two workers, both in the contract's city.
fn fill(number: usize) -> Artifact {
    let first = number - number % 5;
    let fills: Vec<_> = [first, first + 5]
        .map(|id| json!({ "candidate_id": format!("w-{id}"), "name": format!("Worker Number {id}") }))
        .into();
    let members = json!({ "fills": fills, "_context": { "target_count": 2, "city": "Toledo", "client_id": "C-9" } });
    Artifact::new(Kind::Fill, members.as_object().cloned().unwrap_or_default(), None)
}
