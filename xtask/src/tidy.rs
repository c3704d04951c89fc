//! The house rules that no compiler checks, together.

use anyhow::{Result, bail};

use crate::layers::Layers;
use crate::metadata::Metadata;
use crate::project::Project;
use crate::{codes, features, licences, locked, map, sizes, words};

#[cfg(test)]
mod tests;

/// Runs every check and prints what is wrong; an error when anything is.
pub fn run() -> Result<()> {
    let faults = faults(&Project::open()?)?;
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    if faults.is_empty() { Ok(()) } else { bail!("tidy: {} to mend", faults.len()) }
}

/// Everything that is wrong with the checkout, one sentence each.
fn faults(project: &Project) -> Result<Vec<String>> {
    let metadata = Metadata::read(project)?;
    let layers = Layers::parse(&project.read("xtask/layers.txt")?)?;
    let mut faults = layers.compare(&metadata.rooms(project));
    faults.extend(locked::copies(&project.read("Cargo.lock")?));
    faults.extend(features::diverging(project, &metadata)?);
    faults.extend(licences::refused(&metadata));
    faults.extend(sizes::too_long(project)?);
    faults.extend(codes::unexplained(project)?);
    faults.extend(words::misplaced(project)?);
    faults.extend(map::stale(project)?);
    Ok(faults)
}
