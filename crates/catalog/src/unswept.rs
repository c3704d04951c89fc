//! Whether staged files outlived the sweeps: a sweep commits before it deletes, so every later commit knows of it.

use futures::{StreamExt, TryStreamExt, stream};
use storage::Store;

use crate::error::Result;
use crate::state::State;

/// How many files are looked at at once.
const AT_ONCE: usize = 16;

/// Whether no sweep that `state` knows of may have deleted these files, which nobody can reach yet. How long ago their
/// writer began is not known, so every sweep matters.
pub(crate) async fn all(store: &Store, state: &State, paths: impl Iterator<Item = &str>) -> Result<bool> {
    let Some(swept) = state.swept else { return Ok(true) };
    let younger = paths.map(|path| async move {
        match store.head(path).await {
            Ok(entry) => Ok(entry.modified >= swept.before),
            Err(storage::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    });
    stream::iter(younger.collect::<Vec<_>>()).buffered(AT_ONCE).try_all(|younger| async move { younger }).await
}
