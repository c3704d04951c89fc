//! Where files outside the lake are kept when nobody says where.

use std::path::{Path, PathBuf};

use super::Config;
use super::environment::Environment;

/// Our own directory among those of other programs.
const NAME: &str = "lakehouse";
/// Fetched models, below the cache directory.
const MODELS: &str = "models";

/// Settles every place that was not written.
pub fn settle(config: &mut Config, environment: &Environment) {
    let cache = config.cache.dir.get_or_insert_with(|| usual(environment));
    config.models.cache_dir.get_or_insert_with(|| cache.join(MODELS));
}

/// The user's cache directory; without a home that is there, the system's temporary one.
fn usual(environment: &Environment) -> PathBuf {
    let stated = environment.get("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment.get("HOME").map(Path::new).filter(|home| home.is_dir()).map(|home| home.join(".cache"));
    stated.or_else(home).unwrap_or_else(std::env::temp_dir).join(NAME)
}
