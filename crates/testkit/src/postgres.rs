//! A real Postgres server for tests.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::part::{Running, install, output};
use crate::skip::skip;

/// What the server says once it listens.
const READY: &str = "ready to accept connections";
const USER: &str = "lakehouse";

/// A running server with an empty database. It ends with this, and its files go.
pub struct PostgresServer {
    // Ended before its directory goes.
    _running: Running,
    _directory: TempDir,
    programs: PathBuf,
    port: u16,
}

impl PostgresServer {
    /// Starts a server, installing it first when it is not there yet. When it cannot be had, says that `test` is
    /// skipped and answers none.
    pub fn start(test: &str) -> Option<Self> {
        match install("postgres.sh").and_then(|programs| Self::run(PathBuf::from(programs))) {
            Ok(server) => Some(server),
            Err(why) => {
                skip(test, &why);
                None
            }
        }
    }

    /// How to reach it.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Who may ask it anything.
    pub fn user(&self) -> &'static str {
        USER
    }

    /// Runs SQL that sets something up; answers what it printed.
    pub fn sql(&self, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args([&self.url(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        output(&mut psql).expect("SQL that sets up a test")
    }

    fn run(programs: PathBuf) -> Result<Self, String> {
        let directory = TempDir::with_prefix("lakehouse-postgres-").map_err(|error| error.to_string())?;
        let home = directory.path().join("data");
        let mut make = unprivileged(&programs.join("initdb"));
        make.args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"]).arg(&home);
        output(&mut make)?;
        let port = free_port().map_err(|error| error.to_string())?;
        let mut serve = unprivileged(&programs.join("postgres"));
        serve.arg("-D").arg(&home).arg("-k").arg(directory.path()).args(["-p", &port.to_string()]);
        serve.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=20"]);
        let mut running = Running::start(serve.stdout(Stdio::null()).stderr(Stdio::piped()))?;
        listening(&mut running)?;
        Ok(Self { _running: running, _directory: directory, programs, port })
    }
}

/// The server refuses to run as root. In a user namespace of its own it is nobody, and still may read its files.
fn unprivileged(program: &Path) -> Command {
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0");
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command.arg("--user").arg(program);
    command
}

/// A port that nobody listens on, unless somebody takes it in the next moment.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until the server says that it listens, then goes on reading what it says so that it never blocks.
fn listening(running: &mut Running) -> Result<(), String> {
    let mut lines = BufReader::new(running.stderr()?).lines().map_while(Result::ok);
    let mut said = Vec::new();
    for line in lines.by_ref() {
        if line.contains(READY) {
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(());
        }
        said.push(line);
    }
    Err(format!("the database ended before it listened: {}", said.join(" ")))
}
