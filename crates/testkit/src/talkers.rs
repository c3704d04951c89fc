//! Real servers of a language model for tests: one small model behind llama.cpp's own server, and over Ollama's API.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::part::{Running, install};
use crate::skip::skip;

/// Running servers of SmolLM2-135M-Instruct. They end with this.
pub struct Talkers {
    _running: Running,
    openai: String,
    ollama: String,
}

impl Talkers {
    /// The model's name on the Ollama side. The other side takes any name.
    pub const MODEL: &str = "llama/smollm2";

    /// Starts the servers, installing them first when they are not there yet. When they cannot be had, says that `test`
    /// is skipped and answers none.
    pub fn start(test: &str) -> Option<Self> {
        match install("language.sh").and_then(|printed| Self::run(&printed)) {
            Ok(servers) => Some(servers),
            Err(why) => {
                skip(test, &why);
                None
            }
        }
    }

    /// The base URL of llama.cpp's server, which speaks OpenAI's API; it ends in `/v1`.
    pub fn openai(&self) -> &str {
        &self.openai
    }

    /// The base URL of the Ollama side.
    pub fn ollama(&self) -> &str {
        &self.ollama
    }

    /// The directory that holds the model's file, installing it first when it is not there yet; no server is started. When it
    /// cannot be had, says that `test` is skipped and answers none.
    pub fn model(test: &str) -> Option<PathBuf> {
        let directory = |printed: String| Some(Path::new(printed.lines().nth(1)?).parent()?.to_owned());
        let found = install("language.sh");
        let found = found.and_then(|printed| directory(printed).ok_or_else(|| "the script named no model".to_owned()));
        found.map_err(|why| skip(test, &why)).ok()
    }

    fn run(printed: &str) -> Result<Self, String> {
        let (python, model) = printed.split_once('\n').ok_or("the script named no model")?;
        let mut command = Command::new(python);
        command.args(["-c", include_str!("talkers.py"), model]);
        let mut running = Running::start(command.stdout(Stdio::piped()))?;
        let mut line = String::new();
        BufReader::new(running.stdout()?).read_line(&mut line).map_err(|error| error.to_string())?;
        let urls = line.trim().split_once(' ').ok_or("the servers of the language model ended before they listened")?;
        Ok(Self { _running: running, openai: urls.0.to_owned(), ollama: urls.1.to_owned() })
    }
}
