//! Servers that fail in every way a server can: each way has its own answer, and no key gets out.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use base::{Fault, Span};
use models::{Error, Kind, Overflow, Provider};
use testkit::{Reply, Scripted};

use crate::providers::{KEY, answer, embed, failure, input, model, models, provider, then, vector};

async fn code_of(reply: Reply) -> (&'static str, String) {
    let server = then(reply);
    let model = model(provider(Kind::Openai, &server.url()));
    model.card().await.unwrap();
    let error = failure(embed(&model, &["welder", "baker"]).await);
    (error.code(), error.to_string())
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure_of_the_provider() {
    let cases = [
        (Reply::HangUp, "it broke the connection off"),
        (Reply::CutOff(b"{\"data\":[".to_vec()), "its answer broke off"),
        (Reply::json(200, "{\"data\":["), "its answer is not what this route answers"),
        (Reply::json(200, "<html>"), "its answer is not what this route answers"),
        (Reply::json(200, r#"{"data":[]}"#), "it answered 0 vectors for 2 texts"),
        (vectors("[1.0, 2.0]", "[1.0]"), "it answered a vector of 1 numbers, not 2"),
        (vectors("[1.0, 2.0]", "[1.0, null]"), "its answer is not what this route answers"),
        (vectors("[1.0, 2.0]", "[1.0, 1e300]"), "it answered a vector with something that is no number"),
        (
            Reply::json(200, r#"{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}"#),
            "every text once",
        ),
        (Reply::json(500, "<html>"), "it answered 500"),
        (Reply::json(404, r#"{"error":"model 'm' not found"}"#), "it answered 404: it may not have this model"),
        (Reply::json(401, &format!(r#"{{"error":"wrong key {KEY}"}}"#)), "it refuses the key it was given"),
        (Reply::Answer(200, Vec::new(), vec![b' '; (64 << 20) + 1]), "its answer is too large"),
    ];
    for (reply, says) in cases {
        let (code, message) = code_of(reply).await;
        assert_eq!(code, "models.upstream_failed", "{message}");
        assert!(message.contains(says), "{message} does not say {says}");
    }
}

/// What a server says may tell its own paths and keys, so that it is for the log; the key that it was given not even
/// there.
#[tokio::test]
async fn what_a_server_says_is_for_the_log_only() {
    let long = "x".repeat(5000);
    let cases = [
        (500, format!(r#"{{"error":{{"message":"no {KEY}\nin /root/x"}}}}"#), "no *** in /root/x".to_owned()),
        (503, format!(r#"{{"detail":"{long}"}}"#), long[..300].to_owned()),
    ];
    for (status, body, says) in cases {
        let server = then(Reply::json(status, &body));
        let error = failure(embed(&model(provider(Kind::Openai, &server.url())), &["welder"]).await);
        assert_eq!(error.to_string(), format!("the provider far failed: it answered {status}"));
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), says);
    }
    let server = then(Reply::json(400, r#"{"error":"sk-123 in /root/x"}"#));
    let error = failure(embed(&model(provider(Kind::Openai, &server.url())), &["welder"]).await);
    assert_eq!(error.to_string(), "the provider far refuses text 0: it answered 400");
    assert!(!format!("{:?}", error.facts()).contains("/root"));
}

fn vectors(first: &str, second: &str) -> Reply {
    let body = format!(r#"{{"data":[{{"index":0,"embedding":{first}}},{{"index":1,"embedding":{second}}}]}}"#);
    Reply::json(200, &body)
}

#[tokio::test]
async fn a_server_that_is_busy_is_passed_on_with_its_wait() {
    let busy = |wait: &str| Reply::Answer(429, vec![("retry-after", wait.to_owned())], Vec::new());
    for (reply, seconds) in [(busy("7"), 7), (busy("soon"), 1), (busy("99999999"), 3600)] {
        let server = then(reply);
        let model = model(provider(Kind::Openai, &server.url()));
        let error = failure(embed(&model, &["welder"]).await);
        assert_eq!((error.code(), error.kind()), ("models.rate_limited", base::Kind::TooMuch));
        assert_eq!(error.facts()["retry_after"], seconds);
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_a_timeout() {
    let server = then(Reply::Silence);
    let patient = provider(Kind::Openai, &server.url());
    model(patient.clone()).card().await.unwrap();
    let model = model(Provider { timeout: Span::millis(300), ..patient });
    assert_eq!(failure(embed(&model, &["welder"]).await).code(), "models.upstream_timeout");
    assert_eq!(code_of(Reply::json(504, "{}")).await.0, "models.upstream_timeout");
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_reached() {
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for kind in [Kind::Openai, Kind::Ollama, Kind::Lakehouse] {
        let error = failure(model(provider(kind, &format!("http://{nowhere}"))).card().await);
        assert_eq!(error.code(), "models.upstream_failed");
        assert_eq!(error.to_string(), "the provider far failed: it cannot be reached");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Scripted::start(|asked| answer(&input(asked)));
    let there = format!("{}/embeddings", other.url());
    let server = then(Reply::Answer(307, vec![("location", there)], Vec::new()));
    let error = failure(embed(&model(provider(Kind::Openai, &server.url())), &["welder"]).await);
    assert_eq!(error.to_string(), "the provider far failed: it answered 307");
    assert_eq!(other.asked(), []);
}

#[tokio::test]
async fn a_text_that_the_server_cannot_read_is_named_by_its_position() {
    let server = Scripted::start(|asked| match input(asked) {
        texts if texts.iter().any(|text| text.contains("long")) => {
            Reply::json(400, r#"{"error":{"message":"maximum context length is 512 tokens"}}"#)
        }
        texts => answer(&texts),
    });
    let model = model(provider(Kind::Openai, &server.url()));
    let mut texts = vec!["short"; 100];
    texts[83] = "too long";
    let error = failure(embed(&model, &texts).await);
    assert_eq!((error.code(), error.kind()), ("models.text_refused", base::Kind::Invalid));
    assert_eq!(error.to_string(), "the provider far refuses text 83: it answered 400");
}

#[tokio::test]
async fn a_batch_that_is_too_much_goes_text_by_text() {
    let server = Scripted::start(|asked| match input(asked) {
        texts if texts.len() > 1 => Reply::json(413, "{}"),
        texts => answer(&texts),
    });
    let model = model(provider(Kind::Openai, &server.url()));
    assert_eq!(embed(&model, &["a", "bb", "ccc"]).await.unwrap(), ["a", "bb", "ccc"].map(vector));
}

#[tokio::test]
async fn a_long_list_goes_in_bounded_batches_and_bounded_calls() {
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // The server answers only when four calls are with it, and notes if there are ever more.
    let four = Barrier::new(4);
    let noted = Arc::clone(&most);
    let server = Scripted::start(move |asked| {
        let texts = input(asked);
        if texts != ["dimension"] {
            noted.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            four.wait();
            inside.fetch_sub(1, Ordering::SeqCst);
        }
        answer(&texts)
    });
    let model = model(provider(Kind::Openai, &server.url()));
    let texts: Vec<String> = (0..16 * 64).map(|number| "x".repeat(1 + number % 50)).collect();
    let expected: Vec<Vec<f32>> = texts.iter().map(|text| vector(text).to_vec()).collect();
    assert_eq!(embed(&model, &texts).await.unwrap(), expected);
    let asked = server.asked();
    assert!(asked.iter().skip(1).all(|asked| input(asked).len() == 64));
    assert!(most.load(Ordering::SeqCst) <= 4);
    let bearer = format!("Bearer {KEY}");
    assert!(asked.iter().all(|asked| asked.header("authorization") == Some(&bearer)));
}

#[tokio::test]
async fn an_overflow_that_a_server_does_not_know_is_refused() {
    let server = Scripted::start(|asked| answer(&input(asked)));
    let texts = crate::providers::texts(&["a"]);
    let far = |kind| model(provider(kind, &server.url()));
    let cases = [(Kind::Openai, Overflow::Truncate), (Kind::Openai, Overflow::Chunk), (Kind::Ollama, Overflow::Chunk)];
    for (kind, overflow) in cases {
        let error = failure(far(kind).embed(&texts, overflow).await);
        assert_eq!(error.code(), "models.no_overflow");
    }
}

#[test]
fn an_address_with_a_key_in_it_is_refused_and_not_repeated() {
    let cases = [
        ("", "models.providers.far.url is refused: write it as http://127.0.0.1:11434"),
        ("127.0.0.1:11434", "models.providers.far.url is refused"),
        ("ftp://host/", "models.providers.far.url is refused: its scheme must be http or https"),
        ("https://me:sk-very-secret-key@host/v1", "models.providers.far.url is refused: it must not hold a name"),
        ("https://host/v1?key=sk-very-secret-key", "models.providers.far.url is refused: it must end with its path"),
    ];
    for (url, says) in cases {
        let Err(error) = models(Provider { url: url.to_owned(), ..provider(Kind::Openai, "") }) else {
            panic!("{url:?} is taken");
        };
        assert!(matches!(error, Error::BadProvider { .. }));
        assert!(error.to_string().starts_with(says), "{error}");
        assert!(!format!("{error}{error:?}").contains(KEY));
    }
}

#[test]
fn settings_never_show_the_key() {
    let provider = provider(Kind::Openai, "http://host/v1");
    assert!(!format!("{provider:?}{}", serde_json::to_string(&provider).unwrap()).contains(KEY));
}
