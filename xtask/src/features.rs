//! One feature set: what `cargo run` compiled, the tests must not compile again with other features.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::metadata::Metadata;
use crate::project::Project;

#[cfg(test)]
mod tests;

/// Names every outside package that the tests build with other features than the binary does.
pub fn diverging(project: &Project, metadata: &Metadata) -> Result<Vec<String>> {
    let rooms = metadata.rooms(project);
    let all: Vec<&str> = rooms.keys().flat_map(|name| ["--package", *name]).collect();
    let run = parse(&tree(project, &["--edges", "normal,build"])?);
    let test = parse(&tree(project, &all)?);
    Ok(compare(&run, &test))
}

/// Packages with the feature sets they are built with: two where a build script needs another than the program.
type Features = BTreeMap<String, BTreeSet<String>>;

fn tree(project: &Project, selection: &[&str]) -> Result<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"])
        .args(selection)
        .current_dir(&project.root)
        .output()
        .context("starting cargo tree")?;
    ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn parse(tree: &str) -> Features {
    let mut features = Features::new();
    for line in tree.lines() {
        if let Some((package, enabled)) = line.trim_end_matches(" (*)").split_once('|') {
            features.entry(package.to_owned()).or_default().insert(enabled.to_owned());
        }
    }
    features
}

fn compare(run: &Features, test: &Features) -> Vec<String> {
    let differs = |(package, built): &(&String, &BTreeSet<String>)| !built.is_subset(&test[*package]);
    let outside = run.iter().filter(|(package, _)| test.contains_key(*package)).filter(differs);
    outside
        .map(|(package, _)| format!("features: the tests build {package} with other features than `cargo run`"))
        .collect()
}
