//! What people paste into their agents so that they find the lake.

use serde_json::{Value, json};

#[cfg(test)]
mod tests;

/// An agent that reads a configuration of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// Claude Desktop: `claude_desktop_config.json`.
    ClaudeDesktop,
    /// Claude Code: one command, or `.mcp.json`.
    ClaudeCode,
    /// Any other: command and arguments.
    Generic,
}

/// Where the lake is, as the program is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Behind a gateway at this URL.
    Gateway(String),
    /// In this directory or bucket.
    Lake(String),
}

impl Reach {
    fn arguments(&self) -> [&str; 3] {
        match self {
            Self::Gateway(url) => ["mcp", "--gateway", url],
            Self::Lake(place) => ["mcp", "--lake", place],
        }
    }
}

/// The configuration for `agent`, which will start `program`.
pub fn setup(agent: Agent, program: &str, reach: &Reach) -> String {
    let server = json!({ "command": program, "args": reach.arguments() });
    match agent {
        Agent::ClaudeDesktop => pretty(&json!({ "mcpServers": { "lakehouse": server } })),
        Agent::ClaudeCode => {
            let words = std::iter::once(program).chain(reach.arguments()).map(quoted);
            format!("claude mcp add lakehouse -- {}", words.collect::<Vec<_>>().join(" "))
        }
        Agent::Generic => pretty(&server),
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
