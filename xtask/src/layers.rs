//! Who may import whom: `xtask/layers.txt` against what the manifests say.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::metadata::Package;

#[cfg(test)]
mod tests;

/// The layer file, parsed.
pub struct Layers {
    heavy: BTreeSet<String>,
    rooms: BTreeMap<String, Room>,
}

struct Room {
    tier: u8,
    imports: Imports,
    sideways: BTreeSet<String>,
}

/// What one crate imports.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imports {
    house: BTreeSet<String>,
    outside: BTreeSet<String>,
    tests: BTreeSet<String>,
}

impl Layers {
    /// Reads the text of the layer file.
    pub fn parse(text: &str) -> Result<Self> {
        let mut layers = Self { heavy: BTreeSet::new(), rooms: BTreeMap::new() };
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let (head, rest) = line.split_once(':').with_context(|| format!("no colon in {line:?}"))?;
            if head == "heavy" {
                layers.heavy = names(rest);
                continue;
            }
            let (tier, name) = head.split_once(' ').with_context(|| format!("no tier in {line:?}"))?;
            let tier = tier.parse().with_context(|| format!("the tier of {line:?}"))?;
            layers.rooms.insert(name.trim().to_owned(), Room::parse(tier, rest)?);
        }
        Ok(layers)
    }

    /// The crates' names from the ground up, as the file lists their tiers.
    pub fn ground_up(&self) -> Vec<(u8, &str)> {
        let mut rooms: Vec<_> = self.rooms.iter().map(|(name, room)| (room.tier, name.as_str())).collect();
        rooms.sort_by_key(|(tier, name)| (*tier, *name == "catalog", name.to_string()));
        rooms
    }

    /// Every place where the manifests and the file differ, or where the file itself points up.
    pub fn compare(&self, packages: &BTreeMap<&str, &Package>) -> Vec<String> {
        let known: BTreeSet<&str> = self.rooms.keys().map(String::as_str).collect();
        let present: BTreeSet<&str> = packages.keys().copied().collect();
        let unlisted = present.difference(&known).map(|name| format!("layers: {name} has no line in xtask/layers.txt"));
        let vanished = known.difference(&present).map(|name| format!("layers: there is no crate {name}"));
        let mut faults: Vec<String> = unlisted.chain(vanished).collect();
        for (name, room) in &self.rooms {
            faults.extend(self.upward(name, room));
            if let Some(package) = packages.get(name.as_str()) {
                faults.extend(differences(name, &room.imports, &self.imports_of(package, packages)));
            }
        }
        faults
    }

    /// What a manifest really imports, in the file's terms.
    fn imports_of(&self, package: &Package, packages: &BTreeMap<&str, &Package>) -> Imports {
        let mut imports = Imports::default();
        for dependency in &package.dependencies {
            let name = dependency.name.clone();
            let ours = packages.contains_key(name.as_str());
            match (ours, dependency.for_tests()) {
                (true, true) => imports.tests.insert(name),
                (true, false) => imports.house.insert(name),
                (false, false) if self.heavy.contains(&name) => imports.outside.insert(name),
                _ => false,
            };
        }
        imports
    }

    fn upward(&self, name: &str, room: &Room) -> Vec<String> {
        let lower = |import: &String| self.rooms.get(import).is_some_and(|other| other.tier < room.tier);
        let upward = room.imports.house.iter().filter(|import| !lower(import) && !room.sideways.contains(*import));
        upward.map(|import| format!("layers: {name} may not import {import}, which is not below it")).collect()
    }
}

impl Room {
    fn parse(tier: u8, rest: &str) -> Result<Self> {
        let parts: Vec<&str> = rest.split('|').collect();
        let [house, outside, tests] = parts.as_slice() else { anyhow::bail!("three parts are needed in {rest:?}") };
        let sideways = names(house).iter().filter_map(|name| name.strip_prefix('!').map(str::to_owned)).collect();
        let house = names(&house.replace('!', ""));
        Ok(Self { tier, imports: Imports { house, outside: names(outside), tests: names(tests) }, sideways })
    }
}

fn names(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn differences(name: &str, written: &Imports, real: &Imports) -> Vec<String> {
    let parts = [
        ("imports", &written.house, &real.house),
        ("names", &written.outside, &real.outside),
        ("tests use", &written.tests, &real.tests),
    ];
    let compare = |(verb, written, real): (&str, &BTreeSet<String>, &BTreeSet<String>)| {
        let extra = real
            .difference(written)
            .map(move |other| format!("layers: {name} {verb} {other}, which its line does not allow"));
        let unused = written
            .difference(real)
            .map(move |other| format!("layers: the line of {name} allows {other}, which it does not use"));
        extra.chain(unused).collect::<Vec<_>>()
    };
    parts.into_iter().flat_map(compare).collect()
}
