//! An isolated stack: its own lake, free ports, a child process of the binary; ended by its id, never by a name.

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// How long a stack may take until everything answers.
const START_BUDGET: Duration = Duration::from_secs(60);
/// How long it may take to end after it was asked to.
const STOP_BUDGET: Duration = Duration::from_secs(20);
/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// The binary that stacks are made of, where their lakes lie, and how an S3 server is reached.
#[derive(Clone)]
pub struct Ground {
    binary: PathBuf,
    s3: Option<(String, storage::S3Config)>,
}

impl Ground {
    /// A fresh temporary directory per stack.
    pub fn directory(binary: impl Into<PathBuf>) -> Self {
        Self { binary: binary.into(), s3: None }
    }

    /// A prefix of an S3 bucket, such as `s3://bucket/prefix`; each stack takes a fresh one below it.
    pub fn s3(binary: impl Into<PathBuf>, prefix: String, config: storage::S3Config) -> Self {
        Self { binary: binary.into(), s3: Some((prefix, config)) }
    }
}

/// What `--ready-file` holds.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    /// The gateway's URL, unless only other roles run.
    pub gateway: Option<String>,
    /// The URLs of the roles that have a port of their own, by name.
    pub roles: BTreeMap<String, String>,
}

/// A running stack. Dropped, it is killed.
pub struct Stack {
    /// What it said when everything answered.
    pub ready: Ready,
    child: Child,
}

/// A temporary directory with a lake that outlives its stacks.
pub struct Site {
    binary: PathBuf,
    directory: TempDir,
    lake: String,
    variables: Vec<(&'static str, String)>,
    started: AtomicU32,
}

impl Site {
    /// A fresh lake on this ground.
    pub fn new(ground: &Ground) -> anyhow::Result<Self> {
        let mut site = Self::holding(ground.binary.clone(), String::new())?;
        let directory = site.directory.path();
        match &ground.s3 {
            None => site.lake = directory.join("lake").display().to_string(),
            Some((prefix, config)) => {
                let name = directory.file_name().unwrap_or_default().to_string_lossy();
                site.lake = format!("{}/{name}", prefix.trim_end_matches('/'));
                site.variables = s3_variables(config);
            }
        }
        Ok(site)
    }

    /// A lake that is somebody else's.
    pub fn holding(binary: impl Into<PathBuf>, lake: String) -> anyhow::Result<Self> {
        let directory = TempDir::with_prefix("lakehouse-smoke-")?;
        Ok(Self { binary: binary.into(), directory, lake, variables: Vec::new(), started: AtomicU32::new(0) })
    }

    /// Starts every role in one process behind a free port, with further settings.
    pub async fn start(&self, settings: &[&str]) -> anyhow::Result<Stack> {
        self.start_roles(&[], settings).await
    }

    /// Starts some roles, each on a free port of its own.
    pub async fn start_roles(&self, roles: &[&str], settings: &[&str]) -> anyhow::Result<Stack> {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let ready_file = self.directory.path().join(format!("ready-{number}.json"));
        let log = self.directory.path().join(format!("log-{number}.jsonl"));
        let mut command = self.command(&ready_file, &log)?;
        if !roles.is_empty() {
            command.arg("--roles").arg(roles.join(","));
        }
        for setting in settings {
            command.arg("--set").arg(setting);
        }
        let mut child = command.spawn().context("cannot start the binary")?;
        match ready(&mut child, &ready_file).await {
            Ok(ready) => Ok(Stack { ready, child }),
            Err(error) => Err(error.context(format!("the stack said: {}", tail(&log).await))),
        }
    }

    fn command(&self, ready_file: &Path, log: &Path) -> anyhow::Result<Command> {
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--lake", &self.lake]).arg("--ready-file").arg(ready_file);
        for role in ["gateway", "storaged", "catalogd", "ingestd", "queryd", "vectord", "embedd", "chatd", "validatord"]
        {
            command.arg("--set").arg(format!("{role}.bind=127.0.0.1:0"));
        }
        // Most stacks embed nothing; those that do say so, and no other fetches a model.
        command.args(["--set", "models.download=false"]);
        isolate(&mut command, &ready_file.with_extension("secrets"))?;
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        Ok(command)
    }
}

/// Nothing that is set for the person's own lake may reach the stack, its secrets least of all.
fn isolate(command: &mut Command, no_secrets: &Path) -> std::io::Result<()> {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LAKEHOUSE") {
            command.env_remove(name);
        }
    }
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(no_secrets)?;
    command.env("LAKEHOUSE_SECRETS", no_secrets);
    Ok(())
}

fn s3_variables(config: &storage::S3Config) -> Vec<(&'static str, String)> {
    vec![
        ("LAKEHOUSE__S3__ENDPOINT", config.endpoint.clone()),
        ("LAKEHOUSE__S3__REGION", config.region.clone()),
        ("LAKEHOUSE__S3__ACCESS_KEY_ID", config.access_key_id.clone()),
        ("LAKEHOUSE__S3__SECRET_ACCESS_KEY", config.secret_access_key.expose().to_owned()),
        ("LAKEHOUSE__S3__ALLOW_HTTP", config.allow_http.to_string()),
    ]
}

/// Waits until the ready file is there; a child that ended before is a failure at once.
async fn ready(child: &mut Child, file: &Path) -> anyhow::Result<Ready> {
    let deadline = Instant::now() + START_BUDGET;
    loop {
        if let Ok(text) = tokio::fs::read(file).await {
            return serde_json::from_slice(&text).context("the ready file is not the documented JSON");
        }
        if let Some(status) = child.try_wait()? {
            return Err(anyhow!("the stack ended with {status} before it was ready"));
        }
        ensure!(Instant::now() < deadline, "the stack was not ready within {START_BUDGET:?}");
        tokio::time::sleep(GLANCE).await;
    }
}

async fn tail(log: &Path) -> String {
    let text = tokio::fs::read(log).await.unwrap_or_default();
    let from = text.len().saturating_sub(2000);
    String::from_utf8_lossy(&text[from..]).trim().to_owned()
}

impl Stack {
    /// The gateway's URL.
    pub fn gateway(&self) -> anyhow::Result<&str> {
        self.ready.gateway.as_deref().context("the stack has no gateway")
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        let status = tokio::time::timeout(STOP_BUDGET, self.ended()).await.context("the stack did not stop")??;
        ensure!(status.success(), "the stack ended with {status}");
        Ok(())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill_process(self.id()?, signal)?)
    }

    /// The id of its process.
    pub fn id(&self) -> anyhow::Result<Pid> {
        let id = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        id.context("the stack ended by itself")
    }

    /// Waits until it has ended.
    pub async fn ended(mut self) -> anyhow::Result<ExitStatus> {
        Ok(self.child.wait().await?)
    }

    /// Kills it without warning (SIGKILL), and waits until it is gone.
    pub async fn kill(self) -> anyhow::Result<()> {
        self.signal(Signal::KILL)?;
        self.ended().await.map(drop)
    }
}
