//! Role names as program names: `bin/gateway` is a link to this binary that serves the gateway.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::Context;
use api::Role;

/// Rewrites `gateway --lake L` into `lakehouse serve --roles gateway --lake L`; anything else passes unchanged.
pub fn arguments(given: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut given = given.into_iter();
    let program = given.next().unwrap_or_else(|| "lakehouse".into());
    match role_of(&program) {
        Some(role) => {
            let serve = ["lakehouse", "serve", "--roles", role.name()];
            serve.into_iter().map(OsString::from).chain(given).collect()
        }
        None => std::iter::once(program).chain(given).collect(),
    }
}

/// The role that a program's file name stands for.
fn role_of(program: &OsStr) -> Option<Role> {
    let stem = Path::new(program).file_stem()?.to_str()?;
    Role::ALL.into_iter().find(|role| role.name() == stem)
}

/// Makes one link per role in `directory`, replacing earlier links.
pub async fn make(directory: &Path) -> anyhow::Result<Vec<String>> {
    let binary = std::env::current_exe().context("cannot tell where this program lies")?;
    tokio::fs::create_dir_all(directory).await.with_context(|| format!("cannot make {}", directory.display()))?;
    let mut made = Vec::new();
    for role in Role::ALL {
        let link = directory.join(role.name());
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
