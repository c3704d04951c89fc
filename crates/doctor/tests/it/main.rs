//! The doctor on lakes that are well, and on places where one thing is wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod replacing;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use base::{Seams, Timestamp};
use doctor::{CHECKS, Finding, Report, Status, Subject, examine, lake, machine, mend, ports};
use models::Routing;
use storage::{Durability, Location, Store};
use tempfile::TempDir;
use testkit::{FixedClock, Reply, Scripted, SeededDice};

/// A directory on a disk, as the lakes of people are; the machine's own temporary one may lie in memory.
fn ground() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// A subject in which everything is as it must be, but for the model, which is not here.
fn subject(lake: &Path, empty: &Path) -> Subject {
    Subject {
        lake: Location::Directory(lake.to_owned()),
        storage: storage::Config::default(),
        catalog: catalog::Config::default(),
        query: query::Config::default(),
        roster: "workers".parse().unwrap(),
        models: models::Config { cache_dir: Some(empty.to_owned()), ..models::Config::default() },
        routing: Routing {
            default_model: "all-MiniLM-L6-v2".to_owned(),
            ollama_url: "http://127.0.0.1:9".to_owned(),
            upstream: None,
        },
        uses_ollama: false,
        ports: vec![("gateway", (Ipv4Addr::LOCALHOST, 0).into())],
        cache: empty.to_owned(),
        seams: Seams::system(),
    }
}

fn of<'a>(findings: &'a [Finding], name: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.name == name).unwrap()
}

#[tokio::test]
async fn a_place_without_a_lake_is_well_and_stays_as_it_was() {
    let (ground, empty) = (ground(), ground());
    let findings = examine(&subject(&ground.path().join("deep/lake"), empty.path())).await;
    let names: Vec<&str> = findings.iter().map(|finding| finding.name).collect();
    assert_eq!(names, CHECKS);
    for name in ["disk", "fsync", "lake", "conditional_put", "clock", "ports"] {
        assert_eq!(of(&findings, name).status, Status::Ok, "{findings:#?}");
    }
    assert!(of(&findings, "lake").detail.contains("one can be made"));
    assert_eq!(of(&findings, "ollama").status, Status::Skipped);
    assert_eq!(ground.path().read_dir().unwrap().count(), 0, "nothing is left behind");
    let model = of(&findings, "model");
    assert_eq!((model.status, model.fix.as_deref()), (Status::Failed, Some("lakehouse embed \"a text\"")));
    assert!(model.detail.contains("it has not been fetched yet") && !model.detail.contains("download"), "{model:?}");
    assert!(!Report::from(findings).ok);
}

/// Two processes may give one name to a table and to a stream at the same moment.
#[tokio::test]
async fn a_table_that_hides_a_stream_is_named() {
    let (ground, empty) = (ground(), ground());
    let subject = subject(&ground.path().join("lake"), empty.path());
    let store = Store::open(&subject.lake, &subject.storage, Seams::system()).await.unwrap();
    let catalog = catalog::Catalog::open(store.clone(), &subject.catalog, Seams::system()).await.unwrap();
    let ingest = ingest::Ingest::new(catalog, &ingest::Config::default(), Seams::system());
    let body = futures::stream::iter([Ok("a\n1\n".into())]);
    ingest.load(ingest::Request::new("runs".parse().unwrap()), body, &ingest::Progress::default()).await.unwrap();
    assert_eq!(of(&examine(&subject).await, "lake").status, Status::Ok);
    let line = evidence::Line::read(r#"{"step": 1}"#).unwrap();
    evidence::Evidence::new(store, Seams::system()).append(&"runs".parse().unwrap(), line).await.unwrap();
    let findings = examine(&subject).await;
    let lake = of(&findings, "lake");
    let fix = format!("lakehouse catalog drop runs --lake {}", ground.path().join("lake").display());
    assert_eq!((lake.status, lake.fix.as_ref()), (Status::Failed, Some(&fix)), "{lake:?}");
}

#[tokio::test]
async fn what_is_wrong_is_told_with_why_and_what_mends_it() {
    let (ground, empty) = (ground(), ground());
    let file = ground.path().join("file");
    tokio::fs::write(&file, "no directory").await.unwrap();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let wrong = Subject {
        lake: Location::Directory(file.clone()),
        uses_ollama: true,
        ports: vec![("queryd", taken.local_addr().unwrap())],
        ..subject(&file, empty.path())
    };
    let findings = examine(&wrong).await;
    for (name, fix) in [
        ("lake", "mv -n "),
        ("ollama", "ollama serve"),
        ("ports", "lakehouse serve --set queryd.bind=127.0.0.1:0"),
        ("model", "lakehouse embed"),
    ] {
        let found = of(&findings, name);
        assert_eq!(found.status, Status::Failed, "{found:?}");
        assert!(found.why.is_some() && found.fix.as_ref().is_some_and(|told| told.contains(fix)), "{found:?}");
    }
    assert_eq!(of(&findings, "roster").status, Status::Skipped);
}

#[test]
fn a_path_is_one_word_to_a_shell() {
    for path in ["/data/lake", "/data/my lake", "/it's/$HOME", "", "a;b", "~", "-rf *", "\u{17c}\nb"] {
        let line = format!("printf %s {}", mend::word(path));
        let told = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
        assert_eq!(String::from_utf8(told.stdout).unwrap(), path);
    }
    assert_eq!(mend::word("/data/lake-1.2"), "/data/lake-1.2");
}

#[tokio::test]
async fn a_free_port_is_well_and_an_address_of_elsewhere_is_not() {
    let free: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
    assert_eq!(ports::check(&[("gateway", free)]).await.detail, "1 are free");
    let elsewhere: SocketAddr = (Ipv4Addr::new(192, 0, 2, 1), 3110).into();
    assert_eq!(ports::check(&[("gateway", elsewhere)]).await.status, Status::Failed);
}

#[tokio::test]
async fn a_store_whose_second_creator_wins_is_told() {
    let store = replacing::store();
    let found = lake::conditional_put(&store).await;
    assert_eq!(found.status, Status::Failed);
    assert!(found.detail.contains("cannot hold a lake") && found.why.is_some_and(|why| why.contains("two writers")));
    assert_eq!(found.fix, None, "no command makes another store of it");
    assert_eq!(lake::conditional_put(&testkit::lake::memory().await).await.status, Status::Ok);
}

#[tokio::test]
async fn a_clock_that_is_off_is_told() {
    let store = testkit::lake::memory().await;
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let never_set = machine::clock(&store, || at("1970-01-01T00:00:07Z")).await;
    let fast = machine::clock(&store, || at("2100-01-01T00:00:00Z")).await;
    for found in [never_set, fast] {
        assert_eq!((found.status, found.fix.as_deref()), (Status::Failed, Some("sudo timedatectl set-ntp true")));
    }
    let seams = Seams::new(Arc::new(FixedClock::at(Seams::system().now())), Arc::new(SeededDice::new(7)));
    assert_eq!(machine::clock(&store, || seams.now()).await.status, Status::Ok);
    assert_eq!(store.list("", None, 10).await.unwrap().entries, [], "the mark is removed");
}

#[tokio::test]
async fn what_lies_in_memory_does_not_last() {
    let on_disk = ground();
    let store = testkit::lake::memory().await;
    let told = machine::fsync(&store, Some(on_disk.path()), Durability::Power).await;
    assert!(told.status == Status::Ok && told.detail.contains("a synced write takes"), "{told:?}");
    let process = machine::fsync(&store, Some(on_disk.path()), Durability::Process).await;
    assert!(process.detail.contains("nothing is synced"), "{process:?}");
    assert_eq!(machine::fsync(&store, None, Durability::Power).await.status, Status::Skipped);
    // Linux keeps shared memory in a file system of this kind.
    let shared = Path::new("/dev/shm");
    if shared.is_dir() {
        let found = machine::fsync(&store, Some(shared), Durability::Power).await;
        assert!(found.status == Status::Failed && found.detail.contains("tmpfs"), "{found:?}");
        assert_eq!(found.fix, None, "no command makes a disk of it");
    }
}

#[tokio::test]
async fn a_lake_and_its_roster_are_opened() {
    let (ground, empty) = (ground(), ground());
    let place = ground.path().join("lake");
    let location = Location::Directory(place.clone());
    let store = Store::open(&location, &storage::Config::default(), Seams::system()).await.unwrap();
    catalog::Catalog::open(store.clone(), &catalog::Config::default(), Seams::system()).await.unwrap().close().await;
    let findings = examine(&subject(&place, empty.path())).await;
    let lake = of(&findings, "lake");
    assert!(lake.status == Status::Ok && lake.detail.contains("version 0"), "{lake:?}");
    assert!(of(&findings, "roster").detail.contains("no table workers"), "{findings:#?}");
    store.put("_lake/format.json", "{".into()).await.unwrap();
    let findings = examine(&subject(&place, empty.path())).await;
    let lake = of(&findings, "lake");
    assert!(lake.status == Status::Failed && lake.fix.as_ref().is_some_and(|fix| fix.contains("restore")), "{lake:?}");
}

/// An Ollama that has one model, which loads or does not.
fn ollama(loads: bool) -> Scripted {
    Scripted::start(move |asked| match asked.path.as_str() {
        "/api/tags" => Reply::json(200, r#"{"models": [{"name": "nomic:latest", "digest": "sha256:one"}]}"#),
        "/api/show" => Reply::json(200, r#"{"model_info": {"nomic.context_length": 2048}}"#),
        _ if loads => Reply::json(200, r#"{"embeddings": [[0.6, 0.8]]}"#),
        _ => Reply::json(500, r#"{"error": "out of memory"}"#),
    })
}

#[tokio::test]
async fn an_ollama_answers_has_the_model_and_loads_it() {
    let (ground, empty) = (ground(), ground());
    for (model, loads, status, told) in [
        ("all-MiniLM-L6-v2", true, Status::Ok, "it answers, and has 1 models"),
        ("ollama/nomic", true, Status::Ok, "nomic is loaded"),
        ("ollama/nomic", false, Status::Failed, "nomic does not load"),
        ("ollama/other", true, Status::Failed, "has no model other"),
    ] {
        let server = ollama(loads);
        let mut asked = subject(&ground.path().join("lake"), empty.path());
        asked.uses_ollama = true;
        asked.routing.default_model = model.to_owned();
        asked.routing.ollama_url = server.url();
        let findings = examine(&asked).await;
        let found = of(&findings, "ollama");
        assert_eq!(found.status, status, "{model}: {found:?}");
        assert!(found.detail.contains(told), "{found:?}");
        assert_eq!(found.fix.as_deref().unwrap_or_default().starts_with("ollama "), status == Status::Failed);
    }
}
