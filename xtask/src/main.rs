//! The house's own tools: one command that checks everything, the tidy checks, the map and the long programmes.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks on its terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "it reads the checkout and its environment; it is no part of the product"
)]

mod codes;
mod features;
mod layers;
mod licences;
mod locked;
mod map;
mod metadata;
mod project;
mod sizes;
mod soak;
mod tidy;
mod verify;
mod words;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask <command>

  verify              everything that must hold: format, lints, tidy, all tests (what .ci/run runs)
  tidy                the house rules alone: layers, sizes, licences, error pages, map
  map                 rewrite the crate paragraphs of ARCHITECTURE.md from the crates' first doc lines
  soak <name>         a long programme (kill, vectors, sessions, churn, race, slow, million, simulate) at full length, with its figures";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["verify"] => verify::run(),
        ["tidy"] => tidy::run(),
        ["map"] => map::rewrite(),
        ["soak", programme] => soak::run(programme),
        _ => bail!(USAGE),
    }
}
