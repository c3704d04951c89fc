//! The Inspector's command line lists and calls every tool, over both transports.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use smokes::stack::Site;
use testkit::Inspector;

use super::talk::text;
use super::{TOOLS, desk, list};
use crate::command::{BINARY, Desk};

/// What the command ends with when a tool answers that it failed.
const TOOL_FAILED: i32 = 5;
/// No model is fetched for this: where there is none, a tool that needs one says so.
const NO_MODEL: &str = "LAKEHOUSE__MODELS__DOWNLOAD";

/// Every tool with its arguments, and what its answer must hold.
fn tools_called() -> [(&'static str, Value, &'static str); 8] {
    let playbook =
        json!({ "operation": "fill: welder", "endorsed_names": ["Ann"], "target_count": 1, "fingerprint": "f" });
    [
        ("list_datasets", json!({ "as_of": 1 }), "datasets"),
        ("get_manifest", json!({ "name": "workers" }), "manifest"),
        ("query_sql", json!({ "sql": "SELECT count(*) FROM workers" }), "rows"),
        ("embed_text", json!({ "texts": ["a welder"] }), "vectors"),
        ("search_vectors", json!({ "index": "points", "vector": [0, 1], "k": 1 }), "results"),
        ("search_text", json!({ "index": "points", "text": "a welder" }), "results"),
        ("validate", json!({ "kind": "playbook", "artifact": playbook }), "report"),
        ("history", json!({}), "changes"),
    ]
}

/// The Inspector, and how it reaches the server.
struct Hand<'a> {
    inspector: &'a Inspector,
    desk: &'a Desk,
    server: Vec<String>,
}

impl Hand<'_> {
    /// One call of the Inspector; its exit code, what it printed as JSON, and what it complained.
    fn run(&self, method: &str, arguments: &[&str]) -> anyhow::Result<(i32, Value, String)> {
        let mut command = self.inspector.command(self.desk.path());
        command.env("MCP_INSPECTOR_SECRET_STORE", "memory");
        let output = command.args(&self.server).args(["--method", method]).args(arguments).output()?;
        let said = String::from_utf8(output.stderr)?;
        let printed = serde_json::from_slice(&output.stdout).with_context(|| format!("{method}: no JSON: {said}"))?;
        Ok((output.status.code().unwrap_or(-1), printed, said))
    }

    fn done(&self, method: &str, arguments: &[&str]) -> anyhow::Result<Value> {
        let (code, printed, said) = self.run(method, arguments)?;
        ensure!(code == 0, "{method} {arguments:?} ended with {code}: {said}");
        Ok(printed)
    }

    fn call(&self, tool: &str, arguments: &Value) -> anyhow::Result<(i32, Value)> {
        let arguments = arguments.to_string();
        let (code, printed, _) = self.run("tools/call", &["--tool-name", tool, "--tool-args-json", &arguments])?;
        Ok((code, printed))
    }
}

/// Lists everything there is, and calls every tool.
fn inspect(hand: &Hand) -> anyhow::Result<()> {
    let (code, tools, said) = hand.run("tools/list", &["--strict"])?;
    ensure!(
        code == 0 && !said.contains("Warning"),
        "the tools are told so that some clients do not understand: {said}"
    );
    let names: Vec<&Value> = list(&tools["tools"])?.iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, TOOLS);
    assert_eq!(list(&hand.done("resources/list", &[])?["resources"])?.len(), 3);
    assert_eq!(list(&hand.done("prompts/list", &[])?["prompts"])?.len(), 3);
    for (tool, arguments, place) in tools_called() {
        let (code, result) = hand.call(tool, &arguments)?;
        let has_no_model = ["models.", "flows.no_model"].iter().any(|code| text(&result).starts_with(code));
        if has_no_model {
            ensure!(code == TOOL_FAILED && ["embed_text", "search_text"].contains(&tool), "{tool}, {code}: {result}");
        } else {
            ensure!(code == 0 && !result["structuredContent"][place].is_null(), "{tool}, {code}: {result}");
        }
    }
    Ok(())
}

#[test]
fn the_inspector_lists_and_calls_every_tool_over_standard_input() -> anyhow::Result<()> {
    let Some(inspector) = Inspector::find("agents::inspector, over standard input") else { return Ok(()) };
    let desk = desk()?;
    let server = json!({ "command": BINARY, "args": ["mcp", "--lake", desk.path().join("lake")],
        "env": { "HOME": desk.path(), NO_MODEL: "false", "RUST_LOG": "trace" } });
    desk.write("agents.json", json!({ "mcpServers": { "lakehouse": server } }).to_string())?;
    let file = desk.path().join("agents.json").display().to_string();
    let server = ["--config", &file, "--server", "lakehouse"].map(str::to_owned).to_vec();
    inspect(&Hand { inspector: &inspector, desk: &desk, server })
}

#[tokio::test]
async fn the_inspector_lists_and_calls_every_tool_over_http() -> anyhow::Result<()> {
    let Some(inspector) = Inspector::find("agents::inspector, over HTTP") else { return Ok(()) };
    let desk = desk()?;
    let stack = Site::holding(BINARY, desk.path().join("lake").display().to_string())?.start(&[]).await?;
    let url = format!("{}/mcp", stack.gateway()?);
    let server = vec![url, "--transport".to_owned(), "http".to_owned()];
    inspect(&Hand { inspector: &inspector, desk: &desk, server })?;
    stack.stop().await
}
