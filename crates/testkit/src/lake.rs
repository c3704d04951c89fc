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

    /// A copy of the lake in another directory.
    pub async fn copy_of(from: &Path) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        copy_tree(from, directory.path());
        let store = open(directory.path(), Seams::system()).await;
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

/// Copies a lake as an operator would, file by file. What dead processes left unfinished stays behind.
#[expect(clippy::disallowed_methods, reason = "a lake is copied by other tools than ours")]
pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory that reads") {
        let entry = entry.expect("an entry of a directory");
        let (name, kind) = (entry.file_name(), entry.file_type().expect("a file or a directory"));
        if name == ".tmp" {
            continue;
        }
        if kind.is_dir() {
            copy_tree(&entry.path(), &to.join(name));
        } else {
            std::fs::copy(entry.path(), to.join(name)).expect("a copy of a file");
        }
    }
}

/// A kept lake of an earlier release. With `UPDATE_FORMATS=1` one that is missing is written first, by living `life`: a
/// release writes the lake of a format that is new in it, and none that an earlier one wrote.
#[expect(clippy::disallowed_methods, reason = "the switch that writes kept lakes is for developers")]
pub async fn kept(at: &Path, life: impl AsyncFn(&Store)) -> TestLake {
    if !at.exists() && std::env::var_os("UPDATE_FORMATS").is_some() {
        let fresh = TestLake::open().await;
        life(&fresh.store).await;
        copy_tree(fresh.path(), at);
    }
    TestLake::copy_of(at).await
}

async fn open(path: &Path, seams: Seams) -> Store {
    let location = Location::Directory(path.to_owned());
    Store::open(&location, &config(), seams).await.expect("a store in a directory")
}
