//! Everything that must hold, in one command: the README's test command and the one that guards the main branch.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::project::Project;
use crate::tidy;

mod tally;
#[cfg(test)]
mod tests;

use tally::Tally;

/// With `1` in this variable, a part that is missing fails the whole: for machines that must have them all.
const REQUIRE: &str = "LAKEHOUSE_REQUIRE_PARTS";

/// Format, tidy, lints and tests, in the order of their cost; then a summary with whatever could not run here.
pub fn run() -> Result<()> {
    let project = Project::open()?;
    let started = Instant::now();
    let unformatted = format(&project)?;
    step("tidy");
    tidy::run()?;
    let driver = clippy_driver();
    let unlinted = driver.is_none().then(|| "lints: clippy is not installed (rustup component add clippy)".to_owned());
    let (tally, succeeded) = test(&project, driver)?;
    let skipped: Vec<String> = [unformatted, unlinted].into_iter().flatten().chain(skipped(&project)).collect();
    println!("\n{tally}, {} skipped", skipped.len());
    ensure!(succeeded, "lints or tests failed{}", told(&skipped));
    expect_whole(&skipped, std::env::var(REQUIRE).is_ok_and(|value| value == "1"))?;
    println!("verified in {} s{}", started.elapsed().as_secs(), told(&skipped));
    Ok(())
}

/// Refuses skips where every part is required.
fn expect_whole(skipped: &[String], required: bool) -> Result<()> {
    ensure!(!required || skipped.is_empty(), "{REQUIRE} is set, and not everything ran{}", told(skipped));
    Ok(())
}

/// What did not run, for the end of everything that is printed, where it is not overlooked; nothing when all ran.
fn told(skipped: &[String]) -> String {
    if skipped.is_empty() {
        return String::new();
    }
    let lines: String = skipped.iter().map(|line| format!("\n  SKIPPED {line}")).collect();
    format!("\n\n{} SKIPPED, AND NOTHING WAS PROVEN THERE:{lines}", skipped.len())
}

fn step(name: &str) {
    println!("== {name}");
}

/// Checks the format; answers why not, where the formatter is missing.
fn format(project: &Project) -> Result<Option<String>> {
    step("format");
    if !present("rustfmt") {
        return Ok(Some("format: rustfmt is not installed (rustup component add rustfmt)".to_owned()));
    }
    let status = Command::new(env!("CARGO")).args(["fmt", "--all", "--check"]).current_dir(&project.root).status()?;
    ensure!(status.success(), "format: run `cargo fmt --all`");
    Ok(None)
}

/// Builds once for both lints and tests: clippy's driver is the compiler with more to say, so wrapping it around our
/// own crates lints the very code that the tests then run, and no dependency is compiled a second time.
fn test(project: &Project, driver: Option<PathBuf>) -> Result<(Tally, bool)> {
    step("lints and tests");
    std::fs::write(skipped_file(project), "").context("clearing the list of skipped tests")?;
    let mut cargo = project.cargo();
    cargo.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    if let Some(driver) = driver {
        cargo.env("RUSTC_WORKSPACE_WRAPPER", driver).env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__");
    }
    tally::follow(cargo)
}

fn present(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The compiler with clippy's lints, beside the compiler that cargo uses.
fn clippy_driver() -> Option<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8(output.stdout).ok()?;
    let driver = Path::new(sysroot.trim()).join("bin").join(format!("clippy-driver{}", std::env::consts::EXE_SUFFIX));
    driver.is_file().then_some(driver)
}

/// Where tests say that they could not run: in the target directory, wherever that is.
fn skipped_file(project: &Project) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project.root.join("target"), PathBuf::from);
    target.join("skipped-tests.txt")
}

/// Tests that said they could not run on this machine, one line each.
fn skipped(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(skipped_file(project)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
