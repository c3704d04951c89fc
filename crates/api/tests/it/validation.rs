//! validatord over HTTP: the bytes of what passes and what does not, the roster of each version, sessions and streams.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use base::{Fault, Seams};
use catalog::Catalog;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Bucket, Call, Fate, Faulty, Mishap, Verb};

use crate::stack::{Answer, Stack, get, ingest, post_json, request, send, sql};

const WORKERS: &str = "worker_id,name,role,city,state,status,blacklist\n\
    1,Ann Poe,Welder,Toledo,OH,active,\"\"\n\
    2,Bob Ray,Welder,Toledo,OH,active,C-7; C-8\n\
    3,Cy Orr,Welder,Toledo,OH,on leave,\"\"\n\
    4,Di Fox,Welder,Lima,OH,active,\"\"\n";

async fn validate(gateway: &Router, body: Value) -> Answer {
    post_json(gateway, "/v1/validate", &body.to_string()).await
}

fn fill(ids: &[(&str, &str)], context: Value) -> Value {
    let fills: Vec<Value> = ids.iter().map(|(id, name)| json!({ "candidate_id": id, "name": name })).collect();
    json!({ "kind": "fill", "artifact": { "fills": fills }, "context": context })
}

fn playbook(change: impl FnOnce(&mut Value)) -> Value {
    let mut artifact = json!({
        "operation": "fill: welder x1 in Toledo", "endorsed_names": ["Ann Poe"], "target_count": 1, "fingerprint": "f1",
    });
    change(&mut artifact);
    json!({ "kind": "playbook", "artifact": artifact })
}

/// The status and the body, without the time that the checks took.
fn told(answer: &Answer) -> (u16, Value) {
    let mut body = answer.json();
    if let Some(body) = body.as_object_mut() {
        body.remove("elapsed_ms");
    }
    (answer.status.as_u16(), body)
}

#[tokio::test]
async fn the_six_cases_of_parity_have_these_answers() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    ingest(&gateway, "workers", WORKERS).await;
    let cases = [
        (playbook(|_| {}), 200, json!({ "validator": "staffing.playbook", "findings": [] })),
        (
            playbook(|artifact| drop(artifact.as_object_mut().unwrap().remove("fingerprint"))),
            422,
            json!({ "Schema": { "field": "fingerprint", "reason": "is missing" } }),
        ),
        (
            playbook(|artifact| artifact["operation"] = json!("sms_draft: hello")),
            422,
            json!({ "Schema": { "field": "operation", "reason": "must begin with \"fill:\", got \"sms_draft: hello\"" } }),
        ),
        (
            playbook(|artifact| artifact["endorsed_names"] = json!([])),
            422,
            json!({ "Completeness": { "reason": "endorsed_names is empty: a playbook endorses at least one name" } }),
        ),
        (
            playbook(|artifact| artifact["endorsed_names"] = json!(["A", "B", "C"])),
            422,
            json!({ "Completeness": { "reason": "endorsed_names holds 3 names, more than target_count × 2 = 2" } }),
        ),
        (
            fill(&[("W-PHANTOM-1", "Nobody")], json!({ "target_count": 1 })),
            422,
            json!({ "Consistency": {
                "reason": "fills[0].candidate_id \"W-PHANTOM-1\" does not exist in the worker roster"
            } }),
        ),
    ];
    for (body, status, answer) in cases {
        assert_eq!(told(&validate(&gateway, body.clone()).await), (status, answer), "{body}");
    }
    let bytes = validate(&gateway, fill(&[("w-9", "X")], json!({ "target_count": 1 }))).await;
    assert_eq!(
        bytes.text(),
        r#"{"Consistency":{"reason":"fills[0].candidate_id \"w-9\" does not exist in the worker roster"}}"#
    );
    assert_eq!(bytes.header("content-type"), "application/json");
    let passed = validate(&gateway, fill(&[("w-1", "ann poe"), ("W-2", "Bobby")], json!({ "target_count": 2 }))).await;
    let message = "W-2 is \"Bob Ray\" in the worker roster, not \"Bobby\"";
    let findings = json!([{ "severity": "warning", "field": "fills[1].name", "message": message }]);
    assert_eq!(told(&passed), (200, json!({ "validator": "staffing.fill", "findings": findings })));
}

#[tokio::test]
async fn the_roster_is_that_of_the_version_and_follows_new_ones() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let ask = |id: &str| fill(&[(id, "Ann Poe")], json!({ "target_count": 1, "city": "toledo" }));
    let absent = validate(&gateway, ask("W-1")).await;
    assert_eq!(absent.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(absent.text().contains("the lake has no table workers"), "{}", absent.text());
    let ready = get(&stack.doors[&api::Role::Validatord], "/readyz").await;
    assert_eq!(ready.json()["roster"], "the lake has no table workers: nobody exists");
    let first = ingest(&gateway, "workers", WORKERS).await.json()["version"].clone();
    assert_eq!(validate(&gateway, ask("W-1")).await.status, StatusCode::OK);
    ingest(&gateway, "workers", &WORKERS.replace("1,Ann Poe,Welder,Toledo", "1,Ann Poe,Welder,Akron")).await;
    let moved = validate(&gateway, ask("W-1")).await;
    let reason = "worker W-1 has the city \"Akron\", the contract wants \"toledo\"";
    assert_eq!(told(&moved), (422, json!({ "Consistency": { "reason": reason } })));
    let mut then = ask("W-1");
    then["as_of"] = first;
    assert_eq!(validate(&gateway, then).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_table_that_is_no_roster_is_told_and_keeps_others_working() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    ingest(&gateway, "workers", "id,name\n1,Ann\n").await;
    let refused = validate(&gateway, fill(&[("W-1", "Ann")], json!({ "target_count": 1 }))).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "flows.roster_columns"));
    let ready = get(&stack.doors[&api::Role::Validatord], "/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(ready.text().contains("it has no column worker_id"), "{}", ready.text());
    assert_eq!(validate(&gateway, playbook(|_| {})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_artifact_is_refused() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    for (body, code) in [
        (json!({ "kind": "invoice", "artifact": {} }), "validate.unknown_kind"),
        (json!({ "kind": "fill", "artifact": [] }), "api.bad_body"),
        (json!({ "kind": "fill" }), "api.bad_body"),
        (json!({ "kind": "fill", "artifact": {}, "context": [] }), "api.bad_body"),
        (json!({ "kind": "fill", "artifact": {}, "more": 1 }), "api.bad_body"),
    ] {
        let refused = validate(&gateway, body.clone()).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, code), "{body}");
    }
    let large = json!({ "kind": "email", "artifact": { "body": "x".repeat(70 << 10) } });
    assert_eq!(validate(&gateway, large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn users_append_to_streams_and_read_them_in_sql() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let appended = post_json(&gateway, "/v1/evidence/runs", r#"{"step": 1, "ok": true, "what": {"a": 1}}"#).await;
    assert_eq!(appended.status, StatusCode::CREATED, "{}", appended.text());
    assert_eq!(appended.text(), r#"{"stream":"runs","fragment":1,"lines":1}"#);
    let lines = "{\"step\": 2}\n\n{\"step\": 3, \"ok\": false}\n";
    let headers = [("content-type", "application/x-ndjson")];
    let more = send(&gateway, request(Method::POST, "/v1/evidence/runs", &headers, lines)).await;
    assert_eq!(more.json()["lines"], 2);
    let rows = sql(&gateway, "SELECT step, ok, what FROM runs ORDER BY step").await.json()["rows"].clone();
    assert_eq!(rows, json!([[1, true, "{\"a\":1}"], [2, null, null], [3, false, null]]));
    let tail = |query: &str| {
        let path = format!("/v1/evidence/runs{query}");
        let gateway = gateway.clone();
        async move { send(&gateway, request(Method::GET, &path, &[], "")).await }
    };
    assert_eq!(
        tail("?last=2").await.json(),
        json!({ "lines": [{ "step": 2 }, { "step": 3, "ok": false }], "fragment": 2 })
    );
    assert_eq!(tail("?after=1").await.json()["lines"][0], json!({ "step": 2 }));
    assert_eq!(tail("?after=2").await.json(), json!({ "lines": [], "fragment": 2 }));
    assert_eq!(tail("").await.json()["lines"].as_array().map(Vec::len), Some(3));
    for wrong in ["?last=0", "?last=1001", "?last=1&after=1", "?first=1"] {
        let refused = tail(wrong).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, "api.bad_parameter"), "{wrong}");
    }
    let none =
        sql(&gateway, "SELECT count(*) FROM sessions WHERE final_verdict = 'accepted' AND NOT grounded_in_roster")
            .await;
    assert_eq!(none.json()["rows"], json!([[0]]), "{}", none.text());
    ingest(&gateway, "others", "a\n1\n").await;
    let then = post_json(&gateway, "/v1/sql", r#"{"sql": "SELECT * FROM runs", "as_of": 1}"#).await;
    assert!(then.text().contains("read as it is now"), "{}", then.text());
    for (stream, body, status, code) in [
        ("sessions", "{}", 403, "evidence.own_stream"),
        ("Runs", "{}", 400, "evidence.bad_name"),
        ("runs", "[1]", 400, "evidence.bad_line"),
        ("runs", "", 400, "evidence.nothing"),
    ] {
        let refused = post_json(&gateway, &format!("/v1/evidence/{stream}"), body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{stream} {body}");
    }
}

/// What hides a stream in SQL could forge it; what nobody can read is not taken.
#[tokio::test]
async fn a_table_and_a_stream_do_not_share_a_name() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    ingest(&gateway, "workers", WORKERS).await;
    assert_eq!(post_json(&gateway, "/v1/evidence/runs", r#"{"step": 1}"#).await.status, StatusCode::CREATED);
    for name in ["sessions", "Sessions", "runs", "default.RUNS"] {
        let upload =
            request(Method::POST, &format!("/v1/ingest?name={name}"), &[("content-type", "text/csv")], "a\n1\n");
        let refused = send(&gateway, upload).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "catalog.name_of_stream"), "{name}");
    }
    let rename = json!({
        "source": { "namespace": ["default"], "name": "workers" }, "destination": { "namespace": ["default"], "name": "runs" },
    });
    let refused = post_json(&gateway, "/iceberg/v1/tables/rename", &rename.to_string()).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
    let refused = post_json(&gateway, "/v1/evidence/workers", r#"{"step": 1}"#).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "flows.name_of_table"), "{}", refused.text());
    assert_eq!(sql(&gateway, "SELECT step FROM runs").await.json()["rows"], json!([[1]]));
    assert_eq!(sql(&gateway, "SELECT count(*) FROM workers").await.json()["rows"], json!([[4]]));
    // Another namespace is no stream's.
    ingest(&gateway, "other.runs", "a\n1\n").await;
}

/// Lakes may have both from before: the table is there, and takes what is loaded.
#[tokio::test]
async fn a_table_that_had_the_name_before_stays() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    ingest(&gateway, "runs", "a\n1\n").await;
    let runs = "runs".parse().unwrap();
    let line = evidence::Line::of(&json!({ "step": 1 })).unwrap();
    evidence::Evidence::new(stack.lake.store.clone(), base::Seams::system()).append(&runs, vec![line]).await.unwrap();
    ingest(&gateway, "runs", "a\n2\n").await;
    assert_eq!(sql(&gateway, "SELECT a FROM runs").await.json()["rows"], json!([[2]]));
    assert_eq!(get(&gateway, "/v1/evidence/runs").await.json()["lines"], json!([{ "step": 1 }]));
}

/// While a stream gets its first line, another process loads a table of its name.
struct Meanwhile(Bucket);

async fn load(bucket: &Bucket, name: &str) {
    let seams = Seams::system();
    let catalog = Catalog::open(bucket.store(), &catalog::Config::default(), seams.clone()).await.unwrap();
    let body = futures::stream::iter([Ok("a\n1\n".into())]);
    let ingest = ingest::Ingest::new(catalog, &ingest::Config::default(), seams);
    ingest.load(ingest::Request::new(name.parse().unwrap()), body, &ingest::Progress::default()).await.unwrap();
}

#[async_trait]
impl Fate for Meanwhile {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        if call.verb == Verb::Create && call.path.starts_with("streams/race/") {
            load(&self.0, "race").await;
        }
        None
    }
}

#[tokio::test]
async fn who_began_a_stream_is_told_that_a_table_took_its_name() {
    let bucket = Bucket::new(Seams::system());
    let fate = Arc::new(Meanwhile(bucket.clone()));
    let store = Faulty::over(Arc::new(bucket.clone()), fate, Seams::system()).store("memory://lake");
    // Its time stands still, so that it believes what it saw first.
    let catalog = Catalog::open(store.clone(), &catalog::Config::default(), testkit::fixed_seams(1)).await.unwrap();
    let evidence = evidence::Evidence::new(store, Seams::system());
    let append = async |stream: &str| {
        let line = evidence::Line::of(&json!({ "step": 1 })).unwrap();
        let stream = stream.parse().unwrap();
        let refused = flows::streams::append(&evidence, &catalog, &stream, vec![line]).await.unwrap_err().code();
        (refused, evidence.read(&stream).await.unwrap().lines.len())
    };
    assert_eq!(append("race").await, ("flows.name_taken", 1));
    assert_eq!(append("race").await, ("flows.name_of_table", 1));
    load(&bucket, "late").await;
    assert_eq!(append("late").await, ("flows.name_of_table", 0));
    let hiding = flows::streams::hiding_tables(&evidence, &catalog.pin_fresh().await.unwrap()).await.unwrap();
    assert_eq!(hiding, ["race".parse().unwrap()]);
}

/// Ids are often larger than numbers that others count with: two of them must not become one.
#[tokio::test]
async fn whole_numbers_of_lines_keep_their_digits() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let headers = [("content-type", "application/x-ndjson")];
    let vast = "123456789012345678901234567890";
    let lines = [
        r#"{"id": 18446744073709551615, "z": 1,  "mixed": 9007199254740993}"#.to_owned(),
        r#"{"id": 18446744073709551614, "mixed": 9007199254740992}"#.to_owned(),
        format!(
            r#"{{"id": 5, "mixed": 0.5, "vast": {vast}, "tiny": 0.10000000000000001, "of": [{{"id": {vast}, "r": 1e300}}]}}"#
        ),
    ];
    let sent = request(Method::POST, "/v1/evidence/ids", &headers, lines.join("\n"));
    assert_eq!(send(&gateway, sent).await.status, StatusCode::CREATED);
    let rows = sql(&gateway, "SELECT id, mixed, vast FROM ids ORDER BY id").await.json()["rows"].clone();
    let expected = json!([
        ["18446744073709551614", "9007199254740992", null],
        ["18446744073709551615", "9007199254740993", null],
        ["5", "0.5", vast],
    ]);
    assert_eq!(rows, expected);
    let nested = sql(&gateway, "SELECT of FROM ids WHERE vast IS NOT NULL").await.json()["rows"][0][0].clone();
    assert_eq!(nested, format!(r#"[{{"id":"{vast}","r":1e+300}}]"#));
    // They lie there as they came.
    let bytes = stack.lake.store.get("streams/ids/00000000000000000001.jsonl").await.unwrap();
    assert_eq!(std::str::from_utf8(&bytes).unwrap().lines().skip(1).collect::<Vec<_>>(), lines);
    for twice in [r#"{"a": 1, "a": 2}"#, r#"{"b": [{"a": 1, "a": 2}]}"#] {
        let refused = post_json(&gateway, "/v1/evidence/ids", twice).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, "evidence.member_twice"), "{twice}");
    }
}

/// One line with thousands of members takes no column away from those before it, and what has no column is in the last.
#[tokio::test]
async fn members_beyond_the_columns_are_told() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let wide: String = (0..3_000).map(|at| format!(r#""c{at:04}": {at}"#)).collect::<Vec<_>>().join(",");
    for line in [r#"{"zebra": 1}"#.to_owned(), format!("{{{wide}}}")] {
        assert_eq!(post_json(&gateway, "/v1/evidence/wide", &line).await.status, StatusCode::CREATED);
    }
    let rows =
        sql(&gateway, "SELECT zebra, c0997, _rest IS NULL FROM wide ORDER BY zebra NULLS LAST").await.json()["rows"]
            .clone();
    assert_eq!(rows, json!([[1, null, true], [null, 997, false]]));
    let rest = sql(&gateway, "SELECT _rest FROM wide WHERE zebra IS NULL").await.json()["rows"][0][0].clone();
    let rest: Value = serde_json::from_str(rest.as_str().unwrap()).unwrap();
    assert_eq!((rest.as_object().unwrap().len(), &rest["c2999"]), (2_002, &json!(2_999)));
}
