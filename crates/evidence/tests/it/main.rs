//! Streams, seen from outside: what was appended is there once, in order, whoever else appends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bundles;
mod failing;
mod formats;
mod tails;

use base::Seams;
use bytes::Bytes;
use evidence::{Error, Evidence, Line, Skipped, StreamName, Unread};
use serde_json::json;
use storage::task;
use testkit::TestLake;

fn stream(name: &str) -> StreamName {
    name.parse().unwrap()
}

fn line(number: u64) -> Line {
    Line::of(&json!({ "n": number })).unwrap()
}

async fn numbers(evidence: &Evidence, name: &str) -> Vec<u64> {
    let lines = evidence.read(&stream(name)).await.unwrap().lines;
    lines.iter().map(|line| line["n"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_one_stream_lose_and_repeat_nothing() {
    let lake = TestLake::open().await;
    // As many processes as these would do the same.
    let writers: Vec<Evidence> = (0..3).map(|_| Evidence::new(lake.store.clone(), Seams::system())).collect();
    let tasks: Vec<_> = (0..150_u64)
        .map(|number| {
            let evidence = writers[number as usize % 3].clone();
            task::spawn("append", async move { evidence.append(&stream("runs"), vec![line(number)]).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().lines, 1);
    }
    let mut found = numbers(&writers[0], "runs").await;
    found.sort_unstable();
    assert_eq!(found, (0..150).collect::<Vec<_>>());
    assert_eq!(numbers(&writers[0], "others").await, [0_u64; 0]);
}

#[tokio::test]
async fn lines_that_do_not_read_are_skipped_by_name() {
    let lake = TestLake::open().await;
    let evidence = Evidence::new(lake.store.clone(), Seams::system());
    evidence.append(&stream("runs"), vec![line(1), line(2), line(3)]).await.unwrap();
    let path = "streams/runs/00000000000000000001.jsonl";
    let whole = String::from_utf8(lake.store.get(path).await.unwrap().to_vec()).unwrap();
    lake.store.put(path, Bytes::from(whole.replace(r#"{"n":2}"#, r#"{"n":2"#))).await.unwrap();
    assert_eq!(numbers(&evidence, "runs").await, [1, 3]);
    let skipped = evidence.read(&stream("runs")).await.unwrap().skipped;
    assert_eq!(skipped, [Skipped { file: path.to_owned(), what: Unread::Line(3) }]);
    lake.store.put(path, Bytes::from(whole.replace("{\"n\":3}\n", ""))).await.unwrap();
    let cut = evidence.read(&stream("runs")).await.unwrap();
    assert_eq!((cut.lines.len(), cut.skipped.len(), cut.skipped[0].what), (2, 1, Unread::Line(4)));
    lake.store.put(path, Bytes::from(whole.replace(r#""format":1"#, r#""format":2"#))).await.unwrap();
    assert!(matches!(evidence.read(&stream("runs")).await, Err(Error::NewerFormat { format: 2, .. })));
}

#[tokio::test]
async fn sessions_with_one_id_hide_nothing_of_each_other() {
    let lake = TestLake::open().await;
    let evidence = Evidence::new(lake.store.clone(), Seams::system());
    for (id, n) in [("a", 1), ("b", 2), ("a", 3)] {
        let line = Line::of(&json!({ "session_id": id, "n": n })).unwrap();
        evidence.append(&StreamName::sessions(), vec![line]).await.unwrap();
    }
    assert_eq!(numbers(&evidence, "sessions").await, [1, 2, 3]);
    let end = evidence.last(&StreamName::sessions(), 3).await.unwrap();
    assert_eq!(end.lines.iter().map(|line| line["n"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
}

#[tokio::test]
async fn what_is_no_line_or_no_stream_is_refused() {
    let lake = TestLake::open().await;
    let evidence = Evidence::new(lake.store.clone(), Seams::system());
    for name in ["", "A", "1a", "a b", "../x", "a/b", "ä"] {
        assert!(matches!(name.parse::<StreamName>(), Err(Error::Name { .. })), "{name}");
    }
    assert!(matches!(Line::read("{\"a\": 1}\n\n[1]\n"), Err(Error::Line { line: 3 })));
    assert!(matches!(Line::read("{\"a\": "), Err(Error::Line { line: 1 })));
    assert_eq!(Line::read("{\"a\": 1}\r\n\n{}").unwrap().len(), 2);
    assert!(matches!(evidence.append(&stream("runs"), Vec::new()).await, Err(Error::Nothing)));
    for own in ["sessions", "chats", "searches", "validations"] {
        let refused = evidence.append_for_user(&stream(own), vec![line(1)]).await;
        assert!(matches!(refused, Err(Error::Own { .. })), "{own}");
    }
}

/// Objects that no reader makes values of are refused by what is wrong with them.
#[test]
fn a_line_that_could_not_be_read_back_is_told_apart() {
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(200), "]".repeat(200));
    for (line, told) in
        [("{\"n\": 1e400}", "a number beyond"), ("{\"a\": [-1e999]}", "a number beyond"), (&deep, "nested deeper")]
    {
        let refused = Line::read(line).unwrap_err();
        assert!(matches!(refused, Error::Unreadable { line: 1, .. }), "{refused:?}");
        assert!(refused.to_string().contains(told), "{refused}");
    }
    assert!(Line::read("{\"n\": 1e-400, \"m\": 1e308, \"t\": \"1e400\"}").is_ok());
    for broken in ["{\"n\": 1e400", "{\"n\": 1e400} x", "{\"n\": 1.}"] {
        assert!(matches!(Line::read(broken), Err(Error::Line { line: 1 })), "{broken}");
    }
}
