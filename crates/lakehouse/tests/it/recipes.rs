//! The recipes of the justfile, without `just`: each is there under its name, and its lines are what a shell runs.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

const JUSTFILE: &str = include_str!("../../../../justfile");

/// The lines of each recipe by its name.
fn recipes() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut found = BTreeMap::<&str, Vec<&str>>::new();
    let mut name = "";
    for line in JUSTFILE.lines() {
        if let Some(step) = line.strip_prefix("    ") {
            found.entry(name).or_default().push(step);
        } else if let Some(head) = line.strip_suffix(':').filter(|head| !head.starts_with('#')) {
            name = head.split(' ').next().unwrap_or(head);
        }
    }
    found
}

#[test]
fn the_recipes_have_their_names_and_the_first_lists_them() -> anyhow::Result<()> {
    let found = recipes();
    let names: Vec<&str> = found.keys().copied().collect();
    assert_eq!(names, ["bench", "default", "demo", "doctor", "install-hooks", "smoke", "verify"]);
    ensure!(JUSTFILE.find("default:") < JUSTFILE.find("verify:"), "`just` alone runs the first recipe");
    assert_eq!(found["default"], ["@just --list"]);
    assert_eq!(found["verify"], ["cargo xtask verify"]);
    for (name, verb) in [("smoke", "smoke {{name}}"), ("doctor", "doctor {{options}}"), ("demo", "demo {{options}}")] {
        assert_eq!(found[name], [format!("cargo run --quiet --package lakehouse -- {verb}")]);
    }
    let program = found["bench"][0].split(' ').nth(1).context("a program")?;
    ensure!(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(program).is_file(), "{program} is not there");
    Ok(())
}

#[test]
fn the_hook_before_a_push_runs_verify() -> anyhow::Result<()> {
    let checkout = tempfile::tempdir()?;
    let run = |program: &str, arguments: &[&str]| -> anyhow::Result<()> {
        let ran = Command::new(program).args(arguments).current_dir(checkout.path()).output()?;
        ensure!(ran.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        Ok(())
    };
    run("git", &["init", "--quiet"])?;
    for step in &recipes()["install-hooks"] {
        run("sh", &["-c", step])?;
    }
    let hook = checkout.path().join(".git/hooks/pre-push");
    ensure!(std::fs::metadata(&hook)?.permissions().mode() & 0o111 == 0o111, "git runs only what may be run");
    #[expect(clippy::disallowed_methods, reason = "a test reads what a recipe wrote")]
    let text = std::fs::read_to_string(&hook)?;
    assert_eq!(text, "#!/bin/sh\nexec cargo xtask verify\n");
    Ok(())
}
