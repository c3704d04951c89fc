//! A real S3 server for tests, with signatures checked.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use storage::{Config, Location, S3Config, Secret};

use crate::part::{Running, install, output};
use crate::skip::skip;

/// The bucket that is there from the start.
const BUCKET: &str = "lake";
/// What the server says, before the URL, once it listens.
const LISTENING: &str = "Running on ";

/// A running S3 server with one bucket. It keeps everything in memory and ends with this.
pub struct S3Server {
    _running: Running,
    endpoint: String,
    access_key_id: String,
    secret_access_key: String,
}

impl S3Server {
    /// Starts a server, installing it first when it is not there yet. When it cannot be had, says that `test` is
    /// skipped and answers none.
    pub fn start(test: &str) -> Option<Self> {
        match install("moto.sh").and_then(|program| Self::run(&program)) {
            Ok(server) => Some(server),
            Err(why) => {
                skip(test, &why);
                None
            }
        }
    }

    /// The server's URL.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// How to reach it.
    pub fn s3(&self) -> S3Config {
        S3Config {
            endpoint: self.endpoint.clone(),
            access_key_id: self.access_key_id.clone(),
            secret_access_key: Secret::new(self.secret_access_key.as_str()),
            ..S3Config::default()
        }
    }

    /// Settings of a store on it.
    pub fn config(&self) -> Config {
        Config { s3: self.s3(), ..Config::default() }
    }

    /// Where a lake under this prefix lies.
    pub fn location(&self, prefix: &str) -> Location {
        Location::S3 { bucket: BUCKET.to_owned(), prefix: prefix.to_owned() }
    }

    fn run(program: &str) -> Result<Self, String> {
        let mut command = Command::new(Path::new(program).with_file_name("python"));
        command.args(["-c", include_str!("s3_serve.py"), "-H", "127.0.0.1", "-p", "0"]);
        command.env("INITIAL_NO_AUTH_ACTION_COUNT", "3");
        let mut running = Running::start(command.stdout(Stdio::null()).stderr(Stdio::piped()))?;
        let endpoint = listening(&mut running)?;
        let mut server =
            Self { _running: running, endpoint, access_key_id: String::new(), secret_access_key: String::new() };
        server.set_up(program)?;
        Ok(server)
    }

    fn set_up(&mut self, program: &str) -> Result<(), String> {
        let python = Path::new(program).with_file_name("python");
        let printed = output(Command::new(python).args(["-c", include_str!("s3_setup.py"), &self.endpoint]))?;
        let (id, secret) = printed.split_once(' ').ok_or("the S3 server gave no keys")?;
        self.access_key_id = id.to_owned();
        self.secret_access_key = secret.to_owned();
        Ok(())
    }
}

/// Waits until the server says where it listens, then goes on reading what it says so that it never blocks.
fn listening(running: &mut Running) -> Result<String, String> {
    let said = running.stderr()?;
    let mut lines = BufReader::new(said).lines().map_while(Result::ok);
    let url = lines.find_map(|line| line.split_once(LISTENING).map(|(_, url)| url.trim().to_owned()));
    std::thread::spawn(move || lines.for_each(drop));
    url.ok_or_else(|| "the S3 server ended before it listened".to_owned())
}
