//! How many files and connections the system lets this process have.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit on open files as far as the system allows, and says what it is then: each connection is one.
pub fn raise() -> usize {
    let before = getrlimit(Resource::Nofile);
    let mut limit = before;
    limit.current = limit.maximum;
    let reached = match setrlimit(Resource::Nofile, limit) {
        Ok(()) => limit.current,
        Err(error) => {
            tracing::warn!(%error, "the limit on open files stays as it is");
            before.current
        }
    };
    reached.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX)
}
