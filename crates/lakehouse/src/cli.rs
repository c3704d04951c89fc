//! The command line: what can be asked, in clap's words.

use std::ffi::OsString;
use std::num::NonZeroU64;
use std::path::PathBuf;

use base::{ByteSize, Span};
use clap::{ArgGroup, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use storage::Secret;
use url::Url;

use crate::exit;

mod chat;
mod evidence;
mod examples;
mod help;
mod ingest;
mod mcp;
mod packs;
#[cfg(test)]
mod tests;
mod validate;
mod vectors;

pub use chat::Chat;
pub use evidence::{Evidence, EvidenceVerb, Import, Tail};
pub use ingest::{Evolve, From, Ingest, Mode, OnError};
pub use mcp::{Agent, Mcp};
pub use packs::{Packs, PacksVerb};
pub use validate::{Iterate, Validate};
pub use vectors::{CreateIndex, Search, Vectors, VectorsVerb};

/// A versioned lake of tables and texts on a directory or a bucket: files in, SQL and search out, every version kept.
#[derive(Debug, Parser)]
#[command(name = "lakehouse", version, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub shared: Shared,
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command understands.
#[derive(Debug, Clone, Args)]
pub struct Shared {
    /// Settings file; without it, $LAKEHOUSE_CONFIG, else built-in defaults
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Override one setting; may be repeated
    #[arg(long, global = true, value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,
    /// Print one JSON document: short for --output json
    #[arg(long, global = true, conflicts_with = "output")]
    pub json: bool,
    /// How the answer is printed [default: tables for a terminal, plain text for everything else]
    #[arg(long, short, global = true, value_enum, value_name = "FORM")]
    pub output: Option<Form>,
}

/// A form that every answer has; scripts for shells and pages of the manual are what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    Table,
    Json,
    Csv,
    Markdown,
}

impl Shared {
    /// The form that was asked for, if any.
    pub fn form(&self) -> Option<Form> {
        self.output.or(self.json.then_some(Form::Json))
    }
}

impl Cli {
    /// What was asked for; help, and what is wrong with the arguments, end the process.
    pub fn of(arguments: Vec<OsString>) -> Self {
        let matches = command().try_get_matches_from(arguments);
        let asked = matches.and_then(|matches| Self::from_arg_matches(&matches));
        asked.unwrap_or_else(|told| exit::with(&told))
    }
}

/// Everything that can be asked, with its examples.
pub fn command() -> clap::Command {
    help::guided(examples::beside(Cli::command()))
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway and every role in one process, or some roles on their own ports
    Serve(Serve),
    /// Make a lake of real sample data and show what can be done with it
    Demo(Demo),
    /// Load a file, an object or a query into a dataset
    Ingest(Ingest),
    /// Ask SQL: one statement, statements from standard input, or an interactive prompt
    Sql(Sql),
    /// Look at datasets and their versions, go back, drop, tidy up
    Catalog(Catalog),
    /// Merge small files of datasets into larger ones
    Compact(Compact),
    /// Give old versions up; tagged ones stay
    Expire(Expire),
    /// Delete files that no kept version reaches
    Sweep(Sweep),
    /// Copy one version to an empty place, with the hash of every file
    Backup(Backup),
    /// Make a lake of a backup, comparing every byte
    Restore(Restore),
    /// After a lake was copied or moved: let other engines find its files too
    Relocate(Relocate),
    /// Turn texts into vectors
    Embed(Embed),
    /// Let a language model answer, through the providers of the settings
    Chat(Chat),
    /// Check a proposal against the roster and the rules before it counts
    Validate(Validate),
    /// Let a language model propose, and correct itself, until a proposal counts
    Iterate(Iterate),
    /// Further checks of proposals, as data: keep them, try them, drop them
    Packs(Packs),
    /// Print the first JSON object in standard input
    ExtractJson,
    /// Find the items of an index that are nearest in meaning to a text
    Search(Search),
    /// Make vector indexes, fill them and look at them
    Vectors(Vectors),
    /// Look at what sessions left behind, and what was put beside it
    Evidence(Evidence),
    /// Let agents in: speak MCP on standard input and output
    Mcp(Mcp),
    /// Check or show the settings
    Config(Config),
    /// Look whether everything here is as it must be, and say what mends it
    Doctor(Doctor),
    /// Prove the main paths on an isolated stack of this very binary
    Smoke(Smoke),
    /// Make links named after the roles (gateway, storaged, …) that run this binary as that role
    Links {
        /// Where the links go; made when absent
        directory: PathBuf,
    },
    /// Print what makes a shell complete these commands
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each command
    Man {
        /// Write pages into this directory instead; made when absent
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// Which lake a command speaks to. With neither: the gateway at the default port if one answers, else the default lake.
#[derive(Debug, Clone, Default, Args)]
pub struct Target {
    /// A running gateway, such as http://127.0.0.1:3110
    #[arg(long, global = true, value_name = "URL", conflicts_with = "lake")]
    pub gateway: Option<Url>,
    /// A lake opened in this process: a directory or s3://bucket/prefix
    #[arg(long, global = true, value_name = "DIR|S3")]
    pub lake: Option<String>,
    /// The token that a gateway asks for; better given as $LAKEHOUSE_TOKEN, which no process list shows
    #[arg(long, global = true, value_name = "TOKEN", value_parser = secret)]
    pub token: Option<Secret>,
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

#[derive(Debug, Args)]
pub struct Serve {
    /// The lake: a directory or s3://bucket/prefix [default: $LAKEHOUSE_LAKE, else ./lake]
    #[arg(long, value_name = "DIR|S3")]
    pub lake: Option<String>,
    /// Only these roles, each on its own port; without it all of them behind the gateway's port
    #[arg(long, value_name = "ROLE,…", value_delimiter = ',')]
    pub roles: Vec<String>,
    /// Write {gateway, roles, pid} as JSON to this file once everything answers
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Where the demo's lake lives
    #[arg(long, value_name = "DIR", default_value = "./lake-demo")]
    pub lake: String,
    /// Keep serving the demo's lake afterwards
    #[arg(long)]
    pub serve: bool,
    /// Fetch nothing: no full wage table, no further texts, no model
    #[arg(long)]
    pub offline: bool,
}

#[derive(Debug, Args)]
pub struct Sql {
    /// The statement; without it, an interactive prompt, or standard input when that is no terminal
    pub query: Option<String>,
    /// A version number, an RFC 3339 time, or a tag
    #[arg(long, value_name = "VERSION|TIME|TAG")]
    pub as_of: Option<String>,
    /// A value for $1, $2, … as JSON; plain words are text; may be repeated
    #[arg(long = "param", value_name = "VALUE")]
    pub params: Vec<String>,
    /// How rows are printed, as --output, and ndjson too [default: table on a terminal, else csv]
    #[arg(long, value_enum, conflicts_with_all = ["json", "output"])]
    pub format: Option<Format>,
    /// At most this many rows
    #[arg(long, value_name = "N")]
    pub max_rows: Option<u64>,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
    Csv,
    Markdown,
    Ndjson,
}

#[derive(Debug, Args)]
pub struct Catalog {
    #[command(subcommand)]
    pub verb: CatalogVerb,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Subcommand)]
pub enum CatalogVerb {
    /// Every dataset with its rows and version
    List {
        /// A version number, an RFC 3339 time, or a tag
        #[arg(long, value_name = "VERSION|TIME|TAG")]
        as_of: Option<String>,
    },
    /// One dataset: columns, types, files
    Show {
        /// The dataset
        name: String,
        /// A version number, an RFC 3339 time, or a tag
        #[arg(long, value_name = "VERSION|TIME|TAG")]
        as_of: Option<String>,
    },
    /// The snapshots of one dataset, newest first
    History {
        /// The dataset
        name: String,
    },
    /// Say what personal data a column holds: it then has no smallest and largest values in new files
    Pii {
        /// The dataset
        name: String,
        /// The column
        column: String,
        /// email, phone, ssn, name, birth_date, address, other, or none
        kind: String,
    },
    /// The versions of the whole lake, newest first
    Versions,
    /// Give a version a name; an existing tag is moved
    Tag {
        /// The tag: a letter, then letters, digits and `_.-`
        tag: String,
        /// A version number, an RFC 3339 time, or another tag [default: the newest version]
        version: Option<String>,
    },
    /// Every tag with the version that it names
    Tags,
    /// Drop a tag; the version stays
    Untag {
        /// The tag
        tag: String,
    },
    /// What a version has otherwise than the one before it, or than another
    Diff {
        /// A version number, an RFC 3339 time, or a tag
        version: String,
        /// The version to compare with [default: the one before]
        #[arg(long, value_name = "VERSION|TIME|TAG")]
        from: Option<String>,
    },
    /// Make a dataset again what it was at a version; one that was dropped comes back
    Rollback {
        /// The dataset
        name: String,
        /// A version number, an RFC 3339 time, or a tag
        to: String,
    },
    /// Drop a dataset; the versions so far still read it, and rollback brings it back
    Drop {
        /// The dataset
        name: String,
    },
    /// Merge small files of datasets into larger ones; `lakehouse compact` is the same
    Compact(CompactArgs),
    /// Give old versions up; `lakehouse expire` is the same
    Expire(ExpireArgs),
    /// Delete files that no kept version reaches; `lakehouse sweep` is the same
    Sweep(SweepArgs),
}

#[derive(Debug, Args)]
pub struct Compact {
    #[command(flatten)]
    pub what: CompactArgs,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct CompactArgs {
    /// The dataset [default: all of them]
    pub name: Option<String>,
    /// The size that files should have [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    pub target_size: Option<ByteSize>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Expire {
    #[command(flatten)]
    pub what: ExpireArgs,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("kept").required(true).multiple(true)))]
pub struct ExpireArgs {
    /// Keep what was the newest version at some moment of this span, such as 30d
    #[arg(long, value_name = "SPAN", group = "kept")]
    pub older_than: Option<Span>,
    /// Keep so many of the newest versions, at least 1
    #[arg(long, value_name = "N", group = "kept")]
    pub keep_last: Option<NonZeroU64>,
    /// Do it; without this, only say what would go
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// Only say what would go, which is the default
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Sweep {
    #[command(flatten)]
    pub what: SweepArgs,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct SweepArgs {
    /// Leave files alone that are younger, or could be reached within this span [default: 1h]
    #[arg(long, value_name = "SPAN")]
    pub grace: Option<Span>,
    /// How many files to name [default: 100]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Name files behind this path; nothing is deleted
    #[arg(long, value_name = "PATH", conflicts_with = "yes")]
    pub after: Option<String>,
    /// Do it; without this, only say what would go
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// Only say what would go, which is the default
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Backup {
    /// Where the backup goes: an empty directory or s3://bucket/prefix
    #[arg(value_name = "DIR|S3")]
    pub to: String,
    /// A version number, an RFC 3339 time, or a tag, with what its indexes had sealed [default: the newest version, also
    /// with what is not sealed yet]
    #[arg(long, value_name = "VERSION|TIME|TAG")]
    pub as_of: Option<String>,
    /// The lake [default: $LAKEHOUSE_LAKE, else ./lake]
    #[arg(long, value_name = "DIR|S3")]
    pub lake: Option<String>,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// Where the backup lies
    #[arg(value_name = "DIR|S3")]
    pub from: String,
    /// Where the lake goes: an empty directory or s3://bucket/prefix
    #[arg(long, value_name = "DIR|S3", required = true)]
    pub lake: Option<String>,
}

#[derive(Debug, Args)]
pub struct Relocate {
    /// The lake where it lies now; nobody else should have it open [default: $LAKEHOUSE_LAKE, else ./lake]
    #[arg(long, value_name = "DIR|S3")]
    pub lake: Option<String>,
}

#[derive(Debug, Args)]
pub struct Embed {
    /// The texts; without any, the lines of standard input
    pub texts: Vec<String>,
    /// The model, such as ollama/nomic-embed-text [default: embedd.default_model]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// What happens to a text that is longer than the model reads
    #[arg(long, value_enum, default_value = "error")]
    pub overflow: Overflow,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Overflow {
    Error,
    Truncate,
    Chunk,
}

#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    pub verb: ConfigVerb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum ConfigVerb {
    /// Report every fault of the settings at once
    Check,
    /// Print the settled values and where each came from, secrets hidden
    Show,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// The lake that is looked at [default: $LAKEHOUSE_LAKE, else ./lake]
    #[arg(long, value_name = "DIR|S3")]
    pub lake: Option<String>,
}

#[derive(Debug, Args)]
pub struct Smoke {
    /// d1 … d6, g1, g1p, g2, time_travel, iceberg, chatd, validatord, split, `all`, or `list`
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Run the lakes of d2, d5, g1, g1p, time_travel and iceberg on this S3 prefix (settings of [s3] apply)
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    pub s3: Option<String>,
}
