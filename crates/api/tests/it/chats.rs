//! Conversations with language models, over HTTP.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use models::{Chat, ChatConfig, ChatRouting, Provider};
use serde_json::{Value, json};
use testkit::{Reply, Scripted, Talker};

use crate::stack::{Answer, Stack, get, post_json};

/// The key of every provider; it must never be seen.
const KEY: &str = "sk-very-secret-key";

/// Language models that are here as long as the tests run: one that repeats what it is told, and one that fails as it is
/// told.
pub fn chat() -> Chat {
    static TALKER: OnceLock<Talker> = OnceLock::new();
    static FAULTY: OnceLock<Scripted> = OnceLock::new();
    let talker = TALKER.get_or_init(|| Talker::saying(|body| last(body).to_owned()));
    let faulty = FAULTY.get_or_init(|| Scripted::start(|asked| fault(&asked.body)));
    let at = |url: String| Provider {
        api_key: storage::Secret::new(KEY),
        timeout: base::Span::millis(400),
        ..Provider::at(models::Kind::Openai, &url)
    };
    let patient = Provider { timeout: base::Span::millis(2_500), ..at(faulty.url()) };
    let providers = [("echo", at(talker.url())), ("faulty", at(faulty.url())), ("patient", patient)];
    let providers = BTreeMap::from(providers.map(|(name, provider)| (name.to_owned(), provider)));
    let settings = models::Config { providers, ..models::Config::default() };
    let routing = ChatRouting { ollama_url: "http://127.0.0.1:1".to_owned(), upstream: None };
    Chat::new(&settings, &ChatConfig { default_provider: "echo".to_owned() }, routing, base::Seams::system()).unwrap()
}

fn last(body: &Value) -> &str {
    body["messages"].as_array().and_then(|all| all.last()?["content"].as_str()).unwrap_or_default()
}

/// What the model's name asks for.
fn fault(body: &str) -> Reply {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let word = |text: &str| format!("data: {}\n\n", json!({ "choices": [{ "delta": { "content": text } }] }));
    let end = json!({ "choices": [{ "delta": {}, "finish_reason": "length" }] });
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 5, "completion_tokens": 2 } });
    match body["model"].as_str().unwrap_or_default() {
        "silent" => Reply::Silence,
        "busy" => Reply::Answer(429, vec![("retry-after", "9".to_owned())], Vec::new()),
        "cut" => Reply::json(200, &word("half")),
        "stalls" => Reply::Stalls(word("half").into_bytes()),
        "long" => Reply::json(
            200,
            &format!("{}{}data: {end}\n\ndata: {usage}\n\ndata: [DONE]\n\n", word("Two "), word("words")),
        ),
        _ => Reply::json(500, &json!({ "error": { "message": format!("no such thing, {KEY}") } }).to_string()),
    }
}

async fn say(path: &str, body: Value) -> Answer {
    let answer = post_json(&Stack::open().await.gateway(), path, &body.to_string()).await;
    assert!(!answer.text().contains(KEY), "{}", answer.text());
    answer
}

fn hello(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "Hello there" }] })
}

#[tokio::test]
async fn an_answer_says_who_gave_it_and_why_it_ends() {
    let mut body = say("/v1/chat", hello("echo/org/m")).await.json();
    assert!(body["latency_ms"].is_u64());
    body["latency_ms"] = json!(0);
    let expected = r#"{"content":"Hello there","finish_reason":"stop","provider":"echo","model":"org/m","usage":{"prompt_tokens":1,"completion_tokens":2},"latency_ms":0}"#;
    assert_eq!(body, serde_json::from_str::<Value>(expected).unwrap());
    // A name without a provider goes to the default one.
    assert_eq!(say("/v1/chat", hello("m")).await.json()["provider"], "echo");
}

#[tokio::test]
async fn what_cannot_be_answered_has_a_status_of_its_own() {
    let asked = |rest: Value| {
        let mut body = hello("m");
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        body
    };
    let cases = [
        (hello("nobody/m"), 404, "models.unknown_provider", "no provider is called \"nobody\""),
        (hello("m:cloud"), 503, "models.no_key", "the provider ollama_cloud needs a key"),
        (hello("ollama/m"), 502, "models.upstream_failed", "the provider ollama failed: it cannot be reached"),
        (hello("faulty/m"), 502, "models.upstream_failed", "it answered 500: no such thing, ***"),
        (hello("faulty/silent"), 504, "models.upstream_timeout", "the provider faulty did not answer in time"),
        (hello("faulty/busy"), 429, "models.rate_limited", "try again in 9 seconds"),
        (asked(json!({ "messages": [] })), 400, "models.bad_chat", "`messages` is refused"),
        (asked(json!({ "temperature": 3 })), 400, "models.bad_chat", "`temperature` is refused"),
        (asked(json!({ "format": "xml" })), 400, "api.bad_body", "`format` is \"json\" or a JSON Schema"),
        (asked(json!({ "url": "http://elsewhere/" })), 400, "api.bad_body", "unknown field `url`"),
        (
            json!({ "model": "m", "messages": [{ "role": "god", "content": "" }] }),
            400,
            "api.bad_body",
            "unknown variant",
        ),
        (json!({ "messages": [] }), 400, "api.bad_body", "missing field `model`"),
    ];
    // A stream that has not begun is refused as a whole answer is.
    for (path, streams) in [("/v1/chat", false), ("/v1/chat/completions", false), ("/v1/chat/completions", true)] {
        for (body, status, code, says) in &cases {
            let mut body = body.clone();
            if streams {
                body["stream"] = json!(true);
            }
            let answer = say(path, body.clone()).await;
            let problem = answer.json();
            assert_eq!((answer.status.as_u16(), problem["code"].as_str()), (*status, Some(*code)), "{body} {problem}");
            assert!(problem["detail"].as_str().unwrap().contains(says), "{problem} does not say {says}");
            if *status == 429 {
                assert_eq!(answer.header("retry-after"), "9");
            }
        }
    }
}

#[tokio::test]
async fn providers_are_listed_without_their_addresses_and_keys() {
    let answer = get(&Stack::open().await.gateway(), "/v1/chat/providers").await;
    let expected = concat!(
        r#"{"providers":[{"default":true,"has_key":true,"kind":"openai","name":"echo"},"#,
        r#"{"default":false,"has_key":true,"kind":"embedded","name":"embedded"},"#,
        r#"{"default":false,"has_key":true,"kind":"openai","name":"faulty"},"#,
        r#"{"default":false,"has_key":true,"kind":"ollama","name":"ollama"},"#,
        r#"{"default":false,"has_key":false,"kind":"ollama","name":"ollama_cloud"},"#,
        r#"{"default":false,"has_key":true,"kind":"openai","name":"patient"}]}"#
    );
    assert_eq!(answer.text(), expected);
}

#[tokio::test]
async fn openai_clients_are_answered_in_their_shape() {
    let body = say("/v1/chat/completions", hello("echo/m")).await.json();
    assert_eq!((&body["object"], &body["model"]), (&json!("chat.completion"), &json!("echo/m")));
    let message = json!({ "role": "assistant", "content": "Hello there" });
    assert_eq!(body["choices"], json!([{ "index": 0, "message": message, "finish_reason": "stop" }]));
    assert_eq!(body["usage"], json!({ "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 }));
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-"));
}

/// The JSON of each event, and what stands after the last.
fn events(answer: &Answer) -> Vec<Value> {
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/event-stream"));
    let read = |event: &str| {
        let data = event.strip_prefix("data: ").unwrap();
        serde_json::from_str(data).unwrap_or_else(|_| json!(data))
    };
    answer.text().split("\n\n").filter(|event| !event.is_empty()).map(read).collect()
}

fn streamed(model: &str) -> Value {
    let mut body = hello(model);
    body["stream"] = json!(true);
    body["stream_options"] = json!({ "include_usage": true });
    body
}

#[tokio::test]
async fn a_stream_brings_words_then_the_reason_then_what_it_took() {
    let events = events(&say("/v1/chat/completions", streamed("faulty/long")).await);
    let deltas: Vec<&Value> = events.iter().map(|event| &event["choices"][0]["delta"]).collect();
    let role = json!({ "role": "assistant", "content": "" });
    let [two, words] = ["Two ", "words"].map(|text| json!({ "content": text }));
    assert_eq!(deltas[..4], [&role, &two, &words, &json!({})]);
    assert_eq!(events[3]["choices"][0]["finish_reason"], "length");
    assert_eq!(events[4]["usage"], json!({ "prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7 }));
    assert_eq!(events[5..], [json!("[DONE]")]);
}

#[tokio::test]
async fn a_stream_that_breaks_off_tells_the_failure_and_no_end() {
    let events = events(&say("/v1/chat/completions", streamed("faulty/cut")).await);
    assert_eq!(events[1]["choices"][0]["delta"]["content"], "half");
    let error = json!({ "message": "the provider faulty failed: its answer broke off",
        "type": "models.upstream_failed", "code": 502 });
    assert_eq!(events[2..], [json!({ "error": error })]);
}

/// A connection that nothing is written to is one whose end nobody notices: a model would go on for a client that left.
#[tokio::test]
async fn a_stream_that_has_no_words_for_a_while_says_that_it_lives() {
    let answer = say("/v1/chat/completions", streamed("patient/stalls")).await;
    let text = answer.text();
    let told: Vec<&str> = text.split("\n\n").map(|event| &event[..event.len().min(16)]).collect();
    assert!(told.starts_with(&["data: {\"choices\"", "data: {\"choices\"", ": still at work"]), "{told:?}");
    assert!(text.contains("models.upstream_timeout"), "{text}");
}
