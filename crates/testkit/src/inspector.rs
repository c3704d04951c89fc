//! Two programs that speak MCP as its makers do: the Inspector's command line, and the conformance suite.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::part::install;
use crate::skip::skip;

/// The programs, with the Node.js that runs them.
pub struct Inspector {
    node: PathBuf,
    inspector: PathBuf,
    conformance: PathBuf,
}

impl Inspector {
    /// Finds them, installing them first when they are not there yet. When they cannot be had, says that `test` is
    /// skipped and answers none.
    pub fn find(test: &str) -> Option<Self> {
        let found = install("inspector.sh").and_then(|printed| Self::named(&printed));
        found.map_err(|why| skip(test, &why)).ok()
    }

    fn named(printed: &str) -> Result<Self, String> {
        let [node, inspector, conformance] = printed.lines().collect::<Vec<_>>()[..] else {
            return Err("the script named no programs".to_owned());
        };
        Ok(Self { node: node.into(), inspector: inspector.into(), conformance: conformance.into() })
    }

    /// The Inspector's command line, which keeps what it remembers in `home`.
    pub fn command(&self, home: &Path) -> Command {
        let mut command = self.node(&self.inspector, home);
        command.arg("--cli");
        command
    }

    /// The conformance suite.
    pub fn conformance(&self, home: &Path) -> Command {
        self.node(&self.conformance, home)
    }

    fn node(&self, script: &Path, home: &Path) -> Command {
        let mut command = Command::new(&self.node);
        command.arg(script).env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin");
        command
    }
}
