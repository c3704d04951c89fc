//! Somebody who has never seen it, with nothing but `lakehouse --help`: a file goes in, is asked, is searched, and an
//! agent is connected.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::command::{BINARY, Desk};

/// The command lines of the help's first steps, without what is said behind them.
fn first_steps(help: &str) -> anyhow::Result<Vec<String>> {
    let (_, steps) = help.split_once("First steps, in an empty directory:\n").context("the help has no first steps")?;
    let steps = steps.lines().take_while(|line| !line.is_empty());
    let typed = steps.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    Ok(typed.map(|line| line.trim_start().split("   ").next().unwrap_or(line).to_owned()).collect())
}

/// Types a line into a shell in which `lakehouse` is this program.
fn typed(desk: &Desk, line: &str) -> anyhow::Result<String> {
    let ran =
        desk.command("sh".as_ref()).arg("-c").arg(format!("lakehouse() {{ '{BINARY}' \"$@\"; }}; {line}")).output()?;
    ensure!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    Ok(String::from_utf8(ran.stdout)?)
}

#[test]
fn the_help_alone_leads_from_a_file_to_an_agent() -> anyhow::Result<()> {
    let test = "newcomer::the_help_alone_leads_from_a_file_to_an_agent";
    let model = Desk::with_model(test)?;
    let has_model = model.is_some();
    let desk = model.map_or_else(Desk::new, Ok)?;
    let steps = first_steps(&desk.run(&["--help"])?.ended(0)?.out)?;
    let of =
        |verb: &str| steps.iter().find(|line| line.starts_with(&format!("lakehouse {verb}"))).context(verb.to_owned());
    ensure!(steps.len() == 7, "{steps:#?}");
    for verb in ["ingest", "sql", "vectors create", "vectors add", "search", "mcp"] {
        of(verb)?;
    }
    let mut said = Vec::new();
    for line in steps.iter().filter(|line| has_model || !["vectors", "search"].iter().any(|verb| line.contains(verb))) {
        said.push(typed(&desk, line)?);
    }
    let all = said.join("");
    ensure!(all.contains("notes is now version 1: 2 rows read"), "{all}");
    ensure!(all.contains("1,Drives a forklift\n2,Bakes bread before dawn\n"), "{all}");
    if has_model {
        let found =
            all.lines().skip_while(|line| !line.starts_with("distance\t")).nth(1).context("nothing was found")?;
        ensure!(found.contains("Drives a forklift"), "{found}");
    }
    connects(said.last().context("nothing was said")?)
}

/// Does what an agent does with the line that was printed for it.
fn connects(printed: &str) -> anyhow::Result<()> {
    let (_, command) = printed.trim().split_once(" -- ").with_context(|| printed.to_owned())?;
    let mut server = Command::new("sh").args(["-c", command]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = server.stdin.take().context("no input")?;
    let mut answers = BufReader::new(server.stdout.take().context("no output")?).lines();
    let mut ask = |message: Value| writeln!(input, "{message}");
    let mut next = || -> anyhow::Result<Value> { Ok(serde_json::from_str(&answers.next().context("no answer")??)?) };
    let about = json!({ "name": "a test", "version": "1" });
    let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": about });
    ask(json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello }))?;
    ensure!(next()?["result"]["serverInfo"]["name"] == "lakehouse", "it does not say who it is");
    ask(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
    let call = json!({ "name": "query_sql", "arguments": { "sql": "SELECT text FROM notes WHERE id = 2" } });
    ask(json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call }))?;
    let answer = next()?;
    ensure!(answer.to_string().contains("Bakes bread before dawn"), "{answer}");
    drop(input);
    ensure!(server.wait()?.success(), "it does not end with its input");
    Ok(())
}
