//! What a caller asks of ingest.

use std::fmt;
use std::str::FromStr;

use base::{DatasetName, IndexName};
use catalog::Mode;

use crate::error::Error;
use crate::format::Stated;

/// What to do with rows that cannot be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Refuse the whole file and report the rows.
    #[default]
    Fail,
    /// Load the rest and keep the refused lines in an object of the lake.
    Skip,
}

impl OnError {
    /// The word as it stands in requests: `fail` or `skip`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

impl fmt::Display for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OnError {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "fail" => Ok(Self::Fail),
            "skip" => Ok(Self::Skip),
            _ => Err(Error::Option {
                name: "on_error",
                given: text.chars().take(100).collect(),
                rule: "`fail` or `skip`",
            }),
        }
    }
}

/// What a file may do to the columns of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Evolve {
    /// Nothing: other columns are drift.
    #[default]
    None,
    /// Add columns, whose values are null in the rows that are there.
    Add,
}

impl FromStr for Evolve {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "none" => Ok(Self::None),
            "add" => Ok(Self::Add),
            _ => {
                Err(Error::Option { name: "evolve", given: text.chars().take(100).collect(), rule: "`none` or `add`" })
            }
        }
    }
}

/// One file to load.
#[derive(Debug, Clone)]
pub struct Request {
    /// The dataset that the rows go to.
    pub name: DatasetName,
    /// Replace the rows or add to them.
    pub mode: Mode,
    /// What to do with rows that cannot be loaded.
    pub on_error: OnError,
    /// What the file may do to the table's columns.
    pub evolve: Evolve,
    /// What is said of the file's format.
    pub stated: Stated,
    /// The encoding of the file when it is neither UTF-8 nor UTF-16 with a byte order mark, such as `windows-1252`.
    pub encoding: Option<String>,
    /// The character between fields: one ASCII character, or `\t`; detected when not given.
    pub delimiter: Option<String>,
    /// Who loads, for the lake log.
    pub author: String,
    /// Makes a retried load apply once.
    pub idempotency_key: Option<String>,
    /// What the key stands for, when that is not the file's bytes.
    pub key_means: Option<String>,
    /// Vector indexes that are sealed in the same commit, with all that they have acknowledged by then.
    pub seal: Vec<IndexName>,
}

impl Request {
    /// A replacing load that detects everything and refuses bad rows.
    pub fn new(name: DatasetName) -> Self {
        Self {
            name,
            mode: Mode::Replace,
            on_error: OnError::Fail,
            evolve: Evolve::None,
            stated: Stated::default(),
            encoding: None,
            delimiter: None,
            author: String::new(),
            idempotency_key: None,
            key_means: None,
            seal: Vec::new(),
        }
    }
}
