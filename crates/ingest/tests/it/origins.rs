//! Sources that requests name: paths of the machine, objects of the lake, queries to a real Postgres.

use std::collections::BTreeMap;

use base::{Fault, Kind, Seams, Span};
use bytes::Bytes;
use catalog::{Catalog, Mode};
use ingest::{Config, Error, Evolve, Ingest, OnError, Origin, Outcome, Postgres, Progress, Request};
use storage::Secret;
use tempfile::TempDir;
use testkit::{PostgresServer, TestLake};

use crate::lake::{Lake, appending, request, show};

pub async fn lake(config: &Config) -> Lake {
    let lake = TestLake::open().await;
    let catalog = Catalog::open(lake.store.clone(), &catalog::Config::default(), Seams::system()).await.unwrap();
    let ingest = Ingest::new(catalog.clone(), config, Seams::system());
    Lake { lake, catalog, ingest }
}

pub async fn load(lake: &Lake, request: Request, origin: Origin) -> Result<Outcome, Error> {
    lake.ingest.load_from(request, origin, &Progress::default()).await
}

fn keyed(request: Request) -> Request {
    Request { idempotency_key: Some("once".into()), ..request }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_below_an_allowed_directory_is_loaded_like_an_upload() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("people.csv");
    #[expect(clippy::disallowed_methods, reason = "the file that is to be found")]
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("id,city\n1,Toledo\n");
    let origin = || Origin::Path(file.to_str().unwrap().into());
    let lake = lake(&Config { allowed_roots: vec![home.path().into()], ..Config::default() }).await;

    let first = load(&lake, request("t"), origin()).await.unwrap();
    assert_eq!((first.row_count, first.existing), (1, false));
    assert!(load(&lake, request("t"), origin()).await.unwrap().existing, "the same bytes");
    assert!(lake.load("t", "id,city\n1,Toledo\n").await.existing, "the same bytes, uploaded");

    let once = load(&lake, keyed(appending("t")), origin()).await.unwrap();
    write("id,city\n1,Toledo\n2,Akron\n");
    let again = load(&lake, keyed(appending("t")), origin()).await.unwrap();
    assert_eq!((again.version, again.total_rows), (once.version, 2), "the key stands for the request");
    assert_eq!(again.row_count, 1, "what was loaded, not what stands there now");
    write("[{\"id\":3}]\n");
    assert_eq!(load(&lake, keyed(appending("t")), origin()).await.unwrap().version, once.version, "another format");
    #[expect(clippy::disallowed_methods, reason = "the file that is gone")]
    std::fs::remove_file(&file).unwrap();
    assert_eq!(load(&lake, keyed(appending("t")), origin()).await.unwrap().version, once.version, "nothing is there");
    let skipping = Request { on_error: OnError::Skip, ..keyed(appending("t")) };
    assert_eq!(load(&lake, skipping, origin()).await.unwrap_err().code(), "catalog.key_reused");
    write("id,city\n1,Toledo\n");

    let outside = load(&lake, request("t"), Origin::Path("/etc/passwd".into())).await.unwrap_err();
    assert_eq!((outside.code(), outside.kind()), ("storage.path_denied", Kind::Denied));
    let nowhere = Lake::open().await;
    assert_eq!(
        load(&nowhere, request("t"), origin()).await.unwrap_err().kind(),
        Kind::Denied,
        "none is allowed at first"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_the_lake_is_loaded_like_an_upload() {
    let lake = Lake::open().await;
    let bytes = Bytes::from_static(b"id,city\n1,Toledo\n2,Akron\n");
    lake.lake.store.create("objects/in/people.csv", bytes).await.unwrap();
    let origin = |key: &str| Origin::Object(key.into());
    let outcome = load(&lake, request("t"), origin("in/people.csv")).await.unwrap();
    assert_eq!(outcome.row_count, 2);
    let once = load(&lake, keyed(appending("t")), origin("in/people.csv")).await.unwrap();
    let again = load(&lake, keyed(appending("t")), origin("in/people.csv")).await.unwrap();
    assert_eq!((again.version, again.total_rows), (once.version, 4));
    let absent = load(&lake, request("t"), origin("absent")).await.unwrap_err();
    assert_eq!((absent.code(), absent.to_string().as_str()), ("storage.not_found", "\"absent\" is not there"));
    assert_eq!(load(&lake, request("t"), origin("../x")).await.unwrap_err().code(), "storage.invalid_key");
    let reused = load(&lake, keyed(appending("t")), origin("other")).await.unwrap_err();
    assert_eq!(reused.code(), "catalog.key_reused");
}

fn asking(server: &PostgresServer, timeout: Span) -> Config {
    database(Postgres { url: Secret::new(server.url()), authorities: None, timeout })
}

pub fn database(crm: Postgres) -> Config {
    Config { postgres: BTreeMap::from([("crm".to_owned(), crm)]), ..Config::default() }
}

pub fn query(sql: &str) -> Origin {
    Origin::Postgres { database: "crm".into(), query: sql.into() }
}

const EVERY_TYPE: &str = "
    CREATE TYPE mood AS ENUM ('calm', 'cross');
    CREATE TABLE every (
        id int PRIMARY KEY, small smallint, big bigint, half real, whole double precision, sure boolean, word text,
        short varchar(9), fixed char(3), day date, local timestamp, at timestamptz, price numeric(12, 2), any_number numeric,
        key uuid, doc jsonb, raw bytea, feeling mood, list int[], span interval, net inet
    );
    INSERT INTO every VALUES
        (1, -32768, 9223372036854775807, 0.1, 1e300, true, 'Zoë \"x\", y', 'ab', 'c', '0001-01-01', '2026-01-02 03:04:05.678901',
         '2026-01-02 03:04:05+02', -1234567890.05, 3.14159265358979323846264338327950288, '6f2c8a54-0d0c-4d3c-9d8f-1c2d3e4f5a6b',
         '{\"a\": [1, null]}', '\\xdeadbeef', 'calm', '{1,NULL,3}', '1 day 02:03:04', '10.0.0.1/8'),
        (2, NULL, NULL, 'NaN', '-Infinity', NULL, '', NULL, NULL, '9999-12-31', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
         NULL, NULL, NULL);";

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_postgres_arrives() {
    let Some(server) = PostgresServer::start("ingest::origins::every_type_of_postgres_arrives") else { return };
    server.sql(EVERY_TYPE);
    let lake = lake(&asking(&server, Span::secs(60))).await;
    let outcome = load(&lake, request("t"), query("SELECT * FROM every ORDER BY id -- all of it")).await.unwrap();
    assert_eq!((outcome.row_count, outcome.existing), (2, false));
    let types = lake.types("t").await;
    let types: Vec<&str> = types.iter().map(|(_, ty)| ty.as_str()).collect();
    assert_eq!(
        types.join(" "),
        "int64 int64 int64 float float64 bool string string string date timestamp timestamptz decimal(12,2) string \
         string string binary string string string string"
    );
    let rows = lake.rows("t").await;
    assert_eq!(
        show(&rows)[0],
        [
            "1",
            "-32768",
            "9223372036854775807",
            "0.1",
            "1e300",
            "true",
            "Zoë \"x\", y",
            "ab",
            "c  ",
            "0001-01-01",
            "2026-01-02T03:04:05.678901",
            "2026-01-02T01:04:05Z",
            "-1234567890.05",
            "3.14159265358979323846264338327950288",
            "6f2c8a54-0d0c-4d3c-9d8f-1c2d3e4f5a6b",
            "{\"a\": [1, null]}",
            "deadbeef",
            "calm",
            "{1,NULL,3}",
            "1 day 02:03:04",
            "10.0.0.1/8",
        ]
    );
    let second = &show(&rows)[1];
    assert_eq!(second[..8], ["2", "NULL", "NULL", "NaN", "-inf", "NULL", "", "NULL"]);
    assert!(second[10..].iter().all(|cell| *cell == "NULL"));

    let again = load(&lake, request("t"), query("SELECT * FROM every ORDER BY id ; -- ; all of it")).await.unwrap();
    assert!(again.existing, "the same rows make no version");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_stand_alone_are_asked_as_they_are() {
    let Some(server) = PostgresServer::start("ingest::origins::statements_that_stand_alone_are_asked_as_they_are")
    else {
        return;
    };
    let lake = lake(&asking(&server, Span::secs(60))).await;
    for (number, sql) in
        ["EXPLAIN SELECT 1", "EXPLAIN (FORMAT JSON) SELECT 1 ; -- why", "SHOW TimeZone"].iter().enumerate()
    {
        let outcome = load(&lake, request(&format!("t{number}")), query(sql)).await;
        assert_eq!(outcome.unwrap().row_count, 1, "{sql}");
    }
    let error = load(&lake, request("t"), query("EXPLAIN (FORMAT XML) SELECT 1")).await.unwrap_err();
    assert_eq!(error.code(), "ingest.query_refused");
    assert!(error.to_string().contains("\"QUERY PLAN\" has a type that only a SELECT"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_replaces_appends_evolves_and_drifts_like_a_file() {
    let Some(server) =
        PostgresServer::start("ingest::origins::a_query_replaces_appends_evolves_and_drifts_like_a_file")
    else {
        return;
    };
    server.sql("CREATE TABLE people (id int, email text); INSERT INTO people VALUES (1, 'ann@example.org')");
    let lake = lake(&asking(&server, Span::secs(60))).await;
    lake.load("t", "id,email\n7,bob@example.org\n").await;
    let all = || query("SELECT id, email FROM people");
    let once = load(&lake, keyed(appending("t")), all()).await.unwrap();
    server.sql("INSERT INTO people VALUES (2, 'eve@example.org')");
    let again = load(&lake, keyed(appending("t")), all()).await.unwrap();
    assert_eq!((again.version, again.total_rows), (once.version, 2), "the key stands for the query, not for its rows");
    let reused = load(&lake, keyed(appending("t")), query("SELECT 1 AS id, 'x' AS email")).await.unwrap_err();
    assert_eq!(reused.code(), "catalog.key_reused");

    let wider = query("SELECT id, email, id > 1 AS late FROM people");
    let drift = load(&lake, appending("t"), wider.clone()).await.unwrap_err();
    assert_eq!(drift.code(), "catalog.schema_drift");
    let evolving = Request { evolve: Evolve::Add, ..appending("t") };
    assert_eq!(load(&lake, evolving, wider).await.unwrap().total_rows, 4);
    let replaced =
        load(&lake, Request { mode: Mode::Replace, evolve: Evolve::Add, ..request("t") }, all()).await.unwrap();
    assert_eq!(replaced.total_rows, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_that_change_fail_or_take_too_long_are_refused_and_leave_nothing() {
    let Some(server) = PostgresServer::start("ingest::origins::queries_that_change_fail_or_take_too_long") else {
        return;
    };
    server.sql("CREATE TABLE people (id int); INSERT INTO people VALUES (1)");
    let lake = lake(&asking(&server, Span::secs(2))).await;
    let before = lake.paths().await;
    let refused = [
        "DELETE FROM people RETURNING id",
        "WITH gone AS (DELETE FROM people RETURNING id) SELECT * FROM gone",
        "SELECT 1; DROP TABLE people",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "COMMIT",
        "SELECT * FROM absent",
        "SELECT 'infinity'::date AS d",
        "SELECT 'NaN'::numeric(5, 2) AS n",
        "SELECT 1 / 0 AS x",
        "",
    ];
    for sql in refused {
        let error = load(&lake, request("t"), query(sql)).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("ingest.query_refused", Kind::Invalid), "{sql:?}: {error}");
    }
    let late = load(&lake, request("t"), query("SELECT pg_sleep(60)::text AS x")).await.unwrap_err();
    assert_eq!(late.code(), "ingest.upstream_timeout");
    let unknown = Origin::Postgres { database: "cmr".into(), query: "SELECT 1".into() };
    assert_eq!(load(&lake, request("t"), unknown).await.unwrap_err().code(), "ingest.unknown_database");
    assert_eq!(server.sql("SELECT count(*) FROM people"), "1", "nothing was changed");
    assert_eq!(lake.paths().await, before);

    drop(server);
    let gone = load(&lake, request("t"), query("SELECT 1 AS x")).await.unwrap_err();
    assert_eq!(gone.code(), "ingest.upstream_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_stream_and_a_load_that_is_given_up_leaves_nothing() {
    let Some(server) = PostgresServer::start("ingest::origins::many_rows_stream_and_a_load_that_is_given_up") else {
        return;
    };
    let lake = lake(&asking(&server, Span::secs(120))).await;
    let rows = "SELECT n AS id, repeat('x', 100) || n AS word FROM generate_series(1, 300000) AS n";
    assert_eq!(load(&lake, request("t"), query(rows)).await.unwrap().total_rows, 300_000);

    let before = lake.paths().await;
    let progress = Progress::default();
    let endless = query("SELECT generate_series(1, 1000000000) AS id, repeat('x', 1000) AS word");
    let work = lake.ingest.load_from(request("u"), endless, &progress);
    tokio::select! {
        outcome = work => panic!("it has no end: {outcome:?}"),
        () = async { while progress.bytes_received() == 0 { tokio::task::yield_now().await; } } => {}
    }
    assert_eq!(lake.paths().await, before);
    while server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lakehouse'") != "0" {
        tokio::task::yield_now().await;
    }
}
