//! What is recorded of sessions: every answered one, as it was, durably, and never one that counts without being true.

use axum::Router;
use http::Method;
use serde_json::{Value, json};

use crate::iterating::{asked, iterate, open, proposal, rows};
use crate::stack::{request, send};

/// Whole numbers that look like chance, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// Something that a model might say: of workers who exist and who do not, in every wrapping.
fn said(dice: &mut Dice) -> String {
    let ids = ["W-1", "w-1", "W-2", "W-3", "W-9", "W-404", "1", "", "W-1 "];
    let id = ids[dice.below(ids.len())];
    let one = json!({ "candidate_id": id, "name": "Ann Poe" });
    let other = json!({ "candidate_id": ids[dice.below(ids.len())], "name": "Bob Ray" });
    let right = proposal("W-1", "Ann Poe");
    match dice.below(8) {
        0 => "I would rather not say.".to_owned(),
        1 => json!({ "fills": [one, other] }).to_string(),
        2 => json!({ "fills": [one], "_context": { "target_count": 1, "city": "Lima" } }).to_string(),
        3 => format!("```json\n{}\n```", json!({ "fills": [one] })),
        4 => json!([{ "fills": [other] }]).to_string(),
        5 => json!({ "fills": id }).to_string(),
        6 => format!("{{not json}} but {right}"),
        _ => json!({ "fills": [one] }).to_string(),
    }
}

/// Hundreds of sessions with a model that says anything: whatever counts names people of the roster only, by the answer,
/// by the roster, and by a question to the stream.
#[tokio::test]
async fn accepted_and_ungrounded_never_occurs() {
    let (_stack, gateway) = open().await;
    let mut dice = Dice(6);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..240 {
        let attempts = 1 + dice.below(3);
        let answers: Vec<String> = (0..attempts).map(|_| said(&mut dice)).collect();
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        let answer = iterate(&gateway, &asked(&answers, json!({ "max_iterations": attempts }))).await;
        match answer.status.as_u16() {
            200 => {
                accepted += 1;
                let fills = answer.json()["artifact"]["fills"].clone();
                let id = fills[0]["candidate_id"].as_str().unwrap().to_lowercase();
                assert_eq!((fills.as_array().unwrap().len(), id.as_str()), (1, "w-1"), "{}", answer.text());
            }
            422 => refused += 1,
            other => panic!("{other}: {}", answer.text()),
        }
    }
    assert!(accepted > 50 && refused > 50, "{accepted} accepted, {refused} refused");
    let counts = "SELECT final_verdict, count(*) FROM sessions GROUP BY final_verdict ORDER BY final_verdict";
    assert_eq!(rows(&gateway, counts).await, json!([["accepted", accepted], ["max_iter_exhausted", refused]]));
    let ungrounded = "SELECT count(*) FROM sessions WHERE final_verdict = 'accepted' AND kind = 'fill' \
                      AND grounded_in_roster IS DISTINCT FROM TRUE";
    assert_eq!(rows(&gateway, ungrounded).await, json!([[0]]));
    // The question finds what it asks for, where there is any.
    let others = "SELECT count(*) > 50 FROM sessions WHERE kind = 'fill' AND grounded_in_roster IS DISTINCT FROM TRUE";
    assert_eq!(rows(&gateway, others).await, json!([[true]]));
}

#[tokio::test]
async fn a_session_that_cannot_be_recorded_is_not_answered() {
    let (stack, gateway) = open().await;
    // Nothing can be created below a file.
    stack.lake.store.put("streams/sessions", b"in the way".to_vec().into()).await.unwrap();
    let right = proposal("W-1", "Ann Poe");
    let refused = iterate(&gateway, &asked(&[&right], json!({ "trace_id": "a" }))).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "flows.session_not_recorded"));
    assert!(!refused.text().contains("W-1"), "{}", refused.text());
    stack.lake.store.delete("streams/sessions").await.unwrap();
    let answered = iterate(&gateway, &asked(&[&right], json!({ "trace_id": "b" }))).await;
    assert_eq!(answered.status.as_u16(), 200, "{}", answered.text());
    assert_eq!(rows(&gateway, "SELECT session_id FROM sessions").await, json!([["b"]]));
}

/// The members of a line, in the order in which the format has them, with what was known behind them.
#[tokio::test]
async fn a_line_has_its_members_in_their_order() {
    let (stack, gateway) = open().await;
    let long = "é".repeat(5_000);
    let right = proposal("W-1", "Ann Poe");
    let body =
        asked(&["no object", &right], json!({ "prompt": long, "trace_id": "a", "provider": "corp", "model": "m" }));
    let told = iterate(&gateway, &body).await.json();
    let bytes = stack.lake.store.get("streams/sessions/00000000000000000001.jsonl").await.unwrap();
    let line = std::str::from_utf8(&bytes).unwrap().lines().nth(1).unwrap();
    let logged: Value = serde_json::from_str(line).unwrap();
    let spans = [0, 1].map(|at| told["history"][at]["span_id"].clone());
    let expected = json!([
        ["schema", "session.iterate.v1"], ["session_id", "a"], ["timestamp", logged["timestamp"]], ["daemon", "validatord"],
        ["kind", "fill"], ["model", "m"], ["provider", "scripted"], ["prompt", "é".repeat(4_000)], ["iterations", 2],
        ["max_iterations", 3], ["final_verdict", "accepted"],
        ["attempts", [
            { "iteration": 1, "verdict_kind": "no_json", "span_id": spans[0] },
            { "iteration": 2, "verdict_kind": "accepted", "span_id": spans[1] },
        ]],
        ["artifact", { "fills": [{ "candidate_id": "W-1", "name": "Ann Poe" }] }], ["grounded_in_roster", true],
        ["duration_ms", logged["duration_ms"]], ["lake_version", 1],
        ["context", { "target_count": 1, "city": "Toledo", "role": "Welder" }],
    ]);
    let mut rest = line;
    for member in expected.as_array().unwrap() {
        let (name, value) = (member[0].as_str().unwrap(), &member[1]);
        assert_eq!(&logged[name], value, "{name}");
        let at = rest.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name} comes too early in {line}"));
        rest = &rest[at..];
    }
    assert_eq!(logged.as_object().unwrap().len(), expected.as_array().unwrap().len());
}

async fn session(gateway: &Router, body: &Value) -> Value {
    iterate(gateway, body).await.json()
}

#[tokio::test]
async fn what_proposes_nobody_is_neither_grounded_nor_not() {
    let (_stack, gateway) = open().await;
    let email = json!({ "to": "a@b.c", "body": "A shift is open." }).to_string();
    let playbook =
        json!({ "operation": "fill: x", "endorsed_names": ["Ann"], "target_count": 1, "fingerprint": "f" }).to_string();
    for (kind, said) in [("email", &email), ("playbook", &playbook)] {
        let told = session(&gateway, &asked(&[said], json!({ "kind": kind }))).await;
        assert_eq!(told["validation"]["validator"], format!("staffing.{kind}"), "{told}");
        session(&gateway, &asked(&["{}"], json!({ "kind": kind, "max_iterations": 1 }))).await;
    }
    let logged = "SELECT kind, final_verdict, grounded_in_roster, artifact IS NULL FROM sessions ORDER BY 1, 2";
    let (accepted, exhausted) = ("accepted", "max_iter_exhausted");
    let expected = json!([
        ["email", accepted, null, false],
        ["email", exhausted, null, true],
        ["playbook", accepted, null, false],
        ["playbook", exhausted, null, true],
    ]);
    assert_eq!(rows(&gateway, logged).await, expected);
}

#[tokio::test]
async fn the_model_is_asked_as_the_call_says_and_its_words_are_cut() {
    let (_stack, gateway) = open().await;
    let long = "é".repeat(2_500);
    let told = session(&gateway, &asked(&["$ASKED", "$LAST", &long], json!({ "trace_id": "a" }))).await;
    let raw = |at: usize| told["history"][at]["raw"].as_str().unwrap().to_owned();
    // Three attempts, 0.2 and 4,096 when the call does not say; the session's name goes to the model's server.
    assert_eq!(
        (told["iterations"].as_u64(), raw(0)),
        (Some(3), r#"scripted/m Some(0.2) Some(4096) Some("a")"#.to_owned())
    );
    assert!(raw(1).contains("held no JSON object"), "{told}");
    assert_eq!(raw(2), "é".repeat(2_000));
    let change = json!({ "temperature": 0, "max_tokens": 7, "max_iterations": 1, "provider": "corp", "model": "m", "trace_id": "b" });
    let told = session(&gateway, &asked(&["$ASKED"], change)).await;
    assert_eq!(told["history"][0]["raw"], r#"corp/m Some(0.0) Some(7) Some("b")"#);
}

/// Who names nothing gets a name that sorts behind those before it; a trace that the request is part of goes before that.
#[tokio::test]
async fn new_names_are_in_the_order_of_time() {
    let (_stack, gateway) = open().await;
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(session(&gateway, &asked(&["x"], json!({ "max_iterations": 1 }))).await["trace_id"].clone());
    }
    let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
    assert!(
        names.is_sorted() && names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_hexdigit())),
        "{names:?}"
    );
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let body = asked(&["x"], json!({ "max_iterations": 1 })).to_string();
    let headers = [("content-type", "application/json"), ("traceparent", parent.as_str())];
    let told = send(&gateway, request(Method::POST, "/v1/iterate", &headers, body)).await.json();
    assert_eq!(told["trace_id"], trace);
}

/// Several calls within one trace are ordinary, and whoever knows a session's name must not be able to hide it.
#[tokio::test]
async fn sessions_of_one_trace_are_all_seen() {
    let (_stack, gateway) = open().await;
    let right = proposal("W-1", "Ann Poe");
    for (answers, prompt) in [([right.as_str(), ""], "first"), ([right.as_str(), "x"], "second")] {
        session(&gateway, &asked(&answers, json!({ "trace_id": "a", "prompt": prompt, "max_iterations": 1 }))).await;
    }
    let all = "SELECT session_id, prompt, final_verdict FROM sessions ORDER BY timestamp, prompt";
    let expected = json!([["a", "first", "accepted"], ["a", "second", "max_iter_exhausted"]]);
    assert_eq!(rows(&gateway, all).await, expected);
    let tail = send(&gateway, request(Method::GET, "/v1/evidence/sessions", &[], "")).await.json();
    assert_eq!(tail["lines"].as_array().map(Vec::len), Some(2), "{tail}");
}
