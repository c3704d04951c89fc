//! Replace, append, repeated loads and drift.

use base::{Fault, Kind};
use catalog::Mode;
use ingest::Request;

use crate::lake::{Lake, appending, request, show, skipping};

const JANUARY: &str = "id,name,rate\n1,Alice,20.5\n2,Bob,19\n";
const FEBRUARY: &str = "id,name,rate\n2,Bob,21\n3,Carla,18\n";

#[tokio::test(flavor = "multi_thread")]
async fn replace_makes_the_rows_exactly_the_file() {
    let lake = Lake::open().await;
    let first = lake.load("people", JANUARY).await;
    let second = lake.load("people", FEBRUARY).await;
    assert_eq!(second.dataset_id, first.dataset_id);
    assert_eq!(second.schema_fingerprint, first.schema_fingerprint);
    assert!(second.version > first.version && second.snapshot_id != first.snapshot_id);
    assert_eq!(show(&lake.rows("people").await), [["2", "Bob", "21.0"], ["3", "Carla", "18.0"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn append_adds_even_the_same_bytes() {
    let lake = Lake::open().await;
    lake.load("people", JANUARY).await;
    let second = lake.send(appending("people"), JANUARY).await.unwrap();
    assert_eq!((second.mode, second.existing), (Mode::Append, false));
    assert_eq!((second.row_count, second.total_rows, second.objects.len()), (2, 4, 2));
    assert_eq!(lake.rows("people").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn append_to_a_new_name_creates_it() {
    let lake = Lake::open().await;
    let outcome = lake.send(appending("people"), JANUARY).await.unwrap();
    assert_eq!((outcome.total_rows, outcome.existing), (2, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_make_no_version() {
    let lake = Lake::open().await;
    let first = lake.load("people", JANUARY).await;
    let before = lake.paths().await;
    let again = lake.load("people", JANUARY).await;
    assert!(again.existing);
    assert_eq!((again.version, &again.snapshot_id), (first.version, &first.snapshot_id));
    assert_eq!((again.row_count, again.total_rows, &again.objects), (2, 2, &first.objects));
    assert_eq!(lake.paths().await, before, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_read_otherwise_are_not_the_same() {
    let lake = Lake::open().await;
    let first = lake.load("people", JANUARY).await;
    let other = lake.send(skipping("people"), JANUARY).await.unwrap();
    assert!(!other.existing && other.version > first.version);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_append_the_same_replace_is_a_change() {
    let lake = Lake::open().await;
    lake.load("people", JANUARY).await;
    lake.send(appending("people"), FEBRUARY).await.unwrap();
    let again = lake.load("people", JANUARY).await;
    assert!(!again.existing);
    assert_eq!(again.total_rows, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_append_applies_once() {
    let lake = Lake::open().await;
    lake.load("people", JANUARY).await;
    let keyed = || Request { idempotency_key: Some("february".into()), ..appending("people") };
    let first = lake.send(keyed(), FEBRUARY).await.unwrap();
    let again = lake.send(keyed(), FEBRUARY).await.unwrap();
    assert_eq!((again.version, again.total_rows), (first.version, 4));
    assert_eq!(lake.rows("people").await.len(), 4);
    let reused = lake.refused(keyed(), JANUARY).await;
    assert_eq!(reused.code(), "catalog.key_reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_with_one_key_at_once_answer_one_outcome_and_leave_one_object() {
    let lake = Lake::open().await;
    lake.load("people", JANUARY).await;
    let bad = format!("{FEBRUARY}4,D,1,2\n");
    let keyed = |mode| Request { idempotency_key: Some("once".into()), mode, ..skipping("people") };
    let modes = [Mode::Append, Mode::Replace, Mode::Append, Mode::Replace];
    let outcomes = futures::future::join_all(modes.map(|mode| lake.send(keyed(mode), &bad))).await;
    // The key stands for what was asked first; whoever asks otherwise is refused.
    let (loaded, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    let loaded: Vec<_> = loaded.into_iter().map(Result::unwrap).collect();
    assert_eq!((loaded.len(), refused.len()), (2, 2));
    assert!(refused.into_iter().all(|error| error.unwrap_err().code() == "catalog.key_reused"));
    let told = |at: usize| (loaded[at].version, loaded[at].mode, loaded[at].row_count, loaded[at].total_rows);
    assert_eq!((told(0), loaded[0].row_count), (told(1), 2));
    let objects: Vec<_> = loaded.iter().filter_map(|outcome| outcome.rejected_object.clone()).collect();
    let kept: Vec<_> = lake.paths().await.into_keys().filter(|path| path.contains("/rejected/")).collect();
    assert_eq!((objects.len(), &objects), (1, &kept));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_differ_are_drift_and_change_nothing() {
    let lake = Lake::open().await;
    lake.load("people", JANUARY).await;
    let before = lake.paths().await;
    let files = [
        ("id,name\n1,A\n", "removed", "rate"),
        ("id,name,rate,city\n1,A,2,X\n", "added", "city"),
        ("name,id,rate\nA,1,2\n", "moved", "id"),
        ("id,Name,rate\n1,A,2\n", "added", "Name"),
    ];
    for mode in [Mode::Replace, Mode::Append] {
        for (text, part, column) in files {
            let error = lake.refused(Request { mode, ..request("people") }, text).await;
            assert_eq!((error.code(), error.kind()), ("catalog.schema_drift", Kind::Conflict), "{text:?}");
            let named = &error.facts()["diff"][part];
            assert!(named.as_array().unwrap().iter().any(|entry| entry["name"] == column), "{text:?}: {named}");
        }
    }
    assert_eq!(lake.paths().await, before);
    assert_eq!(lake.rows("people").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_under_the_types_of_its_table() {
    let lake = Lake::open().await;
    lake.load("t", "f,s,d,i\n1.5,x,2026-01-01,1\n").await;
    let outcome = lake.load("t", "f,s,d,i\n2,7,,\n3,true,,\n").await;
    assert_eq!(outcome.row_count, 2);
    assert_eq!(show(&lake.rows("t").await), [["2.0", "7", "NULL", "NULL"], ["3.0", "true", "NULL", "NULL"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_does_not_fit_is_drift_that_names_its_line() {
    let lake = Lake::open().await;
    lake.load("t", "id,f,d,note\n1,1.5,2026-01-01,x\n").await;
    let before = lake.paths().await;
    let cases = [
        ("7,1,2026-01-01,a\n1.5,1,,b\n", "id", 3),
        ("7,1,,\"a\nb\"\n8,1234567890123456.7,,c\n", "f", 4),
        ("00501,1,,a\n", "id", 2),
        ("1,1,2026-01-01T10:00:00,a\n", "d", 2),
        ("1,1,soon,a\nx,1,2026-01-01,a\n", "d", 2),
    ];
    for (rows, column, line) in cases {
        let error = lake.refused(request("t"), format!("id,f,d,note\n{rows}")).await;
        assert_eq!(error.code(), "catalog.schema_drift", "{rows:?}");
        let misfit = &error.facts()["diff"]["retyped"][0];
        assert_eq!((&misfit["name"], &misfit["line"]), (&column.into(), &line.into()), "{rows:?}");
    }
    assert_eq!(lake.paths().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_earliest_misfit_is_the_one_reported() {
    let lake = Lake::open().await;
    lake.load("t", "a,b,c,d\n1,2,3,4\n").await;
    let good = "1,2,3,4\n".repeat(300_000);
    let error = lake.refused(request("t"), format!("a,b,c,d\n{good}1,2,3,x\n1,x,3,4\n{good}y,2,3,4\n")).await;
    let misfit = &error.facts()["diff"]["retyped"][0];
    assert_eq!((&misfit["name"], &misfit["line"]), (&"d".into(), &300_002.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_of_the_same_columns_empties_the_table() {
    let lake = Lake::open().await;
    lake.load("people", JANUARY).await;
    let outcome = lake.load("people", "id,name,rate\n").await;
    assert_eq!((outcome.total_rows, outcome.existing), (0, false));
    assert_eq!(lake.types("people").await[2].1, "float64");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_of_one_name_make_no_conflict() {
    let lake = Lake::open().await;
    let loads = (0..24).map(|n| {
        let lake = &lake;
        async move { lake.send(request("people"), format!("id,name\n{n},x\n")).await }
    });
    for outcome in futures::future::join_all(loads).await {
        assert_eq!(outcome.unwrap().row_count, 1);
    }
    assert_eq!(lake.rows("people").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_at_once_all_arrive() {
    let lake = Lake::open().await;
    lake.load("people", "id,name\n0,x\n").await;
    let loads = (1..=16).map(|n| {
        let lake = &lake;
        async move { lake.send(appending("people"), format!("id,name\n{n},x\n")).await }
    });
    for outcome in futures::future::join_all(loads).await {
        outcome.unwrap();
    }
    assert_eq!(lake.rows("people").await.len(), 17);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_race_of_two_schemas_has_one_winner() {
    let lake = Lake::open().await;
    let (a, b) = futures::join!(lake.send(request("t"), "id,name\n1,x\n"), lake.send(request("t"), "id,city\n1,y\n"),);
    let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
    won.unwrap();
    assert_eq!(lost.unwrap_err().code(), "catalog.schema_drift");
}
