//! `lakehouse smoke`: this very binary proves itself on stacks of its own.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use serde_json::json;
use smokes::stack::Ground;
use smokes::{Proof, proofs};

use crate::cli::Smoke;
use crate::config::{Sources, settle};
use crate::exit::Usage;
use crate::output::Output;

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
        bail!(Usage("only d2, d5, g1, g1p, time_travel and iceberg run on S3".to_owned()));
    }
    let mut failed = 0;
    for proof in chosen {
        failed += usize::from(!tell(proof, ground.clone(), output).await?);
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(names: &[String]) -> Result<Vec<&'static Proof>, Usage> {
    if names == ["all"] {
        return Ok(proofs().iter().collect());
    }
    let find = |name: &String| proofs().iter().find(|proof| proof.name == name);
    let named = |name| find(name).ok_or_else(|| Usage(format!("there is no smoke {name}: `lakehouse smoke list`")));
    names.iter().map(named).collect()
}

/// Runs one smoke and says how it went; whether it held.
async fn tell(proof: &Proof, ground: Ground, output: Output) -> anyhow::Result<bool> {
    let begun = Instant::now();
    let outcome = proof.run(ground).await.with_context(|| format!("{} failed", proof.name));
    let seconds = begun.elapsed().as_secs_f64();
    if output.json {
        let failure = outcome.as_ref().err().map(|error| format!("{error:#}"));
        output
            .document(&json!({ "smoke": proof.name, "ok": outcome.is_ok(), "seconds": seconds, "failure": failure }))?;
    } else {
        let verdict = if outcome.is_ok() { "ok    " } else { "FAILED" };
        output.line(format!("{:5}  {verdict}  {seconds:4.1} s  {}", proof.name, proof.proves))?;
        if let Err(error) = &outcome {
            output.line(format!("    {error:#}"))?;
        }
    }
    Ok(outcome.is_ok())
}

fn list(output: Output) -> anyhow::Result<ExitCode> {
    for proof in proofs() {
        if output.json {
            output.document(&json!({ "smoke": proof.name, "proves": proof.proves, "on_s3": proof.on_s3 }))?;
        } else {
            output.line(format!("{:5}  {}", proof.name, proof.proves))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
