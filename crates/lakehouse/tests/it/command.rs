//! Runs the built binary in a directory of its own, as a person would.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_lakehouse");

/// A working directory with nothing in it; nothing set outside reaches the binary.
pub struct Desk {
    pub directory: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Desk {
    pub fn new() -> anyhow::Result<Self> {
        // A port where nobody listens, so that no gateway of this machine is found by chance.
        let nowhere = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let directory = TempDir::with_prefix("lakehouse-desk-")?;
        let secrets = directory.path().join(".secrets");
        std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&secrets)?;
        let variables = vec![
            ("LAKEHOUSE__GATEWAY__BIND".to_owned(), nowhere.to_string()),
            ("LAKEHOUSE_SECRETS".to_owned(), secrets.display().to_string()),
        ];
        Ok(Self { directory, variables })
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A desk that finds the embedding model where this machine keeps it; none when the model cannot be had here, which
    /// `test` then says aloud.
    pub fn with_model(test: &str) -> anyhow::Result<Option<Self>> {
        let desk = Self::new()?.with("XDG_CACHE_HOME", &cache_home());
        let tried = desk.run(&["embed", "a text"])?;
        if tried.code == UNREACHABLE {
            testkit::skip(test, tried.err.trim());
            return Ok(None);
        }
        tried.ended(0).map(|_| Some(desk))
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    #[expect(clippy::disallowed_methods, reason = "a test lays its files by hand")]
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> anyhow::Result<()> {
        Ok(std::fs::write(self.path().join(name), text)?)
    }

    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        self.run_with_input(arguments, "")
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> anyhow::Result<Ran> {
        let mut child = self.command(Path::new(BINARY)).args(arguments).spawn()?;
        child.stdin.take().context("standard input")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        Ok(Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        })
    }

    /// The program under its name, in this directory, with a clean environment.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path()).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// What a command ends with when what it needs cannot be had now.
const UNREACHABLE: i32 = 3;

/// The user's cache directory, in which the model is kept from one test run to the next.
#[expect(clippy::disallowed_methods, reason = "a test may be told where things are kept")]
fn cache_home() -> String {
    let home = || format!("{}/.cache", std::env::var("HOME").unwrap_or_default());
    std::env::var("XDG_CACHE_HOME").unwrap_or_else(|_| home())
}

impl Ran {
    /// The run, if it ended with this code; else an error with all it said.
    pub fn ended(self, code: i32) -> anyhow::Result<Self> {
        anyhow::ensure!(self.code == code, "ended with {} instead of {code}\n{}\n{}", self.code, self.out, self.err);
        Ok(self)
    }

    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.out).with_context(|| format!("not JSON: {}", self.out))
    }
}
