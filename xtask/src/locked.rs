//! One copy of the parts whose types cross the rooms: two copies of arrow would not even fit together.

use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

const SINGLE: [&str; 7] = ["arrow", "axum", "datafusion", "hyper", "object_store", "parquet", "tokio"];

/// Names every part of which the lock file holds more than one version.
pub fn copies(lock: &str) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        if let (Some(name), Some(version)) = (value(package, "name"), value(package, "version")) {
            versions.entry(name).or_default().push(version);
        }
    }
    let doubled = versions.iter().filter(|(name, versions)| SINGLE.contains(name) && versions.len() > 1);
    doubled.map(|(name, versions)| format!("one copy: Cargo.lock holds {name} {}", versions.join(" and "))).collect()
}

fn value<'a>(package: &'a str, key: &str) -> Option<&'a str> {
    let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
    Some(line.trim_matches('"'))
}
