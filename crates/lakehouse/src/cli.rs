//! The command line: what can be asked, in clap's words.

use std::path::PathBuf;

use base::Distance;
use clap::{Args, Parser, Subcommand, ValueEnum};
use storage::Secret;
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
    /// Turn texts into vectors
    #[command(after_help = EMBED_EXAMPLES)]
    Embed(Embed),
    /// Find the items of an index that are nearest in meaning to a text
    #[command(after_help = SEARCH_EXAMPLES)]
    Search(Search),
    /// Make vector indexes, fill them and look at them
    #[command(after_help = VECTORS_EXAMPLES)]
    Vectors(Vectors),
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

const EMBED_EXAMPLES: &str = "Examples:
  lakehouse embed \"drives a forklift\"             one line: the vector
  lakehouse embed --json < lines.txt                one text per line";
const SEARCH_EXAMPLES: &str = "Examples:
  lakehouse search skills \"moves pallets in a warehouse\" -k 5
  lakehouse sql \"SELECT * FROM vector_search('skills', 'moves pallets', 5)\"";
const VECTORS_EXAMPLES: &str = "Examples:
  lakehouse vectors create skills                   for texts, with the default model
  lakehouse vectors create points --dimension 3 --distance euclidean
  lakehouse vectors add skills skills.csv           columns: id, text, and metadata as you like
  lakehouse vectors add points points.ndjson        {\"id\": \"a\", \"vector\": [1, 2, 3], \"city\": \"Toledo\"}";

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
pub struct Ingest {
    /// The dataset: `table` or `namespace.table`
    pub name: String,
    /// The file, CSV, JSON or Parquet, packed with gzip or zstd or not; `-` reads standard input
    #[arg(required_unless_present_any = ["from_path", "from_object", "from_postgres"])]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub from: From,
    /// Whether the file becomes the dataset's rows or is added to them
    #[arg(long, value_enum, default_value = "replace")]
    pub mode: Mode,
    /// What a row that breaks the rules does: fail the load, or be left out and reported
    #[arg(long, value_enum, default_value = "fail")]
    pub on_error: OnError,
    /// What the file is, when its content shall not decide
    #[arg(long, value_parser = ["csv", "ndjson", "json", "parquet"])]
    pub format: Option<String>,
    /// What the file may do to the dataset's columns: nothing, or add further ones
    #[arg(long, value_enum, default_value = "none")]
    pub evolve: Evolve,
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

/// What the service is to load instead of a file that is sent.
#[derive(Debug, Args)]
#[group(multiple = false, conflicts_with = "file")]
pub struct From {
    /// Load a file of the server's machine, below one of its ingestd.allowed_roots
    #[arg(long, value_name = "PATH")]
    pub from_path: Option<String>,
    /// Load an object of the lake
    #[arg(long, value_name = "KEY")]
    pub from_object: Option<String>,
    /// Load the rows of a query to a database of the server's settings, [ingestd.postgres.NAME]
    #[arg(long, value_names = ["NAME", "QUERY"], num_args = 2)]
    pub from_postgres: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Evolve {
    None,
    Add,
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
pub struct Search {
    /// The index
    pub index: String,
    /// What is sought, in your own words
    pub text: String,
    /// At most this many items
    #[arg(short, long, default_value_t = 10)]
    pub k: usize,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct Vectors {
    #[command(subcommand)]
    pub verb: VectorsVerb,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Subcommand)]
pub enum VectorsVerb {
    /// Make an index
    Create(CreateIndex),
    /// Every index with its length
    List,
    /// One index: dimension, distance, model, length
    Show {
        /// The index
        index: String,
    },
    /// Add the items of a file: each has an id, a text or a vector, and metadata in its other columns
    Add {
        /// The index
        index: String,
        /// A CSV file, or JSON objects one a line (.ndjson, .jsonl); `-` reads such lines from standard input
        file: PathBuf,
        /// What happens to a text that is longer than the model reads
        #[arg(long, value_enum, default_value = "error")]
        overflow: Overflow,
    },
    /// One item with its vector
    Get {
        /// The index
        index: String,
        /// The item's id
        id: String,
    },
    /// Delete items
    Remove {
        /// The index
        index: String,
        /// The items' ids
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Delete an index with all its items
    Delete {
        /// The index
        index: String,
    },
}

#[derive(Debug, Args)]
pub struct CreateIndex {
    /// Its name
    pub index: String,
    /// How many numbers each vector has [default: those of the model]
    #[arg(long, value_name = "N")]
    pub dimension: Option<u32>,
    /// How distance is measured
    #[arg(long, default_value = "cosine", value_name = "cosine|euclidean|dot")]
    pub distance: Distance,
    /// The model that makes vectors of its texts [default: embedd.default_model when no dimension is given]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
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
    /// d1 … d6, g1, g1p, g2, split, `all`, or `list`
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Run the lakes of d2, d5, g1 and g1p on this S3 prefix (settings of [s3] apply)
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    pub s3: Option<String>,
}
