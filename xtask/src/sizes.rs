//! Lengths: what nobody measures grows. Functions, parameters and nesting are measured by clippy, the rest here.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::project::Project;

#[cfg(test)]
mod tests;

const FILE: usize = 500;
const LIB: usize = 80;
const CRATE: usize = 8_000;
const MAP: usize = 250;

/// Files that were over their limit when it came, with the length they may not exceed.
const RATCHET: &str = "xtask/sizes.txt";

/// Names everything that is too long.
pub fn too_long(project: &Project) -> Result<Vec<String>> {
    let mut files = BTreeMap::new();
    for file in project.sources() {
        files.insert(file, lines(project, file)?);
    }
    let ratchet = if project.has(RATCHET) { parse(&project.read(RATCHET)?)? } else { BTreeMap::new() };
    let mut faults = check_files(&files, &ratchet);
    faults.extend(check_crates(&files));
    let map = lines(project, "ARCHITECTURE.md")?;
    faults.extend((map > MAP).then(|| format!("sizes: ARCHITECTURE.md has {map} lines; the map stays within {MAP}")));
    Ok(faults)
}

fn lines(project: &Project, file: &str) -> Result<usize> {
    Ok(project.read(file)?.lines().count())
}

fn parse(text: &str) -> Result<BTreeMap<String, usize>> {
    let entries = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entry = |line: &str| {
        let (file, length) = line.rsplit_once(' ').with_context(|| format!("{RATCHET}: {line:?}"))?;
        Ok((file.to_owned(), length.parse()?))
    };
    entries.map(entry).collect()
}

fn limit(file: &str) -> usize {
    if file.ends_with("/lib.rs") { LIB } else { FILE }
}

fn check_files(files: &BTreeMap<&str, usize>, ratchet: &BTreeMap<String, usize>) -> Vec<String> {
    let mut faults = Vec::new();
    for (file, length) in files {
        let allowed = ratchet.get(*file).copied().unwrap_or_else(|| limit(file));
        if *length > allowed {
            faults.push(format!("sizes: {file} has {length} lines; {allowed} are allowed"));
        }
    }
    for (file, allowed) in ratchet {
        let length = files.get(file.as_str()).copied().unwrap_or(0);
        if length < *allowed {
            faults.push(format!("sizes: {file} is down to {length} lines: lower or remove its line in {RATCHET}"));
        }
    }
    faults
}

fn check_crates(files: &BTreeMap<&str, usize>) -> Vec<String> {
    let mut crates: BTreeMap<&str, usize> = BTreeMap::new();
    for (file, length) in files {
        if let Some((folder, _)) = file.split_once("/src/") {
            *crates.entry(folder).or_default() += length;
        }
    }
    let long = crates.into_iter().filter(|(_, length)| *length > CRATE);
    long.map(|(folder, length)| format!("sizes: {folder} has {length} lines; a crate stays within {CRATE}")).collect()
}
