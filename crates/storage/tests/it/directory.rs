//! What only a directory can get wrong: crashes, other processes, and what lies in it besides objects.

use std::fs::{self, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

use base::Seams;
use bytes::Bytes;
use futures::future::join_all;
use futures::{StreamExt, stream};
use storage::{Config, Error, If, Key, Location, Objects, Store};
use testkit::TestLake;

use crate::store::pattern;

/// The unfinished files of a lake.
fn unfinished(lake: &Path) -> Vec<String> {
    let found = fs::read_dir(lake.join(".tmp")).expect("the directory of unfinished files");
    let names = found.map(|found| found.expect("an entry").file_name().into_string().expect("text"));
    names.filter(|name| name != "lock").collect()
}

#[tokio::test]
async fn a_lake_is_made_with_the_directories_above_it_and_opens_again() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("not/there/yet");
    let location = Location::Directory(path.clone());
    let store = Store::open(&location, &Config::default(), Seams::system()).await.expect("made");
    store.create("_lake/log/1", Bytes::from_static(b"one")).await.expect("synced and all");
    store.put("objects/x", pattern(3_000_000)).await.expect("put");
    let real = fs::canonicalize(path).expect("there");
    assert_eq!(store.uri(), format!("file://{}", real.display()));
    let again = Store::open(&location, &Config::default(), Seams::system()).await.expect("opened");
    assert_eq!(again.get("_lake/log/1").await.expect("get"), "one");
    assert!(again.get("objects/x").await.expect("get") == pattern(3_000_000));
}

#[tokio::test]
async fn what_is_abandoned_leaves_no_file() {
    let lake = TestLake::open().await;
    let objects = Objects::new(lake.store.clone(), &Config::default());
    let mut writer = lake.store.writer("abandoned").await.expect("a writer");
    writer.append(pattern(3_000_000)).await.expect("append");
    assert_eq!(unfinished(lake.path()).len(), 1);
    drop(writer);
    let key: Key = "torn".parse().expect("a key");
    let body = stream::iter([Ok(pattern(3_000_000)), Err(storage::BodyError::TooSlow)]);
    objects.put(&key, If::Always, None, body).await.expect_err("it broke off");
    lake.store.create("taken", Bytes::new()).await.expect("free");
    lake.store.create("taken", Bytes::new()).await.expect_err("taken");
    while !unfinished(lake.path()).is_empty() {
        // What was given up is removed by tasks that need their turn.
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn files_of_crashed_writers_are_removed_when_old() {
    let lake = TestLake::open().await;
    let age = |name: &str, seconds: u64| {
        let file = fs::File::create(lake.path().join(".tmp").join(name)).expect("a file");
        let then = SystemTime::UNIX_EPOCH + file_system_now(lake.path()) - Duration::from_secs(seconds);
        file.set_times(FileTimes::new().set_modified(then)).expect("aged");
    };
    age("crashed", 3700);
    age("at-work", 3500);
    let store = lake.reopen().await;
    assert_eq!(unfinished(lake.path()), ["at-work"]);
    assert_eq!(store.list("", None, 10).await.expect("a list").entries, [], "unfinished files are no objects");
    assert!(matches!(store.get("objects/.tmp").await, Err(Error::NotFound { .. })));
}

/// The file system's clock, since the last touch of a file is measured with it.
fn file_system_now(lake: &Path) -> Duration {
    let touched = lake.join(".tmp/lock");
    fs::write(&touched, b"").expect("touched");
    let modified = fs::metadata(touched).and_then(|metadata| metadata.modified()).expect("a time");
    modified.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970")
}

#[tokio::test]
async fn empty_directories_are_no_objects_and_stand_in_nobodys_way() {
    let lake = TestLake::open().await;
    fs::create_dir_all(lake.path().join("objects/left/over/by/a/crash")).expect("directories");
    assert_eq!(lake.store.list("", None, 10).await.expect("a list").entries, []);
    lake.store.create("objects/left", Bytes::from_static(b"x")).await.expect("they give way");
    lake.store.put("a/b/c", Bytes::new()).await.expect("put");
    lake.store.delete("a/b/c").await.expect("delete");
    assert!(!lake.path().join("a").exists(), "directories go with their last object");
}

#[tokio::test]
async fn creating_and_removing_beside_each_other_never_fails() {
    let lake = TestLake::open().await;
    let location = Location::Directory(lake.path().to_owned());
    let synced = Store::open(&location, &Config::default(), Seams::system()).await.expect("opened again");
    let stores = [lake.store.clone(), synced];
    let work = (0..8).map(|worker| {
        let store = stores[worker % 2].clone();
        async move {
            for round in 0..40 {
                let path = format!("shared/directory/{worker}-{round}");
                store.create(&path, Bytes::from_static(b"x")).await.expect("created");
                store.delete(&path).await.expect("deleted");
            }
        }
    });
    let workers: Vec<_> = work.map(|work| storage::task::spawn("worker", work)).collect();
    for worker in workers {
        worker.await.expect("no panic");
    }
}

#[tokio::test]
async fn if_matches_is_atomic_between_openings_of_one_lake() {
    let lake = TestLake::open().await;
    let key: Key = "counter".parse().expect("a key");
    let counters = [Objects::new(lake.store.clone(), &many()), Objects::new(lake.reopen().await, &many())];
    let zero = stream::iter([Ok(Bytes::from_static(b"0"))]);
    counters[0].put(&key, If::Always, None, zero).await.expect("zero");
    let workers = (0..8).map(|worker| {
        let (counter, key) = (counters[worker % 2].clone(), key.clone());
        storage::task::spawn("counts", async move {
            for _ in 0..25 {
                while !count(&counter, &key).await {}
            }
        })
    });
    join_all(workers).await.into_iter().for_each(|worker| worker.expect("no panic"));
    assert_eq!(lake.store.get("objects/counter").await.expect("get"), "200");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_put_and_a_delete_for_the_same_write_one_wins() {
    let lake = TestLake::open().await;
    let key: Key = "contested".parse().expect("a key");
    let sides = [Objects::new(lake.store.clone(), &many()), Objects::new(lake.reopen().await, &many())];
    for _ in 0..50 {
        let bytes = || stream::iter([Ok(Bytes::from_static(b"x"))]);
        let etag = sides[0].put(&key, If::Always, None, bytes()).await.expect("put").etag;
        let (putting, put_key, condition) = (sides[0].clone(), key.clone(), If::Matches(etag.clone()));
        let put = storage::task::spawn("put", async move { putting.put(&put_key, condition, None, bytes()).await });
        let deleted = sides[1].delete(&key, Some(&etag)).await.is_ok();
        let replaced = put.await.expect("no panic").is_ok();
        assert_ne!(deleted, replaced);
        assert_eq!(sides[0].head(&key).await.is_ok(), replaced);
    }
}

fn many() -> Config {
    Config { concurrent_puts: 100, ..Config::default() }
}

/// Adds one; answers whether nobody else did in between.
async fn count(counter: &Objects, key: &Key) -> bool {
    let reading = counter.get(key, None).await.expect("there");
    let pieces: Vec<_> = reading.stream.collect().await;
    let number: u64 =
        String::from_utf8(pieces[0].as_ref().expect("read").to_vec()).expect("text").parse().expect("number");
    let next = stream::iter([Ok(Bytes::from((number + 1).to_string()))]);
    match counter.put(key, If::Matches(reading.entry.etag), None, next).await {
        Ok(_) => true,
        Err(Error::Precondition { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_long_directory_is_listed_whole() {
    let lake = TestLake::open().await;
    let names: Vec<String> = (0..2_500).map(|number| format!("many/{number:05}")).collect();
    fs::create_dir(lake.path().join("many")).expect("a directory");
    for name in &names {
        fs::write(lake.path().join(name), b"x").expect("a file");
    }
    let page = lake.store.list("many/", None, 10_000).await.expect("a list");
    assert!(page.entries.iter().map(|entry| &entry.path).eq(&names));
    let page = lake.store.list("many/", Some("many/00998"), 3).await.expect("a list");
    assert!(page.entries.iter().map(|entry| &entry.path).eq(&names[999..1002]));
}

#[tokio::test]
async fn what_is_no_directory_is_refused_without_a_panic() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("file");
    fs::write(&path, b"x").expect("a file");
    let refused = Store::open(&Location::Directory(path), &Config::default(), Seams::system()).await;
    let message = refused.expect_err("a file is no lake").to_string();
    assert!(!message.contains(&*home.path().to_string_lossy()), "{message}");
}
