//! Where a model's files come from: a directory that the user names, the cache, the model hub, a Python package.
//!
//! Whatever the way, a file is used only if it has the pinned SHA-256.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use storage::{CacheDir, Mapped, task};
use tokio::sync::Mutex;

use crate::config::Config;
use crate::embedded::kit::{Kit, Pinned};
use crate::embedded::lazy::Build;
use crate::embedded::{hub, package};
use crate::error::Cause;
use crate::progress::{Phase, Progress};

/// The ways to the files that the settings allow.
pub(crate) struct Source {
    kit: &'static Kit,
    /// Holds the files; nothing is fetched then.
    directory: Option<PathBuf>,
    cache_dir: PathBuf,
    download: bool,
    /// Where the model hub has the files, if it does.
    hub_url: Option<String>,
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
    tokenizer: Option<Mapped>,
}

impl Source {
    /// Those of a model that the hub may have under a URL, and the user in a directory.
    pub(crate) fn new(
        config: &Config,
        kit: &'static Kit,
        hub_url: Option<&String>,
        directory: Option<&PathBuf>,
    ) -> Arc<Self> {
        let fallback = || std::env::temp_dir().join("lakehouse-models");
        Arc::new(Self {
            kit,
            directory: directory.cloned(),
            cache_dir: config.cache_dir.clone().unwrap_or_else(fallback),
            download: config.download,
            hub_url: hub_url.cloned(),
            python: config.python.clone(),
            progress: Progress::default(),
            fetching: Mutex::default(),
        })
    }

    /// Whether the files need not be fetched. They are checked when they are loaded.
    pub(crate) async fn is_here(&self) -> bool {
        if self.directory.is_some() {
            return true;
        }
        let Ok(cache) = CacheDir::open(&self.cache_dir).await else { return false };
        for file in self.kit.files() {
            if !matches!(cache.find(file.cached).await, Ok(Some(_))) {
                return false;
            }
        }
        true
    }

    /// Finds or fetches the files and loads the model. A failure says for each way why it is closed.
    pub(crate) async fn load<T: Send + 'static>(&self, build: Build<T>) -> Result<T, String> {
        let loaded = match self.files().await {
            Ok(files) => self.build(files, build).await.map_err(|closed| closed.logged()),
            Err(reasons) => Err(reasons),
        };
        self.progress.enter(if loaded.is_ok() { Phase::Ready } else { Phase::Failed }, 0);
        loaded
    }

    async fn build<T: Send + 'static>(&self, files: Files, build: Build<T>) -> Result<T, Closed> {
        self.progress.enter(Phase::Loading, 0);
        let load = move || build(files.weights, files.tokenizer.as_deref().unwrap_or_default());
        let loaded = task::blocking("load a model", load).await;
        let loaded = loaded.map_err(|error| Closed::by("loading it failed", error))?;
        loaded.map_err(|error| Closed::by("its files cannot be read", error))
    }

    async fn files(&self) -> Result<Files, String> {
        let _fetching = self.fetching.lock().await;
        if let Some(directory) = &self.directory {
            return in_directory(self.kit, directory).await.map_err(Closed::logged);
        }
        let cache = CacheDir::open(&self.cache_dir).await;
        let cache = cache.map_err(|error| Closed::by("models.cache_dir cannot be used", error).logged())?;
        match cached(self.kit, &cache).await {
            Ok(files) => return Ok(files),
            Err(closed) if !self.download => return Err(format!("{}; models.download is off", closed.logged())),
            Err(_) => {}
        }
        let mut reasons = Vec::new();
        if let Some(url) = &self.hub_url {
            self.progress.enter(Phase::Hub, self.kit.files().map(|file| file.size).sum());
            match hub::fetch(url, self.kit, &cache, &self.progress).await {
                Ok(()) => return cached(self.kit, &cache).await.map_err(Closed::logged),
                Err(closed) => reasons.push(closed.logged()),
            }
        }
        self.progress.enter(Phase::Package, 0);
        match package::fetch(&self.python, self.kit, &cache).await {
            Ok(()) => return cached(self.kit, &cache).await.map_err(Closed::logged),
            Err(closed) => reasons.push(closed.logged()),
        }
        Err(reasons.join("; "))
    }
}

impl Pinned {
    async fn read(&'static self, path: PathBuf) -> Result<Mapped, Closed> {
        let read = task::blocking("read a file of the model", move || {
            let bytes = Mapped::file(&path)?;
            Ok::<_, storage::Error>(self.is(&bytes).then_some(bytes))
        });
        let read = read.await.map_err(|error| Closed::by("reading its files failed", error))?;
        let read = read.map_err(|error| Closed::by("its files cannot be read", error))?;
        read.ok_or_else(|| Closed::because(self.another))
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
        tracing::warn!(reason = self.reason, cause, "a way to an embedded model is closed");
        self.reason.to_owned()
    }
}

async fn in_directory(kit: &'static Kit, directory: &Path) -> Result<Files, Closed> {
    let tokenizer = match &kit.tokenizer {
        Some(file) => Some(file.read(directory.join(file.name)).await?),
        None => None,
    };
    let weights = kit.weights.read(directory.join(kit.weights.name)).await?;
    Ok(Files { weights, tokenizer })
}

async fn cached(kit: &'static Kit, cache: &CacheDir) -> Result<Files, Closed> {
    let tokenizer = match &kit.tokenizer {
        Some(file) => Some(of_cache(file, cache).await?),
        None => None,
    };
    Ok(Files { tokenizer, weights: of_cache(&kit.weights, cache).await? })
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
