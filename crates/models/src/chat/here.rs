//! Conversations with the model in this process.

use futures::StreamExt;

use super::Piece;
use crate::embedded::talker::Here;
use crate::error::Result;
use crate::language::{ChatAnswer, ChatRequest, FinishReason, Usage};

/// What the model says, as a whole.
pub(super) async fn chat(here: &Here, model: &str, request: &ChatRequest) -> Result<ChatAnswer> {
    let mut pieces = here.stream(model, request).await?;
    let (mut content, mut finish_reason, mut usage) = (String::new(), FinishReason::default(), Usage::default());
    while let Some(piece) = pieces.next().await {
        match piece? {
            Piece::Text(text) => content.push_str(&text),
            Piece::End(why, took) => (finish_reason, usage) = (why, took),
        }
    }
    let (provider, model) = (here.name().to_owned(), model.to_owned());
    Ok(ChatAnswer { content, finish_reason, provider, model, usage, latency_ms: 0 })
}
