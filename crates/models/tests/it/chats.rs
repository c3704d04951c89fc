//! Conversations with servers of models: what is asked, what is answered, and every way in which it can fail.

use std::net::TcpListener;

use base::{Fault, Kind as Fix, Span};
use futures::TryStreamExt;
use models::{
    Chat, ChatAnswer, ChatConfig, ChatRequest, ChatRouting, Config, FinishReason, Format, Kind, LanguageModel, Message,
    Piece, Provider, Usage,
};
use serde_json::{Value, json};
use testkit::{Reply, Scripted};

use crate::providers::{KEY, body, failure, provider};

/// A conversation with the models of `provider`, which is called `far`.
fn chat(provider: Provider) -> Chat {
    let config = Config { providers: [("far".to_owned(), provider)].into(), ..Config::default() };
    let routing = ChatRouting { ollama_url: "http://127.0.0.1:1".to_owned(), upstream: None };
    Chat::new(&config, &ChatConfig::default(), routing, base::Seams::system()).unwrap()
}

fn request() -> ChatRequest {
    ChatRequest {
        model: "far/org/m:1b".to_owned(),
        messages: vec![Message::system("Be brief."), Message::user("Who are you?")],
        ..ChatRequest::default()
    }
}

async fn ask(kind: Kind, reply: Reply) -> models::Result<ChatAnswer> {
    let server = Scripted::start(move |_| reply.clone());
    chat(provider(kind, &server.url())).chat(&request()).await
}

/// Everything that is said, and how it ends.
async fn overhear(kind: Kind, reply: Reply) -> models::Result<(String, Option<(FinishReason, Usage)>)> {
    let server = Scripted::start(move |_| reply.clone());
    let mut pieces = chat(provider(kind, &server.url())).stream(&request()).await?.pieces;
    let (mut said, mut end) = (String::new(), None);
    while let Some(piece) = pieces.try_next().await? {
        assert_eq!(end, None, "nothing comes after the end");
        match piece {
            Piece::Text(text) => said.push_str(&text),
            Piece::End(reason, usage) => end = Some((reason, usage)),
        }
    }
    Ok((said, end))
}

fn openai(content: &str, reason: &str) -> String {
    json!({
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": content }, "finish_reason": reason }],
        "usage": { "prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10 },
    })
    .to_string()
}

fn ollama(content: &str, reason: &str) -> String {
    json!({
        "model": "m", "message": { "role": "assistant", "content": content }, "done": true, "done_reason": reason,
        "prompt_eval_count": 7, "eval_count": 3,
    })
    .to_string()
}

const TAKEN: Usage = Usage { prompt_tokens: Some(7), completion_tokens: Some(3) };

#[tokio::test]
async fn an_answer_is_the_same_whoever_gives_it() {
    let cases = [(Kind::Openai, openai("I am a model.", "stop")), (Kind::Ollama, ollama("I am a model.", "stop"))];
    for (kind, reply) in cases {
        let ChatAnswer { content, finish_reason, provider, model, usage, .. } =
            ask(kind, Reply::json(200, &reply)).await.unwrap();
        assert_eq!((content.as_str(), finish_reason, usage), ("I am a model.", FinishReason::Stop, TAKEN));
        assert_eq!((provider.as_str(), model.as_str()), ("far", "org/m:1b"));
    }
}

/// Temperature 0 is a wish, and no temperature is none.
#[tokio::test]
async fn what_is_asked_for_is_asked_and_what_is_not_is_not() {
    let server = Scripted::start(|asked| match asked.path.as_str() {
        "/api/chat" => Reply::json(200, &ollama("ok", "stop")),
        _ => Reply::json(200, &openai("ok", "stop")),
    });
    let messages = json!([{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Who are you?" }]);
    let schema = json!({ "type": "object" });
    let Value::Object(object) = schema.clone() else { panic!("an object") };
    let plain = request();
    let cold = ChatRequest { temperature: Some(0.0), max_tokens: Some(9), format: Some(Format::Json), ..request() };
    let shaped = ChatRequest { format: Some(Format::Schema(object)), ..request() };
    for kind in [Kind::Openai, Kind::Ollama] {
        let chat = chat(provider(kind, &server.url()));
        for request in [&plain, &cold, &shaped] {
            chat.chat(request).await.unwrap();
        }
    }
    let model = "org/m:1b";
    let named = json!({ "name": "answer", "strict": true, "schema": schema });
    let ollama = |rest: Value| {
        let mut asked = json!({ "model": model, "messages": messages, "stream": false, "think": false });
        asked.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        asked
    };
    let expected = [
        json!({ "model": model, "messages": messages }),
        json!({ "model": model, "messages": messages, "temperature": 0.0, "max_tokens": 9,
            "response_format": { "type": "json_object" } }),
        json!({ "model": model, "messages": messages,
            "response_format": { "type": "json_schema", "json_schema": named } }),
        ollama(json!({ "options": {} })),
        ollama(json!({ "options": { "temperature": 0.0, "num_predict": 9 }, "format": "json" })),
        ollama(json!({ "options": {}, "format": schema })),
    ];
    let asked = server.asked();
    assert_eq!(asked.iter().map(body).collect::<Vec<_>>(), expected);
    assert_eq!((asked[0].path.as_str(), asked[3].path.as_str()), ("/chat/completions", "/api/chat"));
    let bearer = format!("Bearer {KEY}");
    assert!(asked.iter().all(|asked| asked.header("authorization") == Some(&bearer)));
}

#[tokio::test]
async fn why_an_answer_ends_is_told_as_it_is() {
    let cases = [
        ("stop", FinishReason::Stop),
        ("length", FinishReason::Length),
        ("content_filter", FinishReason::ContentFilter),
        ("load", FinishReason::Unknown),
    ];
    for (word, reason) in cases {
        for (kind, reply) in [(Kind::Openai, openai("x", word)), (Kind::Ollama, ollama("x", word))] {
            assert_eq!(ask(kind, Reply::json(200, &reply)).await.unwrap().finish_reason, reason, "{word}");
        }
    }
    let silent = ask(Kind::Openai, Reply::json(200, r#"{"choices":[{"message":{"content":null}}]}"#)).await.unwrap();
    assert_eq!((silent.content.as_str(), silent.finish_reason), ("", FinishReason::Unknown));
    assert_eq!(silent.usage, Usage::default());
}

#[tokio::test]
async fn pieces_come_as_they_are_said() {
    let events = concat!(
        ": hello\n\n",
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\r\n\r\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"Grüß \"},\"finish_reason\":null}],\"usage\":null}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"Gott\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n",
        "data: [DONE]\n\n",
    );
    let lines = concat!(
        "{\"message\":{\"role\":\"assistant\",\"content\":\"Grüß \"},\"done\":false}\n",
        "{\"message\":{\"content\":\"Gott\"},\"done\":false}\n",
        "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"length\",\"prompt_eval_count\":7,\"eval_count\":3}",
    );
    for (kind, text) in [(Kind::Openai, events), (Kind::Lakehouse, events), (Kind::Ollama, lines)] {
        let (said, end) = overhear(kind, Reply::json(200, text)).await.unwrap();
        assert_eq!((said.as_str(), end), ("Grüß Gott", Some((FinishReason::Length, TAKEN))));
    }
}

#[tokio::test]
async fn a_failing_server_is_a_documented_error() {
    let failed = "models.upstream_failed";
    let cases = [
        (Reply::HangUp, failed, "it broke the connection off"),
        (Reply::CutOff(openai("x", "stop").into_bytes()), failed, "its answer broke off"),
        (Reply::json(200, "{\"choices\":["), failed, "its answer is not what this route answers"),
        (Reply::json(200, "<html>"), failed, "its answer is not what this route answers"),
        (Reply::json(200, "{\"choices\":[]}"), failed, "it answered nothing"),
        (Reply::json(500, r#"{"error":{"message":"out of memory"}}"#), failed, "it answered 500: out of memory"),
        (
            Reply::json(404, r#"{"error":"model 'm' not found"}"#),
            failed,
            "may not have this model: model 'm' not found",
        ),
        (Reply::json(400, &format!(r#"{{"error":"bad {KEY}"}}"#)), failed, "it answered 400: bad ***"),
        (Reply::json(401, &format!(r#"{{"error":"bad {KEY}"}}"#)), failed, "it refuses the key it was given"),
        (Reply::json(504, "{}"), "models.upstream_timeout", "did not answer in time"),
        (Reply::Flood(Some(1 << 30), vec![b' '; 1 << 16]), failed, "its answer is too large"),
        (Reply::Flood(None, vec![b' '; 1 << 16]), failed, "its answer is too large"),
    ];
    for (reply, code, says) in cases {
        let error = failure(ask(Kind::Openai, reply).await);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(says), "{error} does not say {says}");
    }
    let error = failure(ask(Kind::Ollama, Reply::json(200, r#"{"message":{"content":"x"},"done":false}"#)).await);
    assert_eq!(error.to_string(), "the provider far failed: it answered a part and no end");
    let busy = Reply::Answer(429, vec![("retry-after", "7".to_owned())], Vec::new());
    let error = failure(ask(Kind::Ollama, busy).await);
    assert_eq!(
        (error.code(), error.kind(), &error.facts()["retry_after"]),
        ("models.rate_limited", Fix::TooMuch, &json!(7))
    );
}

#[tokio::test]
async fn a_stream_that_fails_says_so_instead_of_ending() {
    let word = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
    let error = format!("{word}data: {{\"error\":{{\"message\":\"no more {KEY}\"}}}}\n\n");
    let cases = [
        (Kind::Openai, Reply::json(200, word), "its answer broke off"),
        (Kind::Openai, Reply::CutOff(word.as_bytes().to_vec()), "its answer broke off"),
        (Kind::Openai, Reply::json(200, &error), "it broke off with no more ***"),
        (Kind::Openai, Reply::json(200, "data: {{{\n\n"), "its answer is not what this route answers"),
        (Kind::Openai, Reply::json(500, r#"{"error":"no"}"#), "it answered 500: no"),
        (Kind::Openai, Reply::Flood(None, vec![b'x'; 1 << 16]), "its answer has a line that is too long"),
        (Kind::Openai, Reply::Flood(None, word.repeat(1000).into_bytes()), "its answer is too large"),
        (Kind::Openai, Reply::Flood(Some(1 << 30), word.repeat(1000).into_bytes()), "its answer is too large"),
        (Kind::Ollama, Reply::Flood(Some(1 << 30), vec![b'x'; 1 << 16]), "its answer is too large"),
        (Kind::Ollama, Reply::HangUp, "it broke the connection off"),
        (Kind::Openai, Reply::HangUp, "it broke the connection off"),
        (Kind::Ollama, Reply::json(200, "{\"message\":{\"content\":\"x\"},\"done\":false}\n"), "its answer broke off"),
        (Kind::Ollama, Reply::json(200, "{\"error\":\"no\"}\n"), "it broke off with no"),
    ];
    for (kind, reply, says) in cases {
        let error = failure(overhear(kind, reply).await);
        assert_eq!(error.to_string(), format!("the provider far failed: {says}"));
    }
    let busy = Reply::Answer(429, vec![("retry-after", "7".to_owned())], Vec::new());
    for kind in [Kind::Openai, Kind::Ollama, Kind::Lakehouse] {
        let error = failure(overhear(kind, busy.clone()).await);
        assert_eq!((error.code(), &error.facts()["retry_after"]), ("models.rate_limited", &json!(7)));
    }
}

#[tokio::test]
async fn the_time_of_a_call_holds_for_all_of_it() {
    let word = b"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n".to_vec();
    for reply in [Reply::Silence, Reply::Stalls(word.clone()), Reply::Drips(word)] {
        let server = Scripted::start(move |_| reply.clone());
        let chat = chat(Provider { timeout: Span::millis(300), ..provider(Kind::Openai, &server.url()) });
        assert_eq!(failure(chat.chat(&request()).await).code(), "models.upstream_timeout");
        let pieces = async { chat.stream(&request()).await?.pieces.try_collect::<Vec<_>>().await };
        assert_eq!(failure(pieces.await).code(), "models.upstream_timeout");
        // More at once than a server is asked: those that wait for their turn wait no longer than the others.
        let many = (0..20).map(|_| async { failure(chat.chat(&request()).await).code() });
        let codes = futures::future::join_all(many).await;
        assert_eq!(codes, ["models.upstream_timeout"; 20]);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_asked() {
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for kind in [Kind::Openai, Kind::Ollama, Kind::Lakehouse] {
        let chat = chat(provider(kind, &format!("http://{nowhere}")));
        let streamed = async { chat.stream(&request()).await?.pieces.try_collect::<Vec<_>>().await };
        for error in [failure(chat.chat(&request()).await), failure(streamed.await)] {
            assert_eq!(error.to_string(), "the provider far failed: it cannot be reached");
        }
    }
}

#[tokio::test]
async fn what_no_model_could_answer_is_not_asked() {
    let chat = chat(provider(Kind::Openai, "http://127.0.0.1:1"));
    let cases = [
        (ChatRequest { messages: Vec::new(), ..request() }, "`messages` is refused: there is none"),
        (ChatRequest { model: String::new(), ..request() }, "`model` is refused: it is empty"),
        (ChatRequest { max_tokens: Some(0), ..request() }, "`max_tokens` is refused: it is at least 1"),
        (ChatRequest { temperature: Some(2.5), ..request() }, "`temperature` is refused: it is from 0 to 2"),
        (ChatRequest { temperature: Some(f64::NAN), ..request() }, "`temperature` is refused: it is from 0 to 2"),
    ];
    for (request, says) in cases {
        let error = failure(chat.chat(&request).await);
        assert_eq!((error.code(), error.to_string().as_str()), ("models.bad_chat", says));
    }
    let stranger = ChatRequest { model: "nobody/m".to_owned(), ..request() };
    let error = failure(chat.chat(&stranger).await);
    assert_eq!((error.code(), error.kind()), ("models.unknown_provider", Fix::NotFound));
    assert_eq!(error.to_string(), "no provider is called \"nobody\": there are embedded, far, ollama, ollama_cloud");
}

/// The other process is asked by the full name, and what it refuses is refused in its words.
#[tokio::test]
async fn another_process_is_asked_for_every_name() {
    let server = Scripted::start(|asked| match body(asked)["model"].as_str() {
        Some("nobody/m") => {
            let detail = "no provider is called \"nobody\"";
            let problem = json!({ "status": 404, "code": "models.unknown_provider", "detail": detail, "known": ["a"] });
            Reply::json(404, &problem.to_string())
        }
        _ => {
            let usage = json!({ "prompt_tokens": 7, "completion_tokens": null });
            let answer = json!({ "content": "ok", "finish_reason": "length", "provider": "p", "model": "m",
                "usage": usage, "latency_ms": 1 });
            Reply::json(200, &answer.to_string())
        }
    });
    let upstream = Some(provider(Kind::Lakehouse, &server.url()));
    let routing = ChatRouting { ollama_url: "http://127.0.0.1:1".to_owned(), upstream };
    let chat = Chat::new(&Config::default(), &ChatConfig::default(), routing, base::Seams::system()).unwrap();
    let traced = ChatRequest { trace_id: Some("abc".to_owned()), ..request() };
    let answer = chat.chat(&traced).await.unwrap();
    assert_eq!((answer.provider.as_str(), answer.finish_reason), ("p", FinishReason::Length));
    assert_eq!(answer.usage, Usage { prompt_tokens: Some(7), completion_tokens: None });
    let error = failure(chat.chat(&ChatRequest { model: "nobody/m".to_owned(), ..request() }).await);
    assert_eq!(
        (error.code(), error.kind(), &error.facts()["known"]),
        ("models.unknown_provider", Fix::NotFound, &json!(["a"]))
    );
    let asked = server.asked();
    assert_eq!((asked[0].path.as_str(), &body(&asked[0])["model"]), ("/chat", &json!("far/org/m:1b")));
    assert_eq!(asked[0].header("x-lakehouse-trace-id"), Some("abc"));
}
