//! `lakehouse chat`: a language model answers.

use client::{ChatAnswer, ChatMessage, ChatProvider, ChatProviders, ChatRequest};
use tokio::io::AsyncReadExt;

use crate::cli::Chat;
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::output::{Output, Sheet};

pub async fn run(chat: &Chat, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let Some(model) = &chat.model else { return providers(chat, sources, output).await };
    let request = request(chat, model).await?;
    let door = Door::open(&chat.target, sources, Purpose::Models).await?;
    let outcome = door.client.chat(&request).await;
    door.close().await;
    let answer = outcome?;
    output.told(&answer, || tell(&answer, output))
}

async fn request(chat: &Chat, model: &str) -> anyhow::Result<ChatRequest> {
    let text = match &chat.text {
        Some(text) => text.clone(),
        None => {
            let mut text = String::new();
            tokio::io::stdin().read_to_string(&mut text).await?;
            text
        }
    };
    let said = |role: &str, content: &str| ChatMessage { role: role.to_owned(), content: content.to_owned() };
    let system = chat.system.iter().map(|system| said("system", system));
    Ok(ChatRequest {
        model: model.to_owned(),
        messages: system.chain([said("user", &text)]).collect(),
        temperature: chat.temperature,
        max_tokens: chat.max_tokens,
        format: chat.schema.clone(),
        trace_id: None,
    })
}

/// The answer; a person is told when it is not the whole.
fn tell(answer: &ChatAnswer, output: Output) -> anyhow::Result<()> {
    output.line(&answer.content)?;
    if answer.finish_reason == "length" {
        output.remark("the answer was cut off: allow it more with --max-tokens");
    }
    Ok(())
}

async fn providers(chat: &Chat, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let door = Door::open(&chat.target, sources, Purpose::Models).await?;
    let outcome = door.client.chat_providers().await;
    door.close().await;
    let found = outcome?;
    output.rows(&found, || listed(&found))
}

fn listed(found: &ChatProviders) -> Sheet {
    let row = |one: &ChatProvider| {
        let role = if one.default { "default" } else { "" };
        let key = if one.has_key { "" } else { "no key" };
        [&*one.name, &*one.kind, role, key].map(str::to_owned).to_vec()
    };
    let header = ["name", "kind", "role", "key"].map(str::to_owned).to_vec();
    let rows = found.providers.iter().map(row).collect();
    Sheet { header, rows, numeric: Vec::new() }
}
