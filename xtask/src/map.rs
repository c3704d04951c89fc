//! The crate paragraphs of ARCHITECTURE.md, written from each crate's first doc lines so that they cannot drift.

use anyhow::{Context, Result};

use crate::layers::Layers;
use crate::metadata::Metadata;
use crate::project::Project;

#[cfg(test)]
mod tests;

const MAP: &str = "ARCHITECTURE.md";
const BEGIN: &str = "<!-- rooms: written by `cargo xtask map` -->\n";
const END: &str = "<!-- end of rooms -->";

/// Rewrites the paragraphs in place.
pub fn rewrite() -> Result<()> {
    let project = Project::open()?;
    let text = project.read(MAP)?;
    let fresh = replace(&text, &paragraphs(&project)?)?;
    std::fs::write(project.root.join(MAP), fresh).context("writing the map")
}

/// Says so when the paragraphs are not what the crates say of themselves.
pub fn stale(project: &Project) -> Result<Vec<String>> {
    let text = project.read(MAP)?;
    let current = replace(&text, &paragraphs(project)?)? == text;
    Ok(if current { Vec::new() } else { vec![format!("map: {MAP} is stale: run `cargo xtask map`")] })
}

fn paragraphs(project: &Project) -> Result<String> {
    let layers = Layers::parse(&project.read("xtask/layers.txt")?)?;
    let metadata = Metadata::read(project)?;
    let rooms = metadata.rooms(project);
    let mut text = String::new();
    for (tier, name) in layers.ground_up() {
        let folder = rooms.get(name).with_context(|| format!("there is no crate {name}"))?.folder(project);
        let entry = ["lib.rs", "main.rs"].map(|file| format!("{folder}/src/{file}"));
        let entry = entry.iter().find(|file| project.has(file)).with_context(|| format!("{folder} has no entry"))?;
        text.push_str(&format!("- **`{folder}`** ({tier}) — {}\n", opening(&project.read(entry)?)));
    }
    Ok(text)
}

/// The doc comment up to the sentence that gives the reading order: what the crate is for and what it never does.
fn opening(source: &str) -> String {
    let doc = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let doc = doc.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let end = doc.find(" Reading order").unwrap_or(doc.len());
    doc[..end].to_owned()
}

fn replace(text: &str, paragraphs: &str) -> Result<String> {
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("{MAP} has no line {BEGIN:?}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{MAP} has no line {END:?}"))?;
    Ok(format!("{before}{BEGIN}{paragraphs}{END}{after}"))
}
