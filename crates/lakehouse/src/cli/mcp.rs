//! `lakehouse mcp`: what can be asked of the door for agents.

use clap::{Args, ValueEnum};

use super::Target;

pub const EXAMPLES: &str = "Examples:
  lakehouse mcp --gateway http://127.0.0.1:3110     speak MCP; agents start this by themselves
  lakehouse mcp --lake ./lake-demo                  the same on a lake that nobody serves
  lakehouse mcp --print-config claude-code          what to paste, so that an agent starts it";

#[derive(Debug, Args)]
pub struct Mcp {
    /// Print what an agent needs to be told, and speak to nobody
    #[arg(long, value_enum, value_name = "AGENT")]
    pub print_config: Option<Agent>,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Agent {
    /// Claude Desktop: a part of `claude_desktop_config.json`
    ClaudeDesktop,
    /// Claude Code: one command
    ClaudeCode,
    /// Any other: command and arguments
    Generic,
}
