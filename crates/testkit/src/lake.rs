//! Stores for tests, each with a lake of its own.

use std::path::Path;

use base::Seams;
use storage::{Config, Durability, Location, Store};
use tempfile::TempDir;

/// A store in a temporary directory that vanishes with this.
pub struct TestLake {
    /// The store.
    pub store: Store,
    directory: TempDir,
}

impl TestLake {
    /// A new lake in a directory, with the machine's clock and dice. Nothing is synced: tests do not lose power.
    pub async fn open() -> Self {
        Self::with(Seams::system()).await
    }

    /// A new lake in a directory, with these seams.
    pub async fn with(seams: Seams) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let store = open(directory.path(), seams).await;
        Self { store, directory }
    }

    /// Where the lake lies.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The same lake, opened again as another process would.
    pub async fn reopen(&self) -> Store {
        open(self.path(), Seams::system()).await
    }
}

/// A new store in memory, with the machine's clock and dice.
pub async fn memory() -> Store {
    Store::open(&Location::Memory, &config(), Seams::system()).await.expect("a store in memory")
}

/// The settings of stores for tests.
pub fn config() -> Config {
    Config { durability: Durability::Process, ..Config::default() }
}

async fn open(path: &Path, seams: Seams) -> Store {
    let location = Location::Directory(path.to_owned());
    Store::open(&location, &config(), seams).await.expect("a store in a directory")
}
