//! `lakehouse evidence`: what can be asked of streams.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Target;

#[derive(Debug, Args)]
pub struct Evidence {
    #[command(subcommand)]
    pub verb: EvidenceVerb,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Subcommand)]
pub enum EvidenceVerb {
    /// The last lines of a stream, and those to come
    Tail(Tail),
    /// Append the lines of a file to a stream; one that is no JSON object is named and skipped
    Import(Import),
}

#[derive(Debug, Args)]
pub struct Import {
    /// The stream: a small letter, then small letters, digits and _
    pub stream: String,
    /// One JSON object a line; without it, standard input
    pub file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Tail {
    /// The stream: `sessions`, or one that lines were appended to
    #[arg(default_value = "sessions")]
    pub stream: String,
    /// How many of the last lines, at most 1000
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub lines: usize,
    /// Go on with the lines that are appended from now on, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
}
