//! The long programmes: the tests of the default suite, at full length.

use anyhow::{Context, Result, bail, ensure};

use crate::project::Project;

/// One programme: the test it lengthens, and the variable and value that say how far.
struct Programme {
    name: &'static str,
    test: &'static str,
    length: (&'static str, &'static str),
}

const PROGRAMMES: [Programme; 5] = [
    Programme { name: "kill", test: "soak::kill", length: ("LAKEHOUSE_SOAK_KILLS", "300") },
    Programme { name: "vectors", test: "soak::vectors", length: ("LAKEHOUSE_SOAK_KILLS", "300") },
    Programme { name: "race", test: "soak::race", length: ("LAKEHOUSE_SOAK_CALLS", "100000") },
    Programme { name: "slow", test: "soak::slow", length: ("LAKEHOUSE_SOAK_CROWD", "4000") },
    Programme { name: "million", test: "soak::million", length: ("LAKEHOUSE_SOAK_REQUESTS", "1000000") },
];

/// Runs one programme; a length set in the environment wins over the full one.
pub fn run(name: &str) -> Result<()> {
    let Some(programme) = PROGRAMMES.iter().find(|programme| programme.name == name) else {
        bail!("there is no programme {name:?}: {}", PROGRAMMES.map(|programme| programme.name).join(", "));
    };
    let (variable, full) = programme.length;
    let length = std::env::var(variable).unwrap_or_else(|_| full.to_owned());
    let status = Project::open()?
        .cargo()
        .args(["test", "--package", "lakehouse", "--test", "it", "--", "--exact", programme.test, "--nocapture"])
        .env(variable, length)
        .status()
        .context("starting cargo test")?;
    ensure!(status.success(), "soak {name}: failed");
    Ok(())
}
