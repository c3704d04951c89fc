//! `lakehouse packs`: further checks of proposals, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Target;

#[derive(Debug, Args)]
pub struct Packs {
    #[command(subcommand)]
    pub verb: PacksVerb,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Subcommand)]
pub enum PacksVerb {
    /// Every pack with the kind that it checks
    List {
        /// A version number, an RFC 3339 time, or a tag
        #[arg(long, value_name = "VERSION|TIME|TAG")]
        as_of: Option<String>,
    },
    /// One pack, as JSON that `put` takes
    Show {
        /// The pack
        name: String,
        /// A version number, an RFC 3339 time, or a tag
        #[arg(long, value_name = "VERSION|TIME|TAG")]
        as_of: Option<String>,
    },
    /// Keep a pack, which judges from then on; one of its name is replaced
    Put {
        /// The pack, a JSON object; without it, standard input
        file: Option<PathBuf>,
    },
    /// Drop a pack; the versions so far keep it
    Drop {
        /// The pack
        name: String,
    },
    /// Say what a pack would refuse of the proposals that counted lately; nothing is kept
    DryRun {
        /// The pack, a JSON object; without it, standard input
        file: Option<PathBuf>,
        /// How many sessions, the newest ones, at most 1000
        #[arg(long, value_name = "N", default_value_t = 100)]
        sessions: usize,
    },
}
