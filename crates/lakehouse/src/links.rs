//! Role names as program names: `bin/gateway` is a link to this binary that serves the gateway, and `bin/mcpd` one that
//! speaks MCP.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::Context;
use api::Role;

/// The name of the door for agents, which is no role: it listens on no port.
const MCPD: &str = "mcpd";

/// Rewrites `gateway --lake L` into `lakehouse serve --roles gateway --lake L`, and `mcpd` into `lakehouse mcp`; anything
/// else passes unchanged.
pub fn arguments(given: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut given = given.into_iter();
    let program = given.next().unwrap_or_else(|| "lakehouse".into());
    let stands_for: &[&str] = match stem(&program) {
        Some(MCPD) => &["lakehouse", "mcp"],
        Some(name) => match Role::ALL.into_iter().find(|role| role.name() == name) {
            Some(role) => &["lakehouse", "serve", "--roles", role.name()],
            None => &[],
        },
        None => &[],
    };
    let own = stands_for.is_empty().then(|| program.clone());
    stands_for.iter().map(OsString::from).chain(own).chain(given).collect()
}

fn stem(program: &OsStr) -> Option<&str> {
    Path::new(program).file_stem()?.to_str()
}

/// Makes one link per role, and one for agents, in `directory`, replacing earlier links.
pub async fn make(directory: &Path) -> anyhow::Result<Vec<String>> {
    let binary = std::env::current_exe().context("cannot tell where this program lies")?;
    tokio::fs::create_dir_all(directory).await.with_context(|| format!("cannot make {}", directory.display()))?;
    let mut made = Vec::new();
    for name in Role::ALL.into_iter().map(Role::name).chain([MCPD]) {
        let link = directory.join(name);
        replace_link(&binary, &link).await.with_context(|| format!("cannot link {}", link.display()))?;
        made.push(link.display().to_string());
    }
    Ok(made)
}

/// Only an earlier link may be replaced: a real file of that name is somebody's.
async fn replace_link(binary: &Path, link: &Path) -> std::io::Result<()> {
    if tokio::fs::symlink_metadata(link).await.is_ok_and(|found| found.is_symlink()) {
        tokio::fs::remove_file(link).await?;
    }
    tokio::fs::symlink(binary, link).await
}
