//! Words that must not stand in the repository, and places where tests must not stand.

use anyhow::Result;

use crate::project::{Project, is_test};

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

/// Names forbidden words and inline tests.
pub fn misplaced(project: &Project) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for file in &project.files {
        let Ok(text) = std::fs::read_to_string(project.root.join(file)) else { continue };
        if file != "Cargo.lock" {
            let found = HOSTS.iter().filter(|host| text.contains(**host));
            faults.extend(found.map(|host| format!("words: {file} names the registry {host}")));
        }
        if file.ends_with(".rs")
            && !is_test(file)
            && text.lines().any(|line| line.trim_start().starts_with("mod tests {"))
        {
            faults.push(format!("words: {file} holds tests; they belong into a file of their own beside it"));
        }
    }
    Ok(faults)
}
