//! Words that must not stand in the repository, names that say nothing, and places where tests must not stand.

use anyhow::Result;

use crate::project::{Project, is_test};

#[cfg(test)]
mod tests;

/// Hosts of package registries: the checkout must build behind any mirror. Written in halves, so that this file passes.
const HOSTS: [&str; 7] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("proxy.golang", ".org"),
    concat!("rubygems", ".org"),
];

/// Endings of type names that fit everything and so say nothing.
const EMPTY_NAMES: [&str; 7] = ["Manager", "Helper", "Util", "Common", "Impl", "Data", "Info"];

/// Names forbidden words, empty names and inline tests.
pub fn misplaced(project: &Project) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for file in &project.files {
        let Ok(text) = std::fs::read_to_string(project.root.join(file)) else { continue };
        if file != "Cargo.lock" {
            let found = HOSTS.iter().filter(|host| text.contains(**host));
            faults.extend(found.map(|host| format!("words: {file} names the registry {host}")));
        }
        if file.ends_with(".rs") && !is_test(file) {
            faults.extend(text.lines().filter_map(fault).map(|fault| format!("words: {file}: {fault}")));
        }
    }
    Ok(faults)
}

/// What is wrong with one line of a source file.
fn fault(line: &str) -> Option<String> {
    if line.trim_start().starts_with("mod tests {") {
        return Some("tests belong into a file of their own beside the source".to_owned());
    }
    let name = defined(line)?;
    let ending = EMPTY_NAMES.iter().find(|ending| name.ends_with(**ending))?;
    Some(format!("{name}: a name that ends in {ending} says nothing"))
}

/// The name of the type that a line defines.
fn defined(line: &str) -> Option<&str> {
    let words: Vec<&str> =
        line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let keyword = words.iter().position(|word| !matches!(*word, "pub" | "crate" | "super"))?;
    matches!(words[keyword], "struct" | "enum" | "trait").then(|| words.get(keyword + 1).copied()).flatten()
}
