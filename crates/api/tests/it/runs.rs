//! What is written down of runs: each call that names one, once, as it went, before anybody is answered; of any other nothing.

use std::collections::BTreeSet;

use axum::Router;
use evidence::{Evidence, Line};
use flows::{EvidenceConfig, Recorded};
use futures::future::join_all;
use http::Method;
use serde_json::{Map, Value, json};

use crate::iterating::{asked, open, proposal, rows};
use crate::stack::{Answer, Stack, ingest, post_json, request, send, sql};
use crate::words;

const RUN: &str = "x-lakehouse-trace-id";
const STREAMS: [&str; 3] = ["chats", "searches", "validations"];
const SEARCH: &str = "/v1/vectors/index/jobs/search";

/// Asks as a step of a run.
async fn within(gateway: &Router, run: &str, path: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), (RUN, run)];
    send(gateway, request(Method::POST, path, &headers, body.to_string())).await
}

fn hello(model: &str) -> Value {
    json!({ "model": model, "messages": [
        { "role": "system", "content": "Be brief." }, { "role": "user", "content": "Hello there" },
    ], "temperature": 0.5 })
}

fn check(id: &str) -> Value {
    json!({ "kind": "fill", "artifact": { "fills": [{ "candidate_id": id, "name": "Ann Poe" }] }, "context": { "target_count": 1 } })
}

/// An index `jobs` of three texts.
async fn jobs(gateway: &Router) {
    let new = json!({ "name": "jobs", "dimension": words::DIMENSION, "model": words::MODEL });
    assert_eq!(post_json(gateway, "/v1/vectors/index", &new.to_string()).await.status.as_u16(), 201);
    let items = json!([
        { "id": "W-1", "text": "forklift pallets", "metadata": { "city": "Toledo" } },
        { "id": "W-2", "text": "bake bread", "metadata": { "city": "Lima" } },
        { "id": "W-3", "text": "nurse patients", "metadata": { "city": "Toledo" } },
    ]);
    let added = post_json(gateway, "/v1/vectors/index/jobs/add_text", &json!({ "items": items }).to_string()).await;
    assert_eq!(added.status.as_u16(), 200, "{}", added.text());
}

async fn count(gateway: &Router, stream: &str) -> Value {
    rows(gateway, &format!("SELECT count(*) FROM {stream}")).await[0][0].clone()
}

#[tokio::test]
async fn each_call_of_a_run_is_a_line_of_its_stream() {
    let (_stack, gateway) = open().await;
    jobs(&gateway).await;
    assert_eq!(within(&gateway, "run-1", "/v1/chat", &hello("echo/m")).await.status.as_u16(), 200);
    let sought = json!({ "text": "forklift", "k": 2, "filter": { "city": "Toledo" }, "trace_id": "run-1" });
    // The body goes before the header.
    let found = within(&gateway, "run-2", SEARCH, &sought).await;
    assert_eq!(found.status.as_u16(), 200, "{}", found.text());
    assert_eq!(within(&gateway, "run-1", "/v1/validate", &check("W-1")).await.status.as_u16(), 200);
    assert_eq!(within(&gateway, "run-1", "/v1/validate", &check("W-9")).await.status.as_u16(), 422);
    let session = asked(&[&proposal("W-1", "Ann Poe")], json!({ "trace_id": "run-1" }));
    assert_eq!(post_json(&gateway, "/v1/iterate", &session.to_string()).await.status.as_u16(), 200);
    let chat = "SELECT schema, daemon, model, provider, provider_model, role, system, prompt, answer, finish_reason, \
                messages, temperature, prompt_tokens, completion_tokens, ok, failure, latency_ms >= 0, span_id \
                FROM chats WHERE iteration IS NULL";
    let line = json!([[
        "chat.v1",
        "chatd",
        "echo/m",
        "echo",
        "m",
        "other",
        "Be brief.",
        "Hello there",
        "Hello there",
        "stop",
        2,
        0.5,
        1,
        2,
        true,
        null,
        true,
        null
    ]]);
    assert_eq!(rows(&gateway, chat).await, line);
    let search = "SELECT schema, daemon, \"index\", mode, rerank, query, k, filter, exact, found, lake_version, ok FROM searches";
    let line = json!([[
        "search.v1",
        "vectord",
        "jobs",
        "vector",
        false,
        "forklift",
        2,
        "{\"city\":\"Toledo\"}",
        false,
        2,
        found.json()["version"],
        true
    ]]);
    assert_eq!(rows(&gateway, search).await, line);
    let results = rows(&gateway, "SELECT results FROM searches").await[0][0].as_str().unwrap().to_owned();
    let results: Value = serde_json::from_str(&results).unwrap();
    let told = found.json()["results"].clone();
    assert_eq!([&results[0]["id"], &results[1]["id"]], ["W-1", "W-3"]);
    assert_eq!(results[1]["distance"], told[1]["distance"], "{results}");
    let checks = "SELECT schema, kind, validator, verdict, error IS NULL, grounded_in_roster, lake_version > 0, proposal \
                  FROM validations WHERE iteration IS NULL ORDER BY verdict";
    let says = |verdict: &str, id: &str| {
        let proposal = json!({ "fills": [{ "candidate_id": id, "name": "Ann Poe" }] }).to_string();
        let right = verdict == "accepted";
        json!(["validation.v1", "fill", "staffing.fill", verdict, right, right, true, proposal])
    };
    assert_eq!(rows(&gateway, checks).await, json!([says("accepted", "W-1"), says("refused", "W-9")]));
    let error = rows(&gateway, "SELECT error FROM validations WHERE verdict = 'refused'").await[0][0].clone();
    assert!(error.as_str().unwrap().contains("W-9"), "{error}");
    let all = "SELECT count(DISTINCT c.timestamp), count(DISTINCT q.timestamp), count(DISTINCT v.timestamp) FROM sessions s \
               JOIN chats c ON c.run_id = s.session_id JOIN searches q ON q.run_id = s.session_id \
               JOIN validations v ON v.run_id = s.session_id";
    assert_eq!(rows(&gateway, all).await, json!([[2, 1, 3]]));
}

/// What a stream's lines have as members.
async fn members(stack: &Stack, stream: &str) -> BTreeSet<String> {
    let files = stack.lake.store.list(&format!("streams/{stream}/"), None, 100).await.unwrap().entries;
    let mut members = BTreeSet::new();
    for file in files {
        let bytes = stack.lake.store.get(&file.path).await.unwrap();
        for line in std::str::from_utf8(&bytes).unwrap().lines().skip(1) {
            members.extend(serde_json::from_str::<Map<String, Value>>(line).unwrap().into_iter().map(|(name, _)| name));
        }
    }
    members
}

/// Who asks before anything happened finds every column, and no line has a member that is none.
#[tokio::test]
async fn the_columns_of_our_own_streams_are_the_members_of_their_lines() {
    let (stack, gateway) = open().await;
    jobs(&gateway).await;
    let columns = async |stream: &str| -> BTreeSet<String> {
        let told = sql(&gateway, &format!("SELECT * FROM {stream}")).await.json()["columns"].clone();
        told.as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap().to_owned()).collect()
    };
    let ours = ["sessions", "chats", "searches", "validations"];
    let before = [columns(ours[0]).await, columns(ours[1]).await, columns(ours[2]).await, columns(ours[3]).await];
    let mut talk = hello("echo/m");
    talk["max_tokens"] = json!(9);
    within(&gateway, "a", "/v1/chat", &talk).await;
    let sought = json!({ "text": "forklift", "k": 2, "filter": { "city": "Toledo" }, "ef_search": 50 });
    assert_eq!(within(&gateway, "a", SEARCH, &sought).await.status.as_u16(), 200);
    within(&gateway, "a", "/v1/vectors/index/nowhere/search", &sought).await;
    for id in ["W-1", "W-9"] {
        within(&gateway, "a", "/v1/validate", &check(id)).await;
    }
    for said in [proposal("W-1", "Ann Poe"), "!".to_owned()] {
        let more = json!({ "retrieve": { "index": "jobs", "query": "forklift" }, "provider": "corp" });
        post_json(&gateway, "/v1/iterate", &asked(&[&said], more).to_string()).await;
    }
    for (stream, before) in ours.into_iter().zip(before) {
        let members = members(&stack, stream).await;
        let further: Vec<&String> = members.difference(&before).collect();
        assert!(further.is_empty(), "{stream}: {further:?}");
        // Searches stand in no attempt here, and no check failed without a verdict.
        let rare = ["iteration", "span_id", "failure"];
        let missing = before.difference(&members).filter(|name| !rare.contains(&name.as_str()));
        let missing: Vec<&String> = missing.collect();
        assert!(missing.is_empty(), "{stream}: {missing:?}");
        assert_eq!(columns(stream).await, before, "{stream}");
    }
}

/// Modes and failures of searches, by vector, words and both.
#[tokio::test]
async fn a_search_says_how_it_searched_and_why_it_failed() {
    let (_stack, gateway) = open().await;
    jobs(&gateway).await;
    for (run, body, status) in [
        ("v", json!({ "vector": words::vector("forklift"), "k": 1, "exact": true }), 200),
        ("w", json!({ "text": "bread", "mode": "keyword" }), 200),
        ("b", json!({ "text": "bread", "mode": "hybrid", "k": 1 }), 200),
        ("x", json!({ "vector": [1.0] }), 400),
    ] {
        let answer = within(&gateway, run, SEARCH, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    }
    let lost = within(&gateway, "z", "/v1/vectors/index/nowhere/search", &json!({ "text": "x" })).await;
    assert_eq!(lost.status.as_u16(), 404);
    let lines = "SELECT run_id, mode, query, exact, found, ok FROM searches ORDER BY run_id";
    let expected = json!([
        ["b", "hybrid", "bread", false, 1, true],
        ["v", "vector", null, true, 1, true],
        ["w", "keyword", "bread", false, 1, true],
        ["x", "vector", null, false, 0, false],
        ["z", "vector", "x", false, 0, false],
    ]);
    assert_eq!(rows(&gateway, lines).await, expected);
    let failures = rows(&gateway, "SELECT failure FROM searches WHERE NOT ok ORDER BY run_id").await;
    assert!(failures[0][0].as_str().unwrap().contains("vectors."), "{failures}");
    assert!(failures[1][0].as_str().unwrap().contains(&lost.code()), "{failures}");
    let scores = rows(&gateway, "SELECT results FROM searches WHERE run_id = 'w'").await[0][0].clone();
    let scores: Value = serde_json::from_str(scores.as_str().unwrap()).unwrap();
    assert!(scores[0]["id"] == "W-2" && scores[0]["score"].is_f64(), "{scores}");
}

/// Each attempt's conversation and check stand beside the session, by its name, its number and its span.
#[tokio::test]
async fn the_steps_of_a_session_belong_to_its_run() {
    let (_stack, gateway) = open().await;
    jobs(&gateway).await;
    let (phantom, right) = (proposal("W-9", "Nobody"), proposal("W-1", "Ann Poe"));
    let more = json!({ "trace_id": "s", "retrieve": { "index": "jobs", "query": "forklift" } });
    let answer = post_json(&gateway, "/v1/iterate", &asked(&["no object", &phantom, &right], more).to_string()).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let spans: Vec<Value> = (0..3).map(|at| answer.json()["history"][at]["span_id"].clone()).collect();
    let chats = "SELECT run_id, daemon, role, iteration, span_id FROM chats ORDER BY iteration";
    let expected: Vec<Value> = (0..3).map(|at| json!(["s", "validatord", "executor", at + 1, spans[at]])).collect();
    assert_eq!(rows(&gateway, chats).await, json!(expected));
    let checks = "SELECT iteration, span_id, verdict FROM validations ORDER BY iteration";
    assert_eq!(rows(&gateway, checks).await, json!([[2, spans[1], "refused"], [3, spans[2], "accepted"]]));
    let searches = "SELECT run_id, daemon, iteration, k, query FROM searches";
    assert_eq!(rows(&gateway, searches).await, json!([["s", "validatord", null, 1_000, "forklift"]]));
    // A session that nobody named has a run of its own.
    let unnamed = post_json(&gateway, "/v1/iterate", &asked(&[&right], json!({})).to_string()).await.json();
    let own = format!("SELECT count(*) FROM chats WHERE run_id = '{}'", unnamed["trace_id"].as_str().unwrap());
    assert_eq!(rows(&gateway, &own).await, json!([[1]]));
    // A model that is down is recorded with what it met.
    let down = post_json(&gateway, "/v1/iterate", &asked(&["!"], json!({ "trace_id": "down" })).to_string()).await;
    assert_eq!(down.status.as_u16(), 502);
    for stream in ["chats", "sessions"] {
        let named = if stream == "chats" { "run_id" } else { "session_id" };
        let failure =
            rows(&gateway, &format!("SELECT failure FROM {stream} WHERE {named} = 'down'")).await[0][0].clone();
        assert!(failure.as_str().unwrap().contains("models.upstream_timeout"), "{stream}: {failure}");
    }
}

#[tokio::test]
async fn conversations_are_recorded_however_they_are_asked_and_end() {
    let (_stack, gateway) = open().await;
    let with = |mut body: Value, more: Value| {
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (run, path, body, status) in [
        ("whole", "/v1/chat/completions", hello("echo/m"), 200),
        ("pieces", "/v1/chat/completions", with(hello("faulty/long"), json!({ "stream": true })), 200),
        ("cut", "/v1/chat/completions", with(hello("faulty/cut"), json!({ "stream": true })), 200),
        ("broken", "/v1/chat", hello("faulty/m"), 502),
        ("begun", "/v1/chat/completions", with(hello("nobody/m"), json!({ "stream": true })), 404),
    ] {
        let answer = within(&gateway, run, path, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{run}: {}", answer.text());
    }
    let long = with(hello("echo/m"), json!({ "messages": [{ "role": "user", "content": "é".repeat(5_000) }] }));
    assert_eq!(within(&gateway, "long", "/v1/chat", &long).await.status.as_u16(), 200);
    let lines =
        "SELECT run_id, answer, finish_reason, completion_tokens, ok FROM chats WHERE run_id <> 'long' ORDER BY run_id";
    let expected = json!([
        ["begun", null, null, null, false],
        ["broken", null, null, null, false],
        ["cut", "half", null, null, false],
        ["pieces", "Two words", "length", 2, true],
        ["whole", "Hello there", "stop", 2, true],
    ]);
    assert_eq!(rows(&gateway, lines).await, expected);
    let codes = "SELECT count(*) FROM chats WHERE failure LIKE '%\"code\":\"models.upstream_failed\"%'";
    assert_eq!(rows(&gateway, codes).await, json!([[2]]));
    let cut = "SELECT character_length(prompt), character_length(answer) FROM chats WHERE run_id = 'long'";
    assert_eq!(rows(&gateway, cut).await, json!([[4_000, 2_000]]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_recorded_once_each() {
    let (_stack, gateway) = open().await;
    let names: Vec<String> = (0..80).map(|number| format!("run-{number}")).collect();
    let checks = names.iter().map(|run| async {
        let answer = within(&gateway, run, "/v1/validate", &check("W-1")).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    });
    join_all(checks).await;
    let found = rows(&gateway, "SELECT run_id FROM validations").await;
    let found: Vec<&str> = found.as_array().unwrap().iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(found.len(), names.len());
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), names.iter().map(String::as_str).collect());
    // One after the other stand in their order.
    for number in 0..5 {
        within(&gateway, &format!("z-{number}"), "/v1/validate", &check("W-1")).await;
    }
    let last = rows(&gateway, "SELECT run_id FROM validations WHERE run_id LIKE 'z%' ORDER BY timestamp").await;
    assert_eq!(last, json!([["z-0"], ["z-1"], ["z-2"], ["z-3"], ["z-4"]]));
}

/// A trace that the house made up for its log is nobody's run, whichever doors the request passes.
#[tokio::test]
async fn a_call_of_no_run_appends_nothing() {
    let stack = Stack::open().await;
    let split = stack.split();
    for gateway in [&stack.gateway(), &split.gateway] {
        ingest(gateway, "workers", "worker_id,name\n1,Ann Poe\n").await;
        for (path, body) in [("/v1/chat", hello("echo/m")), ("/v1/validate", check("W-1"))] {
            assert_eq!(post_json(gateway, path, &body.to_string()).await.status.as_u16(), 200, "{path}");
            let malformed = within(gateway, "no good name", path, &body).await;
            assert_eq!((malformed.status.as_u16(), malformed.code().as_str()), (400, "api.bad_header"), "{path}");
        }
    }
    let gateway = stack.gateway();
    let lost = post_json(&gateway, "/v1/vectors/index/nowhere/search", &json!({ "text": "x" }).to_string()).await;
    assert_eq!(lost.status.as_u16(), 404);
    for stream in STREAMS {
        assert_eq!(count(&gateway, stream).await, 0, "{stream}");
    }
    assert!(stack.lake.store.list("streams/", None, 10).await.unwrap().entries.is_empty());
    // Behind sockets a run is named as it is in one process: by the header, or as the W3C has it.
    assert_eq!(within(&split.gateway, "far", "/v1/validate", &check("W-1")).await.status.as_u16(), 200);
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("content-type", "application/json"), ("traceparent", parent)];
    send(&split.gateway, request(Method::POST, "/v1/chat", &headers, hello("echo/m").to_string())).await;
    assert_eq!(rows(&gateway, "SELECT run_id, span_id FROM validations").await, json!([["far", null]]));
    let traced = json!([["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]]);
    assert_eq!(rows(&gateway, "SELECT run_id, span_id FROM chats").await, traced);
    let wrong = json!({ "kind": "fill", "artifact": {}, "trace_id": "no good" });
    let refused = post_json(&gateway, "/v1/validate", &wrong.to_string()).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, "api.bad_body"));
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_answered() {
    for (stream, path, body) in [
        ("chats", "/v1/chat", hello("echo/m")),
        ("searches", SEARCH, json!({ "text": "x" })),
        ("validations", "/v1/validate", check("W-1")),
    ] {
        let (stack, gateway) = open().await;
        jobs(&gateway).await;
        // Nothing can be created below a file.
        let folder = format!("streams/{stream}");
        stack.lake.store.put(&folder, b"in the way".to_vec().into()).await.unwrap();
        let refused = within(&gateway, "run", path, &body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "flows.not_recorded"), "{path}");
        let more = json!({ "trace_id": "s", "retrieve": { "index": "jobs" } });
        let session = asked(&[&proposal("W-1", "Ann Poe")], more);
        let refused = post_json(&gateway, "/v1/iterate", &session.to_string()).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "flows.not_recorded"), "{path}");
        // Others are answered all the same.
        assert_eq!(post_json(&gateway, path, &body.to_string()).await.status.as_u16(), 200, "{path}");
        stack.lake.store.delete(&folder).await.unwrap();
        assert_eq!(within(&gateway, "run", path, &body).await.status.as_u16(), 200, "{path}");
        assert_eq!(rows(&gateway, &format!("SELECT run_id FROM {stream}")).await, json!([["run"]]));
    }
}

/// A stream's status has gone out before it ends: its last event says that it does not count.
#[tokio::test]
async fn a_stream_that_cannot_be_recorded_has_no_end() {
    let (stack, gateway) = open().await;
    stack.lake.store.put("streams/chats", b"in the way".to_vec().into()).await.unwrap();
    let mut body = hello("echo/m");
    body["stream"] = json!(true);
    let told = within(&gateway, "run", "/v1/chat/completions", &body).await.text();
    assert!(told.contains("flows.not_recorded") && !told.contains("[DONE]"), "{told}");
}

#[tokio::test]
async fn what_the_settings_leave_out_is_not_recorded() {
    let stack = Stack::recording(&EvidenceConfig { record: vec![Recorded::Validations] }).await;
    let gateway = stack.gateway();
    ingest(&gateway, "workers", "worker_id,name\n1,Ann Poe\n").await;
    within(&gateway, "run", "/v1/chat", &hello("echo/m")).await;
    within(&gateway, "run", "/v1/validate", &check("W-1")).await;
    let session = asked(&[&proposal("W-1", "Ann Poe")], json!({ "trace_id": "s", "context": { "target_count": 1 } }));
    assert_eq!(post_json(&gateway, "/v1/iterate", &session.to_string()).await.status.as_u16(), 200);
    let counts =
        [count(&gateway, "chats").await, count(&gateway, "validations").await, count(&gateway, "sessions").await];
    assert_eq!(counts, [json!(0), json!(2), json!(1)]);
}

/// The names are the house's. What users appended under one of them before stays, and stands beside what the house writes.
#[tokio::test]
async fn the_names_are_taken_and_older_lines_stay() {
    let (stack, gateway) = open().await;
    for name in STREAMS {
        let upload =
            request(Method::POST, &format!("/v1/ingest?name={name}"), &[("content-type", "text/csv")], "a\n1\n");
        let refused = send(&gateway, upload).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "catalog.name_of_stream"), "{name}");
        let refused = post_json(&gateway, &format!("/v1/evidence/{name}"), "{}").await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "evidence.own_stream"), "{name}");
    }
    let line = Line::of(&json!({ "who": "a user", "model": 7 })).unwrap();
    let evidence = Evidence::new(stack.lake.store.clone(), base::Seams::system());
    evidence.append(&"chats".parse().unwrap(), vec![line]).await.unwrap();
    within(&gateway, "run", "/v1/chat", &hello("echo/m")).await;
    let both = rows(&gateway, "SELECT run_id, model, who FROM chats ORDER BY run_id NULLS LAST").await;
    assert_eq!(both, json!([["run", "echo/m", null], [null, "7", "a user"]]));
}
