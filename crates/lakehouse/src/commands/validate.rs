//! `lakehouse validate`, `iterate` and `extract-json`: what a model proposes is checked before it counts.

use std::path::Path;
use std::process::ExitCode;

use client::{Iterate as Asked, Iteration, Retrieve, Validate as Check, Validated};
use serde_json::{Map, Value, json};
use tokio::io::AsyncReadExt;

use crate::cli::{Iterate, Validate};
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::exit::Usage;
use crate::output::Output;

/// Checks an artifact; the exit code is 1 when it does not count.
pub async fn validate(validate: &Validate, sources: &Sources, output: Output) -> anyhow::Result<ExitCode> {
    let text = artifact_text(validate.file.as_deref()).await?;
    let artifact: Map<String, Value> =
        serde_json::from_str(&text).map_err(|why| Usage(format!("the artifact is no JSON object: {why}")))?;
    let Validate { kind, context, as_of, .. } = validate;
    let check =
        Check { kind: kind.clone(), artifact, context: context.clone(), as_of: as_of.clone(), ..Check::default() };
    let door = Door::open(&validate.target, sources, Purpose::Existing).await?;
    let outcome = door.client.validate(&check).await;
    door.close().await;
    match outcome? {
        Validated::Passed(report) => {
            output.told(&report, || output.document(&report))?;
            Ok(ExitCode::SUCCESS)
        }
        Validated::Failed(error) => {
            output.told(&error, || output.document(&error))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Lets a model propose; the exit code is 1 when no proposal counts.
pub async fn iterate(iterate: &Iterate, sources: &Sources, output: Output) -> anyhow::Result<ExitCode> {
    let retrieves = iterate.retrieve || iterate.index.is_some() || iterate.condition.is_some();
    let (index, condition) = (iterate.index.clone(), iterate.condition.clone());
    let asked = Asked {
        kind: iterate.kind.clone(),
        prompt: iterate.prompt.clone(),
        model: iterate.model.clone(),
        system: iterate.system.clone(),
        context: iterate.context.clone(),
        max_iterations: iterate.max_iterations,
        retrieve: retrieves.then(|| Retrieve { index, condition, ..Retrieve::default() }),
        as_of: iterate.as_of.clone(),
        ..Asked::default()
    };
    let door = Door::open(&iterate.target, sources, Purpose::MakesLake).await?;
    let outcome = door.client.iterate(&asked).await;
    door.close().await;
    match outcome? {
        Iteration::Accepted(session) => {
            output.told(&session, || output.document(&session))?;
            Ok(ExitCode::SUCCESS)
        }
        Iteration::Failed(session) => {
            output.told(&session, || output.document(&session))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The first JSON object in standard input, as `{"matched": …, "value": …}`.
pub async fn extract_json(output: Output) -> anyhow::Result<()> {
    let found = ::validate::extract_json(&input().await?);
    let told = json!({ "matched": found.is_some(), "value": found });
    output.told(&told, || output.document(&told))
}

/// What stands in a file, or in standard input.
pub async fn artifact_text(file: Option<&Path>) -> anyhow::Result<String> {
    match file {
        Some(file) => Ok(tokio::fs::read_to_string(file).await?),
        None => input().await,
    }
}

async fn input() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    tokio::io::stdin().read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
