//! Exit codes: what a script may rely on.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use base::{Fault, Kind};

use crate::config::Faults;
use crate::output::Output;

/// Shown under `--help`.
pub const HELP: &str = "Exit codes: 0 done · 1 failed · 2 wrong usage or settings · 3 the lake or gateway cannot be \
                        reached now · 4 not found · 5 conflict, such as schema drift";

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const UNREACHABLE: u8 = 3;
const NOT_FOUND: u8 = 4;
const CONFLICT: u8 = 5;

/// A request that the command line itself can tell is wrong.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Something asked for by its name is not there.
#[derive(Debug)]
pub struct Missing(pub String);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// Ends the process with help, or with what is wrong with the arguments.
pub fn with(told: &clap::Error) -> ! {
    let printed = told.print().and_then(|()| std::io::stdout().flush());
    let lost = printed.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe);
    std::process::exit(if lost { FAILED.into() } else { told.exit_code() })
}

/// Prints the error for people or as JSON on standard error, and chooses the code.
pub fn report(error: &anyhow::Error, output: Output) -> ExitCode {
    if reader_left(error) {
        return ExitCode::SUCCESS;
    }
    output.failure(error);
    code(error).into()
}

/// Whether the output's reader closed it early (`lakehouse sql … | head`), which is no failure.
fn reader_left(error: &anyhow::Error) -> bool {
    let broken = |io: &std::io::Error| io.kind() == ErrorKind::BrokenPipe;
    error.downcast_ref::<std::io::Error>().is_some_and(broken)
}

fn code(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() || error.is::<Faults>() {
        return USAGE;
    }
    if error.is::<Missing>() {
        return NOT_FOUND;
    }
    match kind(error) {
        Some(Kind::NotFound) => NOT_FOUND,
        Some(Kind::Conflict) => CONFLICT,
        Some(Kind::Unavailable) => UNREACHABLE,
        _ => FAILED,
    }
}

/// What the caller should do, where the error is one of the house's own.
fn kind(error: &anyhow::Error) -> Option<Kind> {
    let asked = error.downcast_ref::<client::Error>().map(Fault::kind);
    let opened = || error.downcast_ref::<catalog::Error>().map(Fault::kind);
    let stored = || error.downcast_ref::<storage::Error>().map(Fault::kind);
    let kept = || error.downcast_ref::<upkeep::Error>().map(Fault::kind);
    asked
        .or_else(opened)
        .or_else(stored)
        .or_else(kept)
        .or_else(|| error.downcast_ref::<models::Error>().map(Fault::kind))
}
