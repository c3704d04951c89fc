//! A real small language model, behind llama.cpp's own server and behind a server of Ollama's API.

use base::Fault;
use futures::TryStreamExt;
use models::{
    Chat, ChatConfig, ChatRequest, ChatRouting, Config, FinishReason, Format, Kind, LanguageModel, Message, Piece,
    Provider,
};
use serde_json::{Value, json};
use testkit::Talkers;

use crate::providers::failure;

fn chat(servers: &Talkers) -> Chat {
    let llama = Provider::at(Kind::Openai, servers.openai());
    let ollama = Provider::at(Kind::Ollama, servers.ollama());
    let providers = [("llama".to_owned(), llama), ("ollama".to_owned(), ollama)].into();
    let routing = ChatRouting { ollama_url: String::new(), upstream: None };
    Chat::new(&Config { providers, ..Config::default() }, &ChatConfig::default(), routing, base::Seams::system())
        .unwrap()
}

/// Always the likeliest words, so that both sides say the same.
fn asked(model: &str, text: &str) -> ChatRequest {
    ChatRequest {
        model: model.to_owned(),
        messages: vec![Message::user(text)],
        temperature: Some(0.0),
        max_tokens: Some(8),
        ..ChatRequest::default()
    }
}

async fn streamed(chat: &Chat, request: &ChatRequest) -> (String, FinishReason) {
    let pieces: Vec<Piece> = chat.stream(request).await.unwrap().pieces.try_collect().await.unwrap();
    let (mut said, mut end) = (String::new(), None);
    for piece in pieces {
        match piece {
            Piece::Text(text) => said.push_str(&text),
            Piece::End(reason, _) => end = Some(reason),
        }
    }
    (said, end.expect("a stream tells its end"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_model_answers_in_every_way() {
    let Some(servers) = Talkers::start("models::smollm") else { return };
    let chat = chat(&servers);
    let question = "Say hello to the bakers.";
    let (llama, ollama) = ("llama/smollm2", format!("ollama/{}", Talkers::MODEL));

    let whole = chat.chat(&asked(llama, question)).await.unwrap();
    assert!(!whole.content.is_empty(), "{whole:?}");
    assert!(whole.usage.prompt_tokens.is_some_and(|tokens| tokens > 0), "{whole:?}");
    assert_eq!((whole.provider.as_str(), whole.model.as_str()), ("llama", "smollm2"));
    assert_eq!(streamed(&chat, &asked(llama, question)).await, (whole.content.clone(), whole.finish_reason));
    assert_eq!(chat.chat(&asked(&ollama, question)).await.unwrap().content, whole.content);
    assert_eq!(streamed(&chat, &asked(&ollama, question)).await.0, whole.content);

    // Three tokens are no answer, and it says so.
    let short = ChatRequest { max_tokens: Some(3), ..asked(llama, "Tell me a long story.") };
    let cut = chat.chat(&short).await.unwrap();
    assert_eq!((cut.finish_reason, cut.usage.completion_tokens), (FinishReason::Length, Some(3)));
    assert_eq!(streamed(&chat, &short).await.1, FinishReason::Length);

    // A small model does not know much, and keeps to a form it is given.
    let schema = json!({
        "type": "object",
        "properties": { "role": { "enum": ["welder", "baker"] }, "count": { "type": "integer" } },
        "required": ["role", "count"],
        "additionalProperties": false,
    });
    let Value::Object(schema) = schema else { panic!("an object") };
    let shaped = ChatRequest {
        format: Some(Format::Schema(schema)),
        max_tokens: Some(40),
        ..asked(llama, "We need two bakers.")
    };
    let answer: Value = serde_json::from_str(&chat.chat(&shaped).await.unwrap().content).unwrap();
    assert!(["welder", "baker"].contains(&answer["role"].as_str().unwrap()) && answer["count"].is_i64(), "{answer}");

    let error = failure(chat.chat(&asked("ollama/nobody/knows", question)).await);
    assert_eq!(error.code(), "models.upstream_failed");
    assert!(error.to_string().contains("Unknown provider prefix: 'nobody'"), "{error}");
}
