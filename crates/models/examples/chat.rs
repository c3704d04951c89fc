//! Continues a conversation with the embedded language model and prints what it said and took, as JSON:
//! `chat MODEL_DIRECTORY QUESTIONS.json TOKENS [SCHEMA.json]`, where the questions are a JSON list of texts, each of which is
//! answered with the likeliest words, as many as TOKENS at most.

use std::process::ExitCode;
use std::time::Instant;

use base::Seams;
use futures::StreamExt;
use models::{Chat, ChatConfig, ChatRequest, ChatRouting, Config, Format, Message, Piece};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are its whole purpose")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments).await {
        Ok(lines) => {
            println!("{lines}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Result<Value, Failure> {
    let [directory, questions, tokens, schema @ ..] = arguments else {
        return Err("usage: chat MODEL_DIRECTORY QUESTIONS.json TOKENS [SCHEMA.json]".into());
    };
    let questions: Vec<String> = serde_json::from_slice(&tokio::fs::read(questions).await?)?;
    let format = match schema {
        [path] => Some(Format::Schema(serde_json::from_slice(&tokio::fs::read(path).await?)?)),
        _ => None,
    };
    let config = Config { chat_dir: Some(directory.into()), ..Config::default() };
    let routing = ChatRouting { ollama_url: "http://127.0.0.1".to_owned(), upstream: None };
    let settings = ChatConfig { default_provider: "embedded".to_owned() };
    let chat = Chat::new(&config, &settings, routing, Seams::system())?;
    let asked = |question: &str, most| ChatRequest {
        model: "SmolLM2-135M-Instruct".to_owned(),
        messages: vec![Message::user(question)],
        temperature: Some(0.0),
        max_tokens: Some(most),
        format: format.clone(),
        ..ChatRequest::default()
    };
    let begun = Instant::now();
    answer(&chat, &asked("Hello", 1)).await?;
    let load = begun.elapsed().as_secs_f64();
    let mut answers = Vec::new();
    for question in &questions {
        answers.push(answer(&chat, &asked(question, tokens.parse()?)).await?);
    }
    Ok(json!({ "load_seconds": load, "answers": answers }))
}

/// What was said, with the seconds until the first words and from there to the end.
async fn answer(chat: &Chat, request: &ChatRequest) -> Result<Value, Failure> {
    let begun = Instant::now();
    let mut pieces = chat.stream(request).await?.pieces;
    let (mut said, mut first) = (String::new(), None);
    while let Some(piece) = pieces.next().await {
        let now = begun.elapsed().as_secs_f64();
        let first = *first.get_or_insert(now);
        match piece? {
            Piece::Text(text) => said.push_str(&text),
            Piece::End(why, usage) => {
                return Ok(json!({
                    "said": said, "why": why, "usage": usage, "first_seconds": first, "rest_seconds": now - first,
                }));
            }
        }
    }
    Err("the answer has no end".into())
}
