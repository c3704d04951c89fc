//! Derived files outside the lake, and objects that are read in place.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base::{Fault, Seams};
use object_store::memory::InMemory;
use storage::{CacheDir, Mapped, Store};

use crate::contract::Bench;
use crate::store::pattern;

/// The names in a directory, sorted.
fn names(path: &std::path::Path) -> Vec<String> {
    let found = fs::read_dir(path).expect("a directory");
    let mut names: Vec<_> =
        found.map(|found| found.expect("an entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_cached_file_has_its_name_once_it_is_complete() {
    let home = tempfile::tempdir().expect("a directory");
    let cache = CacheDir::open(&home.path().join("new/cache")).await.expect("a cache");
    let bytes = pattern(3_000_001);
    let mut writer = cache.writer("weights").await.expect("a writer");
    for piece in bytes.chunks(100_000) {
        writer.append(piece).await.expect("append");
    }
    assert_eq!(cache.find("weights").await.expect("find"), None);
    let path = writer.finish().await.expect("finish");
    assert_eq!(cache.find("weights").await.expect("find"), Some(path.clone()));
    assert!(*Mapped::file(&path).expect("mapped") == *bytes);
    // Another writer replaces the file; who has the old one open keeps it.
    let old = Mapped::file(&path).expect("mapped");
    let mut writer = cache.writer("weights").await.expect("a writer");
    writer.append(b"new").await.expect("append");
    assert_eq!(writer.finish().await.expect("finish"), path);
    assert_eq!((&*Mapped::file(&path).expect("mapped"), *old == *bytes), (b"new".as_slice(), true));
    cache.remove("weights").await.expect("remove");
    cache.remove("weights").await.expect("removed already");
    assert_eq!(names(cache.path()), Vec::<String>::new());
    assert!(*old == *bytes);
}

#[tokio::test]
async fn an_abandoned_file_vanishes_at_once_and_a_dead_writers_after_a_day() {
    let home = tempfile::tempdir().expect("a directory");
    let cache = CacheDir::open(home.path()).await.expect("a cache");
    let mut writer = cache.writer("a").await.expect("a writer");
    writer.append(b"half").await.expect("append");
    drop(writer);
    assert_eq!(names(home.path()), Vec::<String>::new());
    let left = |name: &str, hours: u64| {
        let file = fs::File::create(home.path().join(name)).expect("a file");
        file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).expect("aged");
    };
    left(".unfinished-old", 25);
    left(".unfinished-new", 23);
    left("old", 1000);
    CacheDir::open(home.path()).await.expect("a cache");
    assert_eq!(names(home.path()), [".unfinished-new", "old"]);
}

#[tokio::test]
async fn a_cached_file_has_a_plain_name() {
    let home = tempfile::tempdir().expect("a directory");
    let cache = CacheDir::open(home.path()).await.expect("a cache");
    for name in ["", ".", "..", ".hidden", "a/b", "/etc/passwd", "a\0b"] {
        assert_eq!(cache.find(name).await.expect_err(name).code(), "storage.invalid_key", "{name:?}");
        assert_eq!(cache.writer(name).await.expect_err(name).code(), "storage.invalid_key", "{name:?}");
    }
}

/// What is stored is read in place, aligned, whatever its size; and goes on to be read when it is removed or replaced.
pub async fn objects_are_read_in_place(bench: Bench) {
    let home = tempfile::tempdir().expect("a directory");
    let cache = CacheDir::open(home.path()).await.expect("a cache");
    for length in [0, 1, 64, 1_000_003] {
        bench.store.put("x/a b", pattern(length)).await.expect("put");
        for _ in 0..2 {
            let mapped = bench.store.mapped("x/a b", &cache).await.expect("mapped");
            assert!(*mapped == *pattern(length), "{length}");
            assert_eq!(mapped.as_ptr().addr() % 64, 0);
        }
    }
    let kept = bench.store.mapped("x/a b", &cache).await.expect("mapped");
    // Files of a cache may be removed or replaced by rename at any time.
    for name in names(home.path()) {
        fs::remove_file(home.path().join(&name)).expect("removed");
        fs::write(home.path().join(&name), b"short").expect("replaced");
    }
    assert!(*bench.store.mapped("x/a b", &cache).await.expect("mapped again") == *pattern(1_000_003));
    bench.store.delete("x/a b").await.expect("deleted");
    assert_eq!(bench.store.mapped("x/a b", &cache).await.expect_err("gone").code(), "storage.not_found");
    assert!(*kept == *pattern(1_000_003));
}

#[tokio::test]
async fn a_directory_is_mapped_without_a_copy() {
    let lake = testkit::TestLake::open().await;
    let home = tempfile::tempdir().expect("a directory");
    let cache = CacheDir::open(home.path()).await.expect("a cache");
    lake.store.put("a", pattern(5_000_000)).await.expect("put");
    assert!(*lake.store.mapped("a", &cache).await.expect("mapped") == *pattern(5_000_000));
    assert_eq!(names(home.path()), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_cache_does_not_take_is_read_all_the_same() {
    let home = tempfile::tempdir().expect("a directory");
    let cache = CacheDir::open(&home.path().join("cache")).await.expect("a cache");
    let store = Store::over(Arc::new(InMemory::new()), "memory://lake", Seams::system());
    store.put("x/a", pattern(1_000_003)).await.expect("put");
    fs::remove_dir(cache.path()).expect("the cache takes nothing any more");
    assert!(*store.mapped("x/a", &cache).await.expect("mapped") == *pattern(1_000_003));
    let sent = store.put_mapped("x/b", pattern(77), &cache).await.expect("put and mapped");
    assert_eq!((&*sent, store.get("x/b").await.expect("get")), (&*pattern(77), pattern(77)));
    assert_eq!(store.mapped("x/c", &cache).await.expect_err("absent").code(), "storage.not_found");
}
