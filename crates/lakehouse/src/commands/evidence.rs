//! `lakehouse evidence`: the lines of streams.

use std::time::Duration;

use client::{Client, StreamLines};
use evidence::Line;
use serde_json::json;

use super::validate::artifact_text;
use crate::cli::{Evidence, EvidenceVerb, Form, Import, Tail};
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::exit::Usage;
use crate::output::{Output, Sheet};

/// How often a stream that is followed is asked for more.
const GLANCE: Duration = Duration::from_millis(500);
/// Lines are sent until they are about this many bytes together.
const BATCH: usize = 1 << 20;

pub async fn run(evidence: &Evidence, sources: &Sources, output: Output) -> anyhow::Result<()> {
    match &evidence.verb {
        EvidenceVerb::Tail(asked) => tail(asked, evidence, sources, output).await,
        EvidenceVerb::Import(import) => {
            let text = artifact_text(import.file.as_deref()).await?;
            let door = Door::open(&evidence.target, sources, Purpose::MakesLake).await?;
            let outcome = append(import, &text, &door.client, output).await;
            door.close().await;
            outcome
        }
    }
}

/// Appends lines, a batch after the other, each durable as a whole.
async fn append(import: &Import, text: &str, client: &Client, output: Output) -> anyhow::Result<()> {
    let (mut batch, mut size, mut lines, mut skipped) = (Vec::new(), 0, 0, 0);
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        if let Some(flaw) = flaw(line) {
            let file = import.file.as_ref().map_or("standard input".into(), |file| file.display().to_string());
            output.remark(format!("{file}: line {number} {flaw}, and is skipped"));
            skipped += 1;
            continue;
        }
        if size + line.len() > BATCH && !batch.is_empty() {
            lines += client.append_evidence(&import.stream, &std::mem::take(&mut batch)).await?.lines;
            size = 0;
        }
        size += line.len();
        batch.push(line);
    }
    if !batch.is_empty() {
        lines += client.append_evidence(&import.stream, &batch).await?.lines;
    }
    let told = json!({ "stream": import.stream, "lines": lines, "skipped": skipped });
    output.told(&told, || Ok(output.line(format!("{}: {lines} lines appended, {skipped} skipped", import.stream))?))
}

/// Why a line is skipped. What else may be wrong with it the stream says.
fn flaw(line: &str) -> Option<String> {
    match Line::read(line) {
        Err(evidence::Error::Line { .. }) => Some("is no JSON object".to_owned()),
        Err(evidence::Error::Unreadable { why, .. }) => Some(format!("holds {why}")),
        Err(evidence::Error::Twice { member, .. }) => Some(format!("has the member {member:?} twice")),
        _ => None,
    }
}

async fn tail(tail: &Tail, evidence: &Evidence, sources: &Sources, output: Output) -> anyhow::Result<()> {
    if tail.follow && output.form().is_some() && !output.json {
        return Err(Usage("a stream that is followed is printed as lines of JSON, in no other form".to_owned()).into());
    }
    let door = Door::open(&evidence.target, sources, Purpose::Existing).await?;
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
    read.lines.iter().try_for_each(|line| output.json_line(line))
}
