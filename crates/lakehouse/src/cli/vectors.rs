//! `lakehouse search` and `lakehouse vectors`: what can be asked of indexes.

use std::path::PathBuf;

use base::Distance;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value};
use vectors::metadata::object;

use super::{Overflow, Target};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SearchMode {
    Vector,
    Keyword,
    Hybrid,
}

impl SearchMode {
    /// As the service takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vector => "vector",
            Self::Keyword => "keyword",
            Self::Hybrid => "hybrid",
        }
    }
}

#[derive(Debug, Args)]
pub struct Search {
    /// The index
    pub index: String,
    /// What is sought, in your own words
    pub text: String,
    /// Near in meaning, by the words, or both
    #[arg(long, value_enum, default_value = "vector")]
    pub mode: SearchMode,
    /// Let a model read the 50 best texts beside what is sought, and rank them anew
    #[arg(long)]
    pub rerank: bool,
    /// At most this many items
    #[arg(short, long, default_value_t = 10)]
    pub k: usize,
    /// What must hold of the metadata of what is found, such as '{"city": ["Toledo", "Gary"], "rate": {"gte": 18}}'
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub filter: Option<Map<String, Value>>,
    /// A version number, an RFC 3339 time, or a tag: what was sealed of the index then [default: what it holds now]
    #[arg(long, value_name = "VERSION|TIME|TAG")]
    pub as_of: Option<String>,
    /// Prove that nothing nearer is left, as if every vector were compared, which takes longer
    #[arg(long)]
    pub exact: bool,
    /// Look for so many of the nearest before the first k are answered, if that is more: the more, the surer
    #[arg(long, value_name = "N", conflicts_with = "exact")]
    pub ef_search: Option<u32>,
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
    /// Add the items of a file: each has an id, a text or a vector, and metadata in its other columns. Texts are kept,
    /// so that searches by words find them
    Add {
        /// The index
        index: String,
        /// A CSV file, or JSON objects one a line (.ndjson, .jsonl); `-` reads such lines from standard input
        file: PathBuf,
        /// What happens to a text that is longer than the model reads
        #[arg(long, value_enum, default_value = "error")]
        overflow: Overflow,
        /// Keep no text beside its vector: searches by words, and --rerank, do not find the items then
        #[arg(long)]
        no_keep_text: bool,
    },
    /// Make what an index holds now part of a version, which answers it for ever
    Seal {
        /// The index
        index: String,
    },
    /// Measure how many of the true nearest searches find; the index keeps the result
    Recall {
        /// The index
        index: String,
        /// How many of its items stand for queries
        #[arg(long, value_name = "N", default_value_t = 100)]
        sample: usize,
        /// How many of the nearest are asked for
        #[arg(short, long, default_value_t = 10)]
        k: usize,
        /// As in `lakehouse search`
        #[arg(long, value_name = "N")]
        ef_search: Option<u32>,
    },
    /// Put the items of one index into another
    Merge {
        /// The index that the items are in
        source: String,
        /// The index that they go into; items of the same ids are replaced
        dest: String,
        /// Whether each item leaves the first index once it is durable in the second
        #[arg(long)]
        clear_source: bool,
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
        #[arg(required_unless_present = "filter")]
        ids: Vec<String>,
        /// Instead of ids: what holds of the metadata of the items, as in `lakehouse search --filter`
        #[arg(long, value_name = "JSON", value_parser = object, conflicts_with = "ids")]
        filter: Option<Map<String, Value>>,
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
