//! The command line: what can be asked, in clap's words.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

use crate::exit;

/// A versioned lake of tables on plain object storage: CSV in, SQL out, every version kept.
#[derive(Debug, Parser)]
#[command(name = "lakehouse", version, after_help = exit::HELP, max_term_width = 110)]
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
    /// Print JSON instead of text for people
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway and every role in one process, or some roles on their own ports
    Serve(Serve),
    /// Make a lake of real sample data and show what can be done with it
    Demo(Demo),
    /// Load a CSV file into a dataset
    Ingest(Ingest),
    /// Ask SQL: one statement, statements from standard input, or an interactive prompt
    Sql(Sql),
    /// Look at datasets and their versions
    Catalog(Catalog),
    /// Check or show the settings
    Config(Config),
    /// Prove the main paths on an isolated stack of this very binary
    Smoke(Smoke),
    /// Make links named after the roles (gateway, storaged, …) that run this binary as that role
    Links {
        /// Where the links go; made when absent
        directory: PathBuf,
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
    /// Do not try to fetch the full wage table
    #[arg(long)]
    pub offline: bool,
}

#[derive(Debug, Args)]
pub struct Ingest {
    /// The dataset: `table` or `namespace.table`
    pub name: String,
    /// The CSV file; `-` reads standard input
    pub file: PathBuf,
    /// Whether the file becomes the dataset's rows or is added to them
    #[arg(long, value_enum, default_value = "replace")]
    pub mode: Mode,
    /// What a row that breaks the rules does: fail the load, or be left out and reported
    #[arg(long, value_enum, default_value = "fail")]
    pub on_error: OnError,
    /// The file's encoding when it is not UTF-8, such as windows-1252
    #[arg(long)]
    pub encoding: Option<String>,
    /// The field delimiter, when detecting it is not wanted
    #[arg(long)]
    pub delimiter: Option<String>,
    /// A key under which a retried append applies once
    #[arg(long)]
    pub idempotency_key: Option<String>,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    Replace,
    Append,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    Fail,
    Skip,
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
    /// How rows are printed [default: table on a terminal, else csv]
    #[arg(long, value_enum, conflicts_with = "json")]
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
    /// The versions of the whole lake, newest first
    Versions,
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
pub struct Smoke {
    /// d1 … d6, `all`, or `list`
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Run the lakes of d2 and d5 on this S3 prefix (settings of [s3] apply)
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    pub s3: Option<String>,
}
