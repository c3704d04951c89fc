//! Smokes: each proves one path on its own isolated stack of this very binary.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use futures::future::LocalBoxFuture;
use serde_json::json;

use crate::cli::Smoke;
use crate::config::{Sources, settle};
use crate::exit::Usage;
use crate::output::Output;

mod chatd;
mod d1;
mod d2;
mod d3;
mod d4;
mod d5;
mod d6;
mod g1;
mod g1p;
mod g2;
mod held;
mod iceberg;
mod points;
mod probe;
mod split;
mod stack;
mod time_travel;
mod validatord;

use probe::Probe;
use stack::Ground;

/// One smoke: its name, what it proves, and the proof.
struct Proof {
    name: &'static str,
    proves: &'static str,
    on_s3: bool,
    run: fn(Ground) -> LocalBoxFuture<'static, anyhow::Result<()>>,
}

const PROOFS: [Proof; 14] = [
    Proof {
        name: "d1",
        proves: "every role is up under its right name, and the gateway reaches each",
        on_s3: false,
        run: |ground| Box::pin(d1::prove(ground)),
    },
    Proof {
        name: "d2",
        proves: "objects go in and out; the size cap and the cap on simultaneous uploads hold",
        on_s3: true,
        run: |ground| Box::pin(d2::prove(ground)),
    },
    Proof {
        name: "d3",
        proves: "register, manifest, list: the same again changes nothing, another schema conflicts, restarts forget nothing",
        on_s3: false,
        run: |ground| Box::pin(d3::prove(ground)),
    },
    Proof {
        name: "d4",
        proves: "a CSV becomes Parquet; the same bytes make no version; drift is refused",
        on_s3: false,
        run: |ground| Box::pin(d4::prove(ground)),
    },
    Proof {
        name: "d5",
        proves: "SQL answers over what was ingested, and only reads",
        on_s3: true,
        run: |ground| Box::pin(d5::prove(ground)),
    },
    Proof {
        name: "d6",
        proves: "the whole way from a file to an answer, through the gateway only",
        on_s3: false,
        run: |ground| Box::pin(d6::prove(ground)),
    },
    Proof {
        name: "g1",
        proves: "vectors go in and each finds itself; a wrong dimension, a missing index and a second creation are refused",
        on_s3: true,
        run: |ground| Box::pin(g1::prove(ground)),
    },
    Proof {
        name: "g1p",
        proves: "vectors, and their deletion, survive kill -9",
        on_s3: true,
        run: |ground| Box::pin(g1p::prove(ground)),
    },
    Proof {
        name: "g2",
        proves: "texts become vectors, and a search finds the text again and what means the same",
        on_s3: false,
        run: |ground| Box::pin(g2::prove(ground)),
    },
    Proof {
        name: "time_travel",
        proves: "every version answers as it did: by number, time and tag, in one query, and after a rollback and a drop",
        on_s3: true,
        run: |ground| Box::pin(time_travel::prove(ground)),
    },
    Proof {
        name: "iceberg",
        proves: "another engine finds our tables, commits beside us, is refused when it is late, and creates and drops its own",
        on_s3: true,
        run: |ground| Box::pin(iceberg::prove(ground)),
    },
    Proof {
        name: "chatd",
        proves: "a model's name finds its provider; what a provider says or refuses comes back as it is; streams end as they should",
        on_s3: false,
        run: |ground| Box::pin(chatd::prove(ground)),
    },
    Proof {
        name: "validatord",
        proves: "playbooks and fills are judged as everywhere: the happy case passes, the five others fail by their names",
        on_s3: false,
        run: |ground| Box::pin(validatord::prove(ground)),
    },
    Proof {
        name: "split",
        proves: "every role in its own process answers byte for byte what one process answers",
        on_s3: false,
        run: |ground| Box::pin(split::prove(ground)),
    },
];

/// Runs the smokes that were named.
pub async fn run(smoke: &Smoke, sources: &Sources, output: Output) -> anyhow::Result<ExitCode> {
    if smoke.names == ["list"] {
        return list(output);
    }
    let chosen = chosen(&smoke.names)?;
    let ground = match &smoke.s3 {
        Some(prefix) => Ground::s3(prefix.clone(), settle(sources)?.config.s3),
        None => Ground::directory(),
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
        return Ok(PROOFS.iter().collect());
    }
    let find = |name: &String| PROOFS.iter().find(|proof| proof.name == name);
    let named = |name| find(name).ok_or_else(|| Usage(format!("there is no smoke {name}: `lakehouse smoke list`")));
    names.iter().map(named).collect()
}

/// Runs one smoke and says how it went; whether it held.
async fn tell(proof: &Proof, ground: Ground, output: Output) -> anyhow::Result<bool> {
    let begun = Instant::now();
    let outcome = (proof.run)(ground).await.with_context(|| format!("{} failed", proof.name));
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
    for proof in &PROOFS {
        if output.json {
            output.document(&json!({ "smoke": proof.name, "proves": proof.proves, "on_s3": proof.on_s3 }))?;
        } else {
            output.line(format!("{:5}  {}", proof.name, proof.proves))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
