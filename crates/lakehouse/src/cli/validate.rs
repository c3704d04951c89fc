//! `lakehouse validate` and `lakehouse iterate`: proposals, checked.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use super::Target;

#[derive(Debug, Args)]
pub struct Validate {
    /// `fill`, `email` or `playbook`
    pub kind: String,
    /// The artifact, a JSON object; without it, standard input
    pub file: Option<PathBuf>,
    /// What is known of the contract or the candidate
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub context: Option<Map<String, Value>>,
    /// A version number, an RFC 3339 time, or a tag
    #[arg(long, value_name = "VERSION|TIME|TAG")]
    pub as_of: Option<String>,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Debug, Args)]
pub struct Iterate {
    /// `fill`, `email` or `playbook`
    pub kind: String,
    /// What is wanted, in words
    pub prompt: String,
    /// The model: `<provider>/<model>`, `<model>:cloud`, or a model of chatd.default_provider
    #[arg(long, value_name = "NAME")]
    pub model: String,
    /// What the model is told first [default: what a proposal of the kind looks like]
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// What is known of the contract or the candidate
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub context: Option<Map<String, Value>>,
    /// How many attempts there are [default: 3]
    #[arg(long, value_name = "N")]
    pub max_iterations: Option<u32>,
    /// Show the model workers whom the checks let pass
    #[arg(long)]
    pub retrieve: bool,
    /// Show it those nearest to the prompt in this index
    #[arg(long, value_name = "INDEX")]
    pub index: Option<String>,
    /// Show it those who meet this condition in SQL
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// A version number, an RFC 3339 time, or a tag
    #[arg(long, value_name = "VERSION|TIME|TAG")]
    pub as_of: Option<String>,
    #[command(flatten)]
    pub target: Target,
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|why| format!("a JSON object is needed: {why}"))
}
