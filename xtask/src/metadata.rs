//! The part of `cargo metadata` that the checks read.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::project::Project;

/// What cargo knows of the workspace and of everything it builds on this platform.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// Every package in the graph, ours included.
    pub packages: Vec<Package>,
    resolve: Resolve,
}

/// One package.
#[derive(Debug, Deserialize)]
pub struct Package {
    id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence expression, if it states one.
    pub license: Option<String>,
    /// What it asks for.
    pub dependencies: Vec<Dependency>,
    source: Option<String>,
    manifest_path: String,
}

/// One line of a `[dependencies]` table.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    kind: Option<String>,
}

impl Dependency {
    /// Whether only tests use it.
    pub fn for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
}

impl Metadata {
    /// Asks cargo about this checkout, for this platform only, without changing the lock file.
    pub fn read(project: &Project) -> Result<Self> {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version=1", "--locked", "--filter-platform", &host()?])
            .current_dir(&project.root)
            .output()
            .context("starting cargo metadata")?;
        ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).context("reading cargo metadata")
    }

    /// The crates of the house by name: members whose manifest the repository carries.
    pub fn rooms(&self, project: &Project) -> BTreeMap<&str, &Package> {
        let ours = self.packages.iter().filter(|package| package.source.is_none());
        ours.filter(|package| project.has(&package.manifest(project)))
            .map(|package| (package.name.as_str(), package))
            .collect()
    }

    /// Outside packages that this platform really builds.
    pub fn outside(&self) -> impl Iterator<Item = &Package> {
        let built: std::collections::HashSet<&str> = self.resolve.nodes.iter().map(|node| node.id.as_str()).collect();
        self.packages.iter().filter(move |package| package.source.is_some() && built.contains(package.id.as_str()))
    }
}

impl Package {
    /// The manifest's path relative to the root.
    fn manifest(&self, project: &Project) -> String {
        let root = format!("{}/", project.root.display());
        self.manifest_path.replace('\\', "/").trim_start_matches(&root).to_owned()
    }

    /// The package's directory relative to the root, such as `crates/base`.
    pub fn folder(&self, project: &Project) -> String {
        self.manifest(project).trim_end_matches("/Cargo.toml").to_owned()
    }
}

/// The platform's name as rustc says it.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("starting rustc")?;
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names its host")?;
    Ok(line.to_owned())
}
