//! `lakehouse mcp`: what can be asked of the door for agents.

use clap::{Args, ValueEnum};

use super::Target;

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
