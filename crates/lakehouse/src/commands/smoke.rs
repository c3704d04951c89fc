//! `lakehouse smoke`: this very binary proves itself on stacks of its own.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::{Value, json};
use smokes::stack::Ground;
use smokes::{Proof, proofs};

use crate::cli::Smoke;
use crate::config::{Sources, settle};
use crate::exit::Usage;
use crate::output::{Output, Sheet};

/// How a smoke went.
#[derive(Serialize)]
struct Outcome {
    smoke: &'static str,
    ok: bool,
    seconds: f64,
    failure: Option<String>,
}

/// Runs the smokes that were named.
pub async fn run(smoke: &Smoke, sources: &Sources, output: Output) -> anyhow::Result<ExitCode> {
    if smoke.names == ["list"] {
        return list(output);
    }
    let chosen = chosen(&smoke.names)?;
    let binary = std::env::current_exe()?;
    let ground = match &smoke.s3 {
        Some(prefix) => Ground::s3(binary, prefix.clone(), settle(sources)?.config.s3),
        None => Ground::directory(binary),
    };
    if smoke.s3.is_some() && chosen.iter().any(|proof| !proof.on_s3) {
        let on_s3 = proofs().iter().filter(|proof| proof.on_s3).map(|proof| proof.name);
        bail!(Usage(format!("on S3 run only {}", on_s3.collect::<Vec<_>>().join(", "))));
    }
    let mut all = Vec::new();
    for proof in chosen {
        let outcome = prove(proof, ground.clone()).await;
        if output.form().is_none() {
            tell(proof, &outcome, output)?;
        }
        all.push(outcome);
    }
    if output.form().is_some() {
        output.rows(&all, || Sheet::of(&json!(all)))?;
    }
    Ok(if all.iter().all(|outcome| outcome.ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(names: &[String]) -> Result<Vec<&'static Proof>, Usage> {
    if names == ["all"] {
        return Ok(proofs().iter().collect());
    }
    let find = |name: &String| proofs().iter().find(|proof| proof.name == name);
    let named = |name| find(name).ok_or_else(|| Usage(format!("there is no smoke {name}: `lakehouse smoke list`")));
    names.iter().map(named).collect()
}

/// Runs one smoke.
async fn prove(proof: &Proof, ground: Ground) -> Outcome {
    let begun = Instant::now();
    let failure = proof.run(ground).await.with_context(|| format!("{} failed", proof.name)).err();
    let seconds = begun.elapsed().as_secs_f64();
    let failure = failure.map(|error| format!("{error:#}"));
    Outcome { smoke: proof.name, ok: failure.is_none(), seconds, failure }
}

/// A line as soon as it is known, for people who wait.
fn tell(proof: &Proof, outcome: &Outcome, output: Output) -> anyhow::Result<()> {
    let verdict = if outcome.ok { "ok    " } else { "FAILED" };
    output.line(format!("{:5}  {verdict}  {:4.1} s  {}", proof.name, outcome.seconds, proof.proves))?;
    Ok(outcome.failure.iter().try_for_each(|failure| output.line(format!("    {failure}")))?)
}

fn list(output: Output) -> anyhow::Result<ExitCode> {
    let told = |proof: &Proof| json!({ "smoke": proof.name, "proves": proof.proves, "on_s3": proof.on_s3 });
    let all: Vec<Value> = proofs().iter().map(told).collect();
    output.told(&all, || {
        let line = |proof: &Proof| output.line(format!("{:5}  {}", proof.name, proof.proves));
        Ok(proofs().iter().try_for_each(line)?)
    })?;
    Ok(ExitCode::SUCCESS)
}
