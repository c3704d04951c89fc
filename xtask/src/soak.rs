//! The long programmes: the tests of the default suite, at full length.

use anyhow::{Context, Result, bail, ensure};

use crate::project::Project;

/// One programme: the test it lengthens, in the test binary of which crate, and the variable and value that say how far.
struct Programme {
    name: &'static str,
    package: &'static str,
    test: &'static str,
    length: (&'static str, &'static str),
    /// Built for speed where nothing but computing takes the time. The others try the very binary that tests build.
    profile: Profile,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    Dev,
    Release,
}

const PROGRAMMES: [Programme; 9] = [
    Programme {
        name: "kill",
        package: "lakehouse",
        test: "soak::kill",
        length: ("LAKEHOUSE_SOAK_KILLS", "300"),
        profile: Profile::Dev,
    },
    Programme {
        name: "vectors",
        package: "lakehouse",
        test: "soak::vectors",
        length: ("LAKEHOUSE_SOAK_KILLS", "300"),
        profile: Profile::Dev,
    },
    Programme {
        name: "sessions",
        package: "lakehouse",
        test: "soak::sessions",
        length: ("LAKEHOUSE_SOAK_KILLS", "300"),
        profile: Profile::Dev,
    },
    Programme {
        name: "churn",
        package: "vectors",
        test: "concurrent::with_hundreds_of_items",
        length: ("LAKEHOUSE_SOAK_STEPS", "300000"),
        profile: Profile::Dev,
    },
    Programme {
        name: "race",
        package: "lakehouse",
        test: "soak::race",
        length: ("LAKEHOUSE_SOAK_CALLS", "100000"),
        profile: Profile::Dev,
    },
    Programme {
        name: "slow",
        package: "lakehouse",
        test: "soak::slow",
        length: ("LAKEHOUSE_SOAK_CROWD", "4000"),
        profile: Profile::Dev,
    },
    Programme {
        name: "million",
        package: "lakehouse",
        test: "soak::million",
        length: ("LAKEHOUSE_SOAK_REQUESTS", "1000000"),
        profile: Profile::Dev,
    },
    Programme {
        name: "api",
        package: "lakehouse",
        test: "soak::api",
        // Of each of more than seventy routes: more than 20,000 requests.
        length: ("LAKEHOUSE_SOAK_EXAMPLES", "300"),
        profile: Profile::Dev,
    },
    Programme {
        name: "simulate",
        package: "simulation",
        test: "simulate::three_writers_make_one_history_whatever_the_store_does",
        length: ("LAKEHOUSE_SOAK_SEEDS", "200000"),
        profile: Profile::Release,
    },
];

/// Runs one programme; a length set in the environment wins over the full one.
pub fn run(name: &str) -> Result<()> {
    let Some(programme) = PROGRAMMES.iter().find(|programme| programme.name == name) else {
        bail!("there is no programme {name:?}: {}", PROGRAMMES.map(|programme| programme.name).join(", "));
    };
    let (variable, full) = programme.length;
    let length = std::env::var(variable).unwrap_or_else(|_| full.to_owned());
    let release = (programme.profile == Profile::Release).then_some("--release");
    let status = Project::open()?
        .cargo()
        .args(["test", "--package", programme.package, "--test", "it"])
        .args(release)
        .args(["--", "--exact", programme.test, "--nocapture"])
        .env(variable, length)
        .status()
        .context("starting cargo test")?;
    ensure!(status.success(), "soak {name}: failed");
    Ok(())
}
