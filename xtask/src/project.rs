//! The checkout as the checks see it: its files, without what the repository does not carry.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The files of one checkout.
pub struct Project {
    /// The directory that holds the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Paths relative to the root, with `/`, sorted.
    pub files: Vec<String>,
}

impl Project {
    /// The checkout this tool was built from.
    pub fn open() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has a root")?.to_owned();
        let mut files = match tracked(&root) {
            Some(files) => files,
            None => walk(&root)?,
        };
        files.retain(|file| root.join(file).is_file());
        files.sort();
        Ok(Self { root, files })
    }

    /// Cargo in this checkout. What the cargo that runs this program says of it is left out: build scripts that look
    /// at such variables would run again, and everything above them would be compiled a second time.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        let of_this_program =
            |name: &str| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start));
        for (name, _) in std::env::vars().filter(|(name, _)| of_this_program(name)) {
            cargo.env_remove(name);
        }
        cargo.current_dir(&self.root);
        cargo
    }

    /// The text of one file.
    pub fn read(&self, file: &str) -> Result<String> {
        std::fs::read_to_string(self.root.join(file)).with_context(|| format!("reading {file}"))
    }

    /// Whether the repository carries this file.
    pub fn has(&self, file: &str) -> bool {
        self.files.binary_search_by(|known| known.as_str().cmp(file)).is_ok()
    }

    /// Rust sources that are not tests.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str).filter(|file| file.ends_with(".rs") && !is_test(file))
    }
}

/// Whether a path holds tests by the house's rule on where tests live.
pub fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// What git tracks; nothing when this is an export without a repository.
fn tracked(root: &Path) -> Option<Vec<String>> {
    let listing = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().ok()?;
    if !listing.status.success() {
        return None;
    }
    let names = String::from_utf8(listing.stdout).ok()?;
    Some(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn walk(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory)? {
            let path = entry?.path();
            let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
            match path.is_dir() {
                true if matches!(name.as_str(), "target" | "lake" | "lake-demo" | ".git") => {}
                true => open.push(path),
                false => found.push(name),
            }
        }
    }
    Ok(found)
}
