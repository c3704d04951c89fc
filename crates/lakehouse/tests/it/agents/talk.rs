//! A conversation with `lakehouse mcp` over its standard input and output, a message a line.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::command::{BINARY, Desk};

/// The revision that most agents speak.
pub const REVISION: &str = "2025-06-18";

/// A server and whoever talks to it. Dropped, the server is killed.
pub struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    asked: u64,
}

/// The parameters of a first message in this revision.
pub fn hello(revision: &str) -> Value {
    json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } })
}

/// The parameters of a call of a tool.
pub fn calling(tool: &str, arguments: &Value) -> Value {
    json!({ "name": tool, "arguments": arguments })
}

/// The text of a result.
pub fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

impl Talk {
    /// Starts `lakehouse mcp` with these arguments, and says hello.
    pub fn start(desk: &Desk, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut talk = Self::unacquainted(desk, arguments)?;
        talk.ask("initialize", &hello(REVISION))?;
        talk.tell("notifications/initialized", &json!({}))?;
        Ok(talk)
    }

    /// The same without a hello.
    pub fn unacquainted(desk: &Desk, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = desk.command(BINARY.as_ref());
        command.arg("mcp").args(arguments);
        Self::with(&mut command)
    }

    /// Starts any program that speaks so. What it logs goes nowhere: an unread pipe would stop it.
    pub fn with(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = BufReader::new(child.stdout.take().context("standard output")?).lines();
        Ok(Self { input: child.stdin.take(), child, output, asked: 0 })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks without waiting; the id of the question.
    pub fn send(&mut self, method: &str, params: &Value) -> anyhow::Result<u64> {
        self.asked += 1;
        self.write(&json!({ "jsonrpc": "2.0", "id": self.asked, "method": method, "params": params }))?;
        Ok(self.asked)
    }

    /// Tells something to which there is no answer.
    pub fn tell(&mut self, method: &str, params: &Value) -> anyhow::Result<()> {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    /// Asks, and waits for the answer: the result, or the error of the protocol.
    pub fn ask(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        let asked = self.send(method, params)?;
        let mut answer = self.heard()?;
        ensure!(answer["id"] == asked, "another answer than that to {method}: {answer}");
        let member = if answer["error"].is_null() { "result" } else { "error" };
        Ok(answer[member].take())
    }

    /// Calls a tool.
    pub fn call(&mut self, tool: &str, arguments: &Value) -> anyhow::Result<Value> {
        self.ask("tools/call", &calling(tool, arguments))
    }

    /// The next message. Whatever else stands on the line is a failure.
    pub fn heard(&mut self) -> anyhow::Result<Value> {
        let line = self.output.next().context("the server said nothing more")??;
        let message: Value = serde_json::from_str(&line).with_context(|| format!("no message: {line}"))?;
        ensure!(message["jsonrpc"] == "2.0", "no message: {line}");
        Ok(message)
    }

    /// Goes away, and sees that the server has nothing left to say and ends well.
    pub fn end(mut self) -> anyhow::Result<()> {
        drop(self.input.take());
        if let Some(line) = self.output.next().transpose()? {
            anyhow::bail!("it went on talking: {line}");
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }

    /// Writes a line that need not be a message.
    pub fn say(&mut self, line: &[u8]) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("standard input")?;
        input.write_all(&[line, b"\n"].concat()).context("nobody listens")
    }

    fn write(&mut self, message: &Value) -> anyhow::Result<()> {
        self.say(message.to_string().as_bytes())
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
