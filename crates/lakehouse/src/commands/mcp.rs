//! `lakehouse mcp`: agents on standard input and output.

use ::mcp::Reach;
use anyhow::Context;
use storage::Location;

use crate::cli::{Agent, Mcp};
use crate::config::{Config, Sources, settle};
use crate::door::{Door, Purpose};
use crate::output::Output;

pub async fn run(mcp: &Mcp, sources: &Sources, output: Output) -> anyhow::Result<()> {
    if let Some(agent) = mcp.print_config {
        return print_config(agent, mcp, sources, output);
    }
    let door = Door::open(&mcp.target, sources, Purpose::Existing).await?;
    let ended = ::mcp::stdio(door.client.clone()).await;
    door.close().await;
    Ok(ended?)
}

/// Agents start programs from anywhere, so every path is told in full.
fn print_config(agent: Agent, mcp: &Mcp, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let reach = match (&mcp.target.gateway, &mcp.target.lake) {
        (Some(url), _) => Reach::Gateway(url.to_string()),
        (None, Some(lake)) => Reach::Lake(in_full(lake)?),
        (None, None) => Reach::Gateway(settled(mcp, sources)?.url(api::Role::Gateway)),
    };
    let agent = match agent {
        Agent::ClaudeDesktop => ::mcp::Agent::ClaudeDesktop,
        Agent::ClaudeCode => ::mcp::Agent::ClaudeCode,
        Agent::Generic => ::mcp::Agent::Generic,
    };
    Ok(output.line(::mcp::setup(agent, &program.display().to_string(), &reach))?)
}

/// A directory from the root on; a bucket as it is.
fn in_full(lake: &str) -> anyhow::Result<String> {
    match lake.parse()? {
        Location::Directory(path) => Ok(std::path::absolute(path)?.display().to_string()),
        _ => Ok(lake.to_owned()),
    }
}

fn settled(mcp: &Mcp, sources: &Sources) -> anyhow::Result<Config> {
    Ok(settle(&Sources { lake: mcp.target.lake.clone(), ..sources.clone() })?.config)
}
