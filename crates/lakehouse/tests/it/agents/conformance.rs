//! MCP's conformance suite: what applies passes, and what does not is listed with its reason in docs/mcp.md.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::Value;
use smokes::stack::Site;
use testkit::Inspector;

use super::desk;
use crate::command::BINARY;

/// Each revision that the suite has requirements of.
const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];
/// What the suite's own example servers offer begins so: tools, prompts and resources for no other use.
const EXAMPLES: [&str; 10] = [
    "\"test_",
    "\"test://",
    "'test_",
    "'json_schema_2020_12_tool'",
    "\"greet\"",
    "\"slow_compute\"",
    "\"failing_job\"",
    "\"protocol_error_job\"",
    "\"confirm_delete\"",
    "\"multi_input\"",
];

/// What of a scenario did not pass, by the scenario's name: the ids and the words of the checks that failed.
type Failed = BTreeMap<String, Vec<(String, String)>>;

/// Runs every server scenario of a revision; how many there were, and those that failed.
fn run(suite: &Inspector, url: &str, revision: &str, home: &Path) -> anyhow::Result<(usize, Failed)> {
    let results = home.join(revision);
    let mut command = suite.conformance(home);
    let output = command.args(["server", "--url", url, "--requirements", revision, "--output-dir"]).arg(&results);
    let said = String::from_utf8(output.output()?.stdout)?;
    ensure!(said.contains("=== SUMMARY ==="), "the suite did not come to its end: {said}");
    let (mut scenarios, mut failed) = (0, Failed::new());
    for checks in checks(&results)? {
        let name = scenario(&checks)?;
        scenarios += 1;
        let checked: Vec<Value> = read(&checks)?;
        let bad = checked.iter().filter(|check| check["status"] == "FAILURE").map(|check| {
            let word = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
            (word("id"), word("errorMessage"))
        });
        let bad: Vec<(String, String)> = bad.collect();
        if !bad.is_empty() {
            failed.insert(name, bad);
        }
    }
    Ok((scenarios, failed))
}

/// The files of results, one per scenario.
fn checks(results: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let directories = results.read_dir().context("no results")?;
    directories.map(|entry| Ok(entry?.path().join("checks.json"))).collect()
}

/// The scenario's name out of `server-<name>-<time>`, where the time is always as long as this.
fn scenario(checks: &Path) -> anyhow::Result<String> {
    let time = "-2026-01-01T00-00-00-000Z".len();
    let directory = checks.parent().and_then(Path::file_name).and_then(|name| name.to_str()).context("a name")?;
    let name = directory.strip_prefix("server-").and_then(|rest| rest.get(..rest.len().checked_sub(time)?));
    Ok(name.with_context(|| format!("not named as results are: {directory}"))?.to_owned())
}

#[expect(clippy::disallowed_methods, reason = "a test reads what another program has written")]
fn read(file: &Path) -> anyhow::Result<Vec<Value>> {
    Ok(serde_json::from_slice(&std::fs::read(file)?)?)
}

/// The scenarios that the page says do not apply: each line of its table begins with some of them.
fn excused() -> Vec<String> {
    let page = include_str!("../../../../../docs/mcp.md");
    let table = page.split_once("| scenarios that do not apply |").map_or("", |(_, rest)| rest);
    let lines = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let firsts = lines.filter_map(|line| line.split('|').nth(1));
    firsts.flat_map(|names| names.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// Whether a check could only pass on the suite's own example server, or on one with capabilities that this one does not
/// offer and does not claim.
fn does_not_apply(said: &str) -> bool {
    let example = EXAMPLES.iter().any(|name| said.contains(name));
    let unclaimed = ["completion/complete", "logging/setLevel", "resources/subscribe", "extensions MUST be advertised"];
    let untestable = ["Not testable", "could not be exercised", "Prerequisite failed", "unavailable"];
    example || [&unclaimed[..], &untestable].concat().iter().any(|words| said.contains(words))
}

#[tokio::test]
async fn the_conformance_suite_passes_where_it_applies() -> anyhow::Result<()> {
    let Some(suite) = Inspector::find("agents::conformance") else { return Ok(()) };
    let desk = desk()?;
    let stack = Site::holding(BINARY, desk.path().join("lake").display().to_string())?.start(&[]).await?;
    let url = format!("{}/mcp", stack.gateway()?);
    let (excused, mut needed) = (excused(), Vec::new());
    for revision in REVISIONS {
        let (scenarios, failed) = run(&suite, &url, revision, desk.path())?;
        ensure!(scenarios >= 30, "{revision}: only {scenarios} scenarios");
        for (scenario, checks) in failed {
            ensure!(excused.contains(&scenario), "{revision}, {scenario} is no scenario that fails: {checks:?}");
            if !scenario.starts_with("tasks-") && !scenario.starts_with("input-required-") {
                let bad = checks.iter().find(|(_, said)| !does_not_apply(said));
                ensure!(bad.is_none(), "{revision}, {scenario}: {bad:?}");
            }
            needed.push(scenario);
        }
    }
    let idle: Vec<&String> = excused.iter().filter(|name| !needed.contains(name)).collect();
    ensure!(idle.is_empty(), "docs/mcp.md excuses what passes: {idle:?}");
    stack.stop().await
}
