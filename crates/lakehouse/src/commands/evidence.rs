//! `lakehouse evidence`: the lines of streams.

use std::time::Duration;

use client::{Client, StreamLines};
use serde_json::json;

use crate::cli::{Evidence, EvidenceVerb, Form, Tail};
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::exit::Usage;
use crate::output::{Output, Sheet};

/// How often a stream that is followed is asked for more.
const GLANCE: Duration = Duration::from_millis(500);

pub async fn run(evidence: &Evidence, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let EvidenceVerb::Tail(tail) = &evidence.verb;
    if tail.follow && output.form().is_some() && !output.json {
        return Err(Usage("a stream that is followed is printed as lines of JSON, in no other form".to_owned()).into());
    }
    let door = Door::open(&evidence.target, sources, Purpose::Read).await?;
    let outcome = show(tail, &door.client, output).await;
    door.close().await;
    outcome
}

/// The last lines, as they were appended; then those that come, for as long as somebody looks.
async fn show(tail: &Tail, client: &Client, output: Output) -> anyhow::Result<()> {
    let mut read = client.evidence(&tail.stream, tail.lines).await?;
    if read.lines.is_empty() && !output.json {
        output.remark(format!("nothing has been appended to {} yet", tail.stream));
    }
    match output.form() {
        None | Some(Form::Json) => print(&read, output)?,
        Some(_) => output.sheet(&Sheet::of(&json!(read.lines)))?,
    }
    if !tail.follow {
        return Ok(());
    }
    loop {
        tokio::time::sleep(GLANCE).await;
        read = client.evidence_after(&tail.stream, read.fragment).await?;
        print(&read, output)?;
    }
}

/// A line each, whoever reads.
fn print(read: &StreamLines, output: Output) -> anyhow::Result<()> {
    read.lines.iter().try_for_each(|line| Ok(output.line(serde_json::to_string(line)?)?))
}
