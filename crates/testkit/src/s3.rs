//! A real S3 server for tests, with signatures checked.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use storage::{Config, Location, S3Config, Secret};

use crate::skip::{skip, workspace};

/// The bucket that is there from the start.
const BUCKET: &str = "lake";
/// What the server says, before the URL, once it listens.
const LISTENING: &str = "Running on ";

/// A running S3 server with one bucket. It keeps everything in memory and ends with this.
pub struct S3Server {
    child: Child,
    endpoint: String,
    access_key_id: String,
    secret_access_key: String,
}

impl S3Server {
    /// Starts a server, installing it first when it is not there yet. When it cannot be had, says that `test` is
    /// skipped and answers none.
    pub fn start(test: &str) -> Option<Self> {
        match install().and_then(|program| Self::run(&program)) {
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
        let started = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = started.map_err(|error| format!("the S3 server does not start: {error}"))?;
        let endpoint = listening(&mut child);
        let mut server =
            Self { child, endpoint: endpoint?, access_key_id: String::new(), secret_access_key: String::new() };
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

impl Drop for S3Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of the server's executable.
fn install() -> Result<String, String> {
    output(&mut Command::new(workspace().join("scripts/parts/moto.sh")))
}

/// Waits until the server says where it listens, then goes on reading what it says so that it never blocks.
fn listening(child: &mut Child) -> Result<String, String> {
    let said = child.stderr.take().ok_or("the S3 server has no stderr")?;
    let mut lines = BufReader::new(said).lines().map_while(Result::ok);
    let url = lines.find_map(|line| line.split_once(LISTENING).map(|(_, url)| url.trim().to_owned()));
    std::thread::spawn(move || lines.for_each(drop));
    url.ok_or_else(|| "the S3 server ended before it listened".to_owned())
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
