//! Where files outside the lake are kept when nobody says where.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::Config;
use super::environment::Environment;
use super::faults::Faults;

#[cfg(test)]
mod tests;

/// Our own directory among those of other programs.
const NAME: &str = "lakehouse";
/// Fetched models, below the cache directory.
const MODELS: &str = "models";

/// Settles every place that was not written.
pub fn settle(config: &mut Config, environment: &Environment, faults: &mut Faults) {
    if config.cache.dir.is_none() {
        match usual(environment) {
            Ok(directory) => config.cache.dir = Some(directory),
            Err(reason) => return faults.add(format!("cache.dir: {reason}; write which directory to use")),
        }
    }
    let models = config.cache.dir.as_ref().map(|cache| cache.join(MODELS));
    config.models.cache_dir = config.models.cache_dir.take().or(models);
}

/// The user's cache directory; without a home that is there, one of this user's own among the temporary files.
fn usual(environment: &Environment) -> Result<PathBuf, String> {
    let stated = environment.get("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment.get("HOME").map(Path::new).filter(|home| home.is_dir()).map(|home| home.join(".cache"));
    if let Some(caches) = stated.or_else(home) {
        return Ok(caches.join(NAME));
    }
    let user = rustix::process::geteuid().as_raw();
    own(std::env::temp_dir().join(format!("{NAME}-{user}")), user)
}

/// A directory that this user alone may use. Anybody can make one of this name first, and what is mapped from it must
/// not change under our hands.
fn own(path: PathBuf, user: u32) -> Result<PathBuf, String> {
    let cannot = |error: std::io::Error| format!("there is no home directory, and {}: {error}", path.display());
    match std::fs::DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(cannot(error)),
        _ => {}
    }
    let found = std::fs::symlink_metadata(&path).map_err(cannot)?;
    if found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0 {
        return Ok(path);
    }
    Err(format!("there is no home directory, and others may use {}", path.display()))
}
