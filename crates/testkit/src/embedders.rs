//! Real embedding servers for tests: one small model over OpenAI's API, and over Ollama's.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::part::{Running, install};
use crate::skip::skip;

/// Running servers of a multilingual model with 384 dimensions. They end with this.
pub struct Embedders {
    _running: Running,
    openai: String,
    ollama: String,
}

impl Embedders {
    /// The model's name on the Ollama side. The other side takes any name.
    pub const MODEL: &str = "e5/small";

    /// Starts the servers, installing them first when they are not there yet. When they cannot be had, says that `test`
    /// is skipped and answers none.
    pub fn start(test: &str) -> Option<Self> {
        match install("embedders.sh").and_then(|python| Self::run(&python)) {
            Ok(servers) => Some(servers),
            Err(why) => {
                skip(test, &why);
                None
            }
        }
    }

    /// The base URL of the OpenAI side; it ends in `/v1`.
    pub fn openai(&self) -> &str {
        &self.openai
    }

    /// The base URL of the Ollama side.
    pub fn ollama(&self) -> &str {
        &self.ollama
    }

    fn run(python: &str) -> Result<Self, String> {
        let mut command = Command::new(python);
        // The digest that the Ollama side states is a Python hash, another one in each process unless it is seeded.
        command.args(["-c", include_str!("embedders.py")]).env("PYTHONHASHSEED", "0");
        let mut running = Running::start(command.stdout(Stdio::piped()))?;
        let mut line = String::new();
        BufReader::new(running.stdout()?).read_line(&mut line).map_err(|error| error.to_string())?;
        let urls = line.trim().split_once(' ').ok_or("the embedding servers ended before they listened")?;
        Ok(Self { _running: running, openai: urls.0.to_owned(), ollama: urls.1.to_owned() })
    }
}
