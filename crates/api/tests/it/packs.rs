//! Validator packs over HTTP: kept as data, versioned with everything else, tried before they judge.

use axum::Router;
use http::Method;
use serde_json::{Value, json};

use crate::stack::{Stack, get, ingest, post_json, request, send, sql};

/// Nobody whose certificate has ended is proposed.
fn pack() -> Value {
    json!({
        "name": "certified", "kind": "fill",
        "schema": { "properties": { "fills": { "maxItems": 2 } } },
        "assertions": [{
            "sql": "SELECT * FROM certificates WHERE worker = $1 AND NOT valid",
            "params": ["/fills/*/candidate_id"], "error": "Policy", "reason": "a proposed worker's certificate has ended",
        }],
    })
}

fn fill(ids: &[&str]) -> Value {
    let fills: Vec<Value> = ids.iter().map(|id| json!({ "candidate_id": id, "name": "Ann Poe" })).collect();
    json!({ "kind": "fill", "artifact": { "fills": fills }, "context": { "target_count": ids.len() } })
}

async fn status(gateway: &Router, body: &Value) -> (u16, String) {
    let answer = post_json(gateway, "/v1/validate", &body.to_string()).await;
    (answer.status.as_u16(), answer.text())
}

async fn lake(gateway: &Router) {
    ingest(gateway, "workers", "worker_id,name\n1,Ann Poe\n2,Ann Poe\n3,Ann Poe\n").await;
    ingest(gateway, "certificates", "worker,valid\nW-1,true\nW-2,false\n").await;
}

#[tokio::test]
async fn a_pack_judges_from_its_version_on_until_it_is_dropped() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    lake(&gateway).await;
    assert_eq!(get(&gateway, "/v1/validate/packs").await.json()["packs"], json!([]));
    let before = get(&gateway, "/v1/validate/packs").await.json()["version"].clone();
    assert_eq!(status(&gateway, &fill(&["W-2"])).await.0, 200);
    let kept = post_json(&gateway, "/v1/validate/packs", &pack().to_string()).await;
    assert_eq!(kept.status.as_u16(), 201, "{}", kept.text());
    assert_eq!(get(&gateway, "/v1/validate/packs").await.json()["packs"], json!([pack()]));
    assert_eq!(status(&gateway, &fill(&["W-1"])).await.0, 200);
    let (refused, told) = status(&gateway, &fill(&["W-1", "W-2"])).await;
    let reason = r#"{"Policy":{"reason":"a proposed worker's certificate has ended (pack certified)"}}"#;
    assert_eq!((refused, told.as_str()), (422, reason));
    let (refused, told) = status(&gateway, &fill(&["W-1", "W-2", "W-3"])).await;
    assert!(refused == 422 && told.contains(r#""field":"fills""#), "{told}");
    let mut then = fill(&["W-2"]);
    then["as_of"] = before;
    assert_eq!(status(&gateway, &then).await.0, 200);
    let rows = sql(&gateway, "SELECT name FROM system.validator_packs").await.json()["rows"].clone();
    assert_eq!(rows, json!([["certified"]]));
    let gone = send(&gateway, request(Method::DELETE, "/v1/validate/packs/certified", &[], "")).await;
    assert_eq!(gone.status.as_u16(), 204, "{}", gone.text());
    assert_eq!(status(&gateway, &fill(&["W-2"])).await.0, 200);
    then["as_of"] = kept.json()["version"].clone();
    assert_eq!(status(&gateway, &then).await.0, 422);
    let again = send(&gateway, request(Method::DELETE, "/v1/validate/packs/certified", &[], "")).await;
    assert_eq!((again.status.as_u16(), again.code().as_str()), (404, "flows.no_pack"));
}

#[tokio::test]
async fn a_pack_is_tried_on_what_was_accepted() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    lake(&gateway).await;
    for id in ["W-1", "W-2"] {
        let said = json!({ "fills": [{ "candidate_id": id, "name": "Ann Poe" }] }).to_string();
        let asked = json!({
            "kind": "fill", "prompt": "one", "model": "m", "trace_id": id, "context": { "target_count": 1 },
            "system": json!([said]).to_string(),
        });
        assert_eq!(post_json(&gateway, "/v1/iterate", &asked.to_string()).await.status.as_u16(), 200);
    }
    let tried = post_json(&gateway, "/v1/validate/packs/dry_run", &json!({ "pack": pack() }).to_string()).await;
    let error = json!({ "Policy": { "reason": "a proposed worker's certificate has ended (pack certified)" } });
    let expected = json!({ "checked": 2, "passed": 1, "failed": [{ "session_id": "W-2", "error": error }] });
    assert_eq!(tried.json(), expected);
    assert_eq!(status(&gateway, &fill(&["W-2"])).await.0, 200);
    let mut wrong = pack();
    wrong["schema"] = json!({ "pattern": "a" });
    let refused = post_json(&gateway, "/v1/validate/packs", &wrong.to_string()).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, "validate.bad_pack"));
    for statement in ["SELECT * FROM nowhere", "SELEC 1", "SELECT no_such FROM workers", "DROP TABLE workers"] {
        let mut wrong = pack();
        wrong["assertions"][0]["sql"] = json!(statement);
        let refused = post_json(&gateway, "/v1/validate/packs", &wrong.to_string()).await;
        assert!((400..500).contains(&refused.status.as_u16()), "{statement}: {}", refused.text());
        assert!(refused.code().starts_with("query."), "{statement}: {}", refused.text());
    }
    assert_eq!(get(&gateway, "/v1/validate/packs").await.json()["packs"], json!([]));
}

/// What was known in a session is recorded, so that a pack about contracts can be tried on it.
#[tokio::test]
async fn a_trial_sees_what_was_known() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    lake(&gateway).await;
    ingest(&gateway, "closed", "city\nLima\n").await;
    let said = json!({ "fills": [{ "candidate_id": "W-1", "name": "Ann Poe" }] }).to_string();
    for (id, context) in [
        ("toledo", json!({ "target_count": 1, "city": "Toledo" })),
        ("lima", json!({ "target_count": 1, "city": "Lima" })),
        ("nowhere", json!({ "target_count": 1 })),
    ] {
        let asked = json!({
            "kind": "fill", "prompt": "one", "model": "m", "trace_id": id, "context": context, "system": json!([said]).to_string(),
        });
        let answer = post_json(&gateway, "/v1/iterate", &asked.to_string()).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    }
    let pack = json!({
        "name": "open", "kind": "fill",
        "schema": { "properties": { "_context": { "required": ["city"] } } },
        "assertions": [{
            "sql": "SELECT * FROM closed WHERE city = $1", "params": ["/_context/city"], "error": "Policy", "reason": "it is closed",
        }],
    });
    let tried = post_json(&gateway, "/v1/validate/packs/dry_run", &json!({ "pack": pack }).to_string()).await.json();
    let missing = json!({ "Schema": { "field": "_context.city", "reason": "is missing" } });
    let closed = json!({ "Policy": { "reason": "it is closed (pack open)" } });
    let failed = json!([{ "session_id": "nowhere", "error": missing }, { "session_id": "lima", "error": closed }]);
    assert_eq!(tried, json!({ "checked": 3, "passed": 1, "failed": failed }));
    // The same pack, kept, judges as it was tried.
    let kept = post_json(&gateway, "/v1/validate/packs", &pack.to_string()).await;
    assert_eq!(kept.status.as_u16(), 201, "{}", kept.text());
    let mut lima = fill(&["W-1"]);
    lima["context"]["city"] = json!("Lima");
    assert_eq!(status(&gateway, &lima).await, (422, closed.to_string()));
}

fn asking(name: &str, kind: &str, statement: &str, param: &str) -> Value {
    let assertion = json!({ "sql": statement, "params": [param], "error": "Policy", "reason": "no" });
    json!({ "name": name, "kind": kind, "assertions": [assertion] })
}

async fn keep(gateway: &Router, pack: &Value) {
    let kept = post_json(gateway, "/v1/validate/packs", &pack.to_string()).await;
    assert_eq!(kept.status.as_u16(), 201, "{}", kept.text());
}

/// Another table of workers, whatever its columns were.
async fn reload(gateway: &Router, workers: &str) {
    send(gateway, request(Method::DELETE, "/v1/catalog/datasets/workers", &[], "")).await;
    assert_eq!(ingest(gateway, "workers", workers).await.status.as_u16(), 200);
}

/// A statement that does not run is the pack's fault and nobody else's: it is named, and nothing passes without it.
#[tokio::test]
async fn a_pack_whose_statement_does_not_run_any_more_is_named() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    lake(&gateway).await;
    keep(&gateway, &pack()).await;
    let gone = send(&gateway, request(Method::DELETE, "/v1/catalog/datasets/certificates", &[], "")).await;
    assert_eq!(gone.status.as_u16(), 200, "{}", gone.text());
    let answer = post_json(&gateway, "/v1/validate", &fill(&["W-1"]).to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "flows.pack_failed"), "{}", answer.text());
    let told = answer.json();
    assert_eq!((&told["pack"], &told["check"]), (&json!("certified"), &json!(1)), "{told}");
    assert!(told["detail"].as_str().unwrap().contains("certificates"), "{told}");
    send(&gateway, request(Method::DELETE, "/v1/validate/packs/certified", &[], "")).await;
    // The roster's ids become numbers, which are texts to whoever proposes: a statement that takes them for numbers can
    // judge nobody any more.
    reload(&gateway, "worker_id,name\nW-1,Ann Poe\n").await;
    let typed = "SELECT 1 FROM workers WHERE worker_id = $1 AND name <> 'Ann Poe'";
    keep(&gateway, &asking("typed", "fill", typed, "/fills/*/candidate_id")).await;
    reload(&gateway, "worker_id,name\n1,Ann Poe\n").await;
    let answer = post_json(&gateway, "/v1/validate", &fill(&["W-1"]).to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "flows.pack_failed"), "{}", answer.text());
    assert_eq!(answer.json()["pack"], "typed");
}

/// What the model says has the type that the model gives it: another one is corrected like anything else.
#[tokio::test]
async fn a_value_that_a_statement_cannot_take_is_a_finding() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    lake(&gateway).await;
    keep(&gateway, &asking("small", "playbook", "SELECT 1 WHERE $1 > 5", "/q")).await;
    let playbook = |q: Value| json!({ "operation": "fill: x", "endorsed_names": ["Ann"], "target_count": 1, "fingerprint": "f", "q": q });
    for q in [json!("x"), json!(true), json!([9]), json!({ "a": 1 })] {
        let asked = json!({ "kind": "playbook", "artifact": playbook(q.clone()) });
        let answer = post_json(&gateway, "/v1/validate", &asked.to_string()).await;
        let schema = &answer.json()["Schema"];
        assert_eq!((answer.status.as_u16(), &schema["field"]), (422, &json!("q")), "{q}: {}", answer.text());
        assert!(schema["reason"].as_str().unwrap().contains("(pack small)"), "{schema}");
    }
    let answers =
        json!([playbook(json!("x")).to_string(), playbook(json!(9)).to_string(), playbook(json!(3)).to_string()]);
    let asked = json!({ "kind": "playbook", "prompt": "one", "model": "m", "system": answers.to_string() });
    let session = post_json(&gateway, "/v1/iterate", &asked.to_string()).await;
    assert_eq!(session.status.as_u16(), 200, "{}", session.text());
    let told = session.json();
    assert_eq!(told["history"][0]["status"]["error"]["Schema"]["field"], "q", "{told}");
    assert_eq!(told["history"][1]["status"]["error"]["Policy"]["reason"], "no (pack small)", "{told}");
    assert_eq!(told["iterations"], 3);
}

/// Either value is fine alone, and both together leave the range of the statement: that is no fault of the pack.
#[tokio::test]
async fn values_that_only_fail_together_are_a_finding() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    lake(&gateway).await;
    let statement = "SELECT 1 WHERE CAST($1 AS BIGINT) * CAST($2 AS BIGINT) > 100";
    let assertion = json!({ "sql": statement, "params": ["/q", "/r"], "error": "Policy", "reason": "no" });
    keep(&gateway, &json!({ "name": "product", "kind": "playbook", "assertions": [assertion] })).await;
    let playbook = json!({ "operation": "fill: x", "endorsed_names": ["Ann"], "target_count": 1, "fingerprint": "f",
        "q": 9_000_000_000_000_000_000_i64, "r": 10 });
    let asked = json!({ "kind": "playbook", "artifact": playbook });
    let answer = post_json(&gateway, "/v1/validate", &asked.to_string()).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["Schema"]["field"]), (422, &json!("q")), "{}", answer.text());
}

/// A statement that can take nothing that passes the rules of the house is refused before it judges anybody.
#[tokio::test]
async fn a_pack_that_cannot_take_what_the_roster_has_is_not_kept() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    ingest(&gateway, "workers", "worker_id,name,city\n1,Ann Poe,Toledo\n").await;
    ingest(&gateway, "numbers", "n\n5\n").await;
    for (kind, statement, pointer, value) in [
        ("fill", "SELECT 1 FROM workers WHERE worker_id = $1", "/fills/*/candidate_id", "\"W-1\""),
        ("fill", "SELECT 1 FROM numbers WHERE n = $1", "/fills/0/name", "\"Ann Poe\""),
        ("fill", "SELECT 1 FROM numbers WHERE n < $1", "/_context/city", "\"Toledo\""),
        ("email", "SELECT 1 FROM numbers WHERE n = $1", "/_context/candidate_id", "\"W-1\""),
    ] {
        let pack = asking("typed", kind, statement, pointer);
        let trial = json!({ "pack": pack });
        for (path, body) in [("/v1/validate/packs", &pack), ("/v1/validate/packs/dry_run", &trial)] {
            let refused = post_json(&gateway, path, &body.to_string()).await;
            assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, "validate.bad_pack"), "{pack}");
            let told = refused.json()["detail"].as_str().unwrap().to_owned();
            assert!(told.contains(pointer) && told.contains(value) && told.contains("assertions[0]"), "{told}");
        }
    }
    // What compares like with like is kept, and so is what nothing is known of.
    keep(
        &gateway,
        &asking("texts", "fill", "SELECT 1 FROM workers WHERE 'W-' || worker_id = $1", "/fills/*/candidate_id"),
    )
    .await;
    keep(&gateway, &asking("unknown", "fill", "SELECT 1 FROM numbers WHERE n = $1", "/fills/*/wage")).await;
    keep(&gateway, &asking("counted", "fill", "SELECT 1 FROM numbers WHERE n < $1", "/_context/target_count")).await;
}

/// Whoever asks whether the judges are ready is told which pack is not.
#[tokio::test]
async fn a_pack_that_cannot_judge_keeps_the_judges_from_being_ready() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    lake(&gateway).await;
    keep(&gateway, &pack()).await;
    let door = &stack.doors[&api::Role::Validatord];
    assert_eq!(get(door, "/readyz").await.status.as_u16(), 200);
    send(&gateway, request(Method::DELETE, "/v1/catalog/datasets/certificates", &[], "")).await;
    let unready = get(door, "/readyz").await;
    assert_eq!((unready.status.as_u16(), unready.code().as_str()), (503, "api.not_ready"));
    assert!(unready.text().contains("certified") && unready.text().contains("certificates"), "{}", unready.text());
    ingest(&gateway, "certificates", "worker,valid\nW-1,true\n").await;
    assert_eq!(get(door, "/readyz").await.status.as_u16(), 200);
}

/// A pack that breaks is not the model's fault: what it said is kept, and whoever asked is told whose fault it is.
#[tokio::test]
async fn a_session_whose_pack_breaks_names_it_and_keeps_what_was_said() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    lake(&gateway).await;
    keep(&gateway, &pack()).await;
    send(&gateway, request(Method::DELETE, "/v1/catalog/datasets/certificates", &[], "")).await;
    let said = json!({ "fills": [{ "candidate_id": "W-1", "name": "Ann Poe" }] }).to_string();
    let asked = json!({
        "kind": "fill", "prompt": "one", "model": "m", "trace_id": "broken", "context": { "target_count": 1 },
        "system": json!(["nobody", said]).to_string(),
    });
    let answer = post_json(&gateway, "/v1/iterate", &asked.to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "flows.pack_failed"), "{}", answer.text());
    let told = answer.json();
    assert_eq!(
        (&told["pack"], &told["check"], &told["iterations"]),
        (&json!("certified"), &json!(1), &json!(2)),
        "{told}"
    );
    assert_eq!((&told["history"][1]["raw"], &told["trace_id"]), (&json!(said), &json!("broken")), "{told}");
    let kinds: Vec<&Value> = told["history"].as_array().unwrap().iter().map(|one| &one["status"]["kind"]).collect();
    assert_eq!(kinds, ["no_json", "not_judged"]);
    let rows =
        sql(&gateway, "SELECT final_verdict, iterations, failure, attempts FROM sessions").await.json()["rows"].clone();
    assert_eq!((&rows[0][0], &rows[0][1]), (&json!("infra_error"), &json!(2)), "{rows}");
    assert!(rows[0][2].as_str().unwrap().contains("flows.pack_failed"), "{rows}");
    assert!(rows[0][3].as_str().unwrap().contains("not_judged"), "{rows}");
}
