//! Where the model's files come from: a directory that the user names, the cache, the model hub, a Python package.
//!
//! Whatever the way, a file is used only if it has the pinned SHA-256.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use storage::{CacheDir, Mapped, task};
use tokio::sync::Mutex;

use crate::config::Config;
use crate::embedded::engine::Engine;
use crate::embedded::weights::Precision;
use crate::embedded::{hub, package};
use crate::error::Cause;
use crate::progress::{Phase, Progress};

/// A file of the model.
pub(crate) struct Pinned {
    /// Its name in a directory, on the hub and in the package.
    pub(crate) name: &'static str,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) sha256: &'static str,
    /// Its name in the cache.
    cached: &'static str,
}

/// The weights.
pub(crate) const WEIGHTS: Pinned = Pinned {
    name: "model.safetensors",
    size: 90_868_376,
    sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    cached: "all-MiniLM-L6-v2-53aa5117.safetensors",
};
/// The tokenizer.
pub(crate) const TOKENIZER: Pinned = Pinned {
    name: "tokenizer.json",
    size: 466_247,
    sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    cached: "all-MiniLM-L6-v2-be50c362.tokenizer.json",
};
/// Both, the small one first: it tells in seconds whether a way is open.
pub(crate) const ALL: [&Pinned; 2] = [&TOKENIZER, &WEIGHTS];

/// The ways to the files that the settings allow.
pub(crate) struct Source {
    model_dir: Option<PathBuf>,
    cache_dir: PathBuf,
    download: bool,
    hub_url: String,
    python: String,
    pub(crate) progress: Progress,
    /// Whoever fetches; others wait, and find the files.
    fetching: Mutex<()>,
}

/// Why a way is closed: what may be said outside, and what only the log may have.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) reason: &'static str,
    pub(crate) cause: Option<Cause>,
}

/// Both files.
struct Files {
    weights: Mapped,
    tokenizer: Mapped,
}

impl Source {
    pub(crate) fn new(config: &Config) -> Self {
        let fallback = || std::env::temp_dir().join("lakehouse-models");
        Self {
            model_dir: config.model_dir.clone(),
            cache_dir: config.cache_dir.clone().unwrap_or_else(fallback),
            download: config.download,
            hub_url: config.hub_url.clone(),
            python: config.python.clone(),
            progress: Progress::default(),
            fetching: Mutex::default(),
        }
    }

    /// Whether the files need not be fetched. They are checked when they are loaded.
    pub(crate) async fn is_here(&self) -> bool {
        if self.model_dir.is_some() {
            return true;
        }
        let Ok(cache) = CacheDir::open(&self.cache_dir).await else { return false };
        for file in ALL {
            if !matches!(cache.find(file.cached).await, Ok(Some(_))) {
                return false;
            }
        }
        true
    }

    /// Finds or fetches the files and loads the model. A failure says for each way why it is closed.
    pub(crate) async fn load(&self, precision: Precision) -> Result<Engine, String> {
        let loaded = match self.files().await {
            Ok(files) => self.engine(files, precision).await.map_err(|closed| closed.logged()),
            Err(reasons) => Err(reasons),
        };
        self.progress.enter(if loaded.is_ok() { Phase::Ready } else { Phase::Failed }, 0);
        loaded
    }

    async fn engine(&self, files: Files, precision: Precision) -> Result<Engine, Closed> {
        self.progress.enter(Phase::Loading, 0);
        let load = move || Engine::load(files.weights, &files.tokenizer, precision);
        let loaded = task::blocking("load the embedded model", load).await;
        let loaded = loaded.map_err(|error| Closed::by("loading it failed", error))?;
        loaded.map_err(|error| Closed::by("its files cannot be read", error))
    }

    async fn files(&self) -> Result<Files, String> {
        let _fetching = self.fetching.lock().await;
        if let Some(directory) = &self.model_dir {
            return in_directory(directory).await.map_err(Closed::logged);
        }
        let cache = CacheDir::open(&self.cache_dir).await;
        let cache = cache.map_err(|error| Closed::by("models.cache_dir cannot be used", error).logged())?;
        match cached(&cache).await {
            Ok(files) => return Ok(files),
            Err(closed) if !self.download => return Err(format!("{}; models.download is off", closed.logged())),
            Err(_) => {}
        }
        let mut reasons = Vec::new();
        self.progress.enter(Phase::Hub, ALL.iter().map(|file| file.size).sum());
        match hub::fetch(&self.hub_url, &cache, &self.progress).await {
            Ok(()) => return cached(&cache).await.map_err(Closed::logged),
            Err(closed) => reasons.push(closed.logged()),
        }
        self.progress.enter(Phase::Package, 0);
        match package::fetch(&self.python, &cache).await {
            Ok(()) => return cached(&cache).await.map_err(Closed::logged),
            Err(closed) => reasons.push(closed.logged()),
        }
        Err(reasons.join("; "))
    }
}

impl Pinned {
    /// Whether these are the bytes.
    pub(crate) fn is(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.size && hex::encode(Sha256::digest(bytes)) == self.sha256
    }

    /// Keeps the bytes, which have been checked.
    pub(crate) async fn keep(&self, bytes: &[u8], cache: &CacheDir) -> Result<(), storage::Error> {
        let mut writer = self.writer(cache).await?;
        writer.append(bytes).await?;
        writer.finish().await.map(drop)
    }

    /// Begins to keep bytes that are checked while they arrive.
    pub(crate) async fn writer(&self, cache: &CacheDir) -> Result<storage::CacheWriter, storage::Error> {
        cache.writer(self.cached).await
    }

    async fn read(&'static self, path: PathBuf) -> Result<Mapped, Closed> {
        let read = task::blocking("read a file of the model", move || {
            let bytes = Mapped::file(&path)?;
            Ok::<_, storage::Error>(self.is(&bytes).then_some(bytes))
        });
        let read = read.await.map_err(|error| Closed::by("reading its files failed", error))?;
        let read = read.map_err(|error| Closed::by("its files cannot be read", error))?;
        read.ok_or_else(|| Closed::because(self.another()))
    }

    fn another(&self) -> &'static str {
        if self.name == WEIGHTS.name {
            "the file model.safetensors is not the model's"
        } else {
            "the file tokenizer.json is not the model's"
        }
    }
}

impl Closed {
    /// A reason that says all.
    pub(crate) fn because(reason: &'static str) -> Self {
        Self { reason, cause: None }
    }

    /// A reason with a cause for the log.
    pub(crate) fn by(reason: &'static str, cause: impl Into<Cause>) -> Self {
        Self { reason, cause: Some(cause.into()) }
    }

    /// Logs the cause and answers the reason.
    fn logged(self) -> String {
        let cause = self.cause.map(|cause| chain(cause.as_ref()));
        tracing::warn!(reason = self.reason, cause, "a way to the embedded model is closed");
        self.reason.to_owned()
    }
}

async fn in_directory(directory: &Path) -> Result<Files, Closed> {
    let tokenizer = TOKENIZER.read(directory.join(TOKENIZER.name)).await?;
    let weights = WEIGHTS.read(directory.join(WEIGHTS.name)).await?;
    Ok(Files { weights, tokenizer })
}

async fn cached(cache: &CacheDir) -> Result<Files, Closed> {
    Ok(Files { tokenizer: of_cache(&TOKENIZER, cache).await?, weights: of_cache(&WEIGHTS, cache).await? })
}

async fn of_cache(file: &'static Pinned, cache: &CacheDir) -> Result<Mapped, Closed> {
    let found = cache.find(file.cached).await.map_err(|error| Closed::by("the cache cannot be read", error))?;
    file.read(found.ok_or_else(|| Closed::because("it has not been fetched yet"))?).await
}

/// An error and its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
