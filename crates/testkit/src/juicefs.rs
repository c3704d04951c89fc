//! A real gateway that speaks S3 and does not hold what S3 promises: a create replaces what is there.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use storage::{Config, Location, S3Config, Secret};
use tempfile::TempDir;

use crate::part::{Running, install, output};
use crate::skip::skip;

/// The one bucket, and the user's name and password.
const BUCKET: &str = "lake";
const USER: &str = "lakehouse";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running gateway over an empty volume in a temporary directory. It ends with this.
pub struct JuiceFs {
    _running: Running,
    _directory: TempDir,
    address: String,
}

impl JuiceFs {
    /// Starts a gateway, installing it first when it is not there yet. When it cannot be had, says that `test` is skipped
    /// and answers none.
    pub fn start(test: &str) -> Option<Self> {
        let started = install("juicefs.sh").and_then(|program| Self::run(&program));
        started.map_err(|why| skip(test, &why)).ok()
    }

    /// Settings of a store on it.
    pub fn config(&self) -> Config {
        let s3 = S3Config {
            endpoint: format!("http://{}", self.address),
            access_key_id: USER.to_owned(),
            secret_access_key: Secret::new(USER),
            ..S3Config::default()
        };
        Config { s3, ..Config::default() }
    }

    /// Where a lake on it lies.
    pub fn location(&self) -> Location {
        Location::S3 { bucket: BUCKET.to_owned(), prefix: "lake".to_owned() }
    }

    fn run(program: &str) -> Result<Self, String> {
        let directory = TempDir::new().map_err(|error| error.to_string())?;
        let home = directory.path().display();
        let meta = format!("sqlite3://{home}/meta.db");
        let format = ["format", "--storage", "file", "--bucket", &format!("{home}/blocks"), &meta, BUCKET];
        output(Command::new(program).args(format))?;
        let address = free_address()?;
        let mut gateway = Command::new(program);
        gateway.args(["gateway", "--no-banner", "--no-usage-report", "--metrics", "127.0.0.1:0"]);
        gateway.args(["--cache-dir", &format!("{home}/cache"), "--log", &format!("{home}/log"), &meta, &address]);
        gateway.env("MINIO_ROOT_USER", USER).env("MINIO_ROOT_PASSWORD", USER);
        let running = Running::start(gateway.stdout(Stdio::null()).stderr(Stdio::null()))?;
        wait_for(&address)?;
        Ok(Self { _running: running, _directory: directory, address })
    }
}

/// An address that was free a moment ago: the gateway takes no other.
fn free_address() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.to_string()).map_err(|error| error.to_string())
}

fn wait_for(address: &str) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if is_live(address).unwrap_or(false) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("the gateway does not start".to_owned())
}

fn is_live(address: &str) -> std::io::Result<bool> {
    let mut connection = TcpStream::connect(address)?;
    connection.write_all(b"GET /minio/health/live HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.0 200"))
}
