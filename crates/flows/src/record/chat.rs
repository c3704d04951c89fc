//! The line of a conversation.

use models::{ChatAnswer, ChatRequest, FinishReason, LanguageModel, Speaker, Usage};
use serde::Serialize;

use super::{ANSWERED, ASKED, Failure, NAME, Recorded, Recorder, Step, cut};
use crate::error::Result;

/// What was asked of a model, and what it said.
#[derive(Serialize)]
pub(crate) struct Talk {
    /// As it was asked for.
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// As its provider calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_model: Option<String>,
    /// What the model was asked to be: whoever proposes in a session, or anything.
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    messages: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    prompt: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    answer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<FinishReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_tokens: Option<u64>,
}

impl Recorder {
    /// What a model says, written down where it belongs to a run.
    pub(crate) async fn chat(
        &self,
        model: &dyn LanguageModel,
        request: &ChatRequest,
        step: Option<&Step>,
    ) -> Result<ChatAnswer> {
        let Some(entry) = self.begin(Recorded::Chats, step) else { return Ok(model.chat(request).await?) };
        let (answered, mut talk) = (model.chat(request).await, Talk::asked(request, step));
        if let Ok(answer) = &answered {
            talk.meets(&answer.provider, &answer.model);
            talk.hears(&answer.content);
            talk.ends(answer.finish_reason, answer.usage);
        }
        entry.write(&talk, answered.as_ref().err().map(Failure::of)).await?;
        Ok(answered?)
    }
}

impl Talk {
    /// What is asked.
    pub(crate) fn asked(request: &ChatRequest, step: Option<&Step>) -> Self {
        let said = |who: Speaker| request.messages.iter().rev().find(move |message| message.role == who);
        let text = |who: Speaker| said(who).map(|message| cut(&message.content, ASKED));
        let proposes = step.is_some_and(|step| step.iteration.is_some());
        Self {
            model: cut(&request.model, NAME),
            provider: None,
            provider_model: None,
            role: if proposes { "executor" } else { "other" },
            temperature: request.temperature,
            max_tokens: request.max_tokens,
            messages: request.messages.len(),
            system: text(Speaker::System),
            prompt: text(Speaker::User).unwrap_or_default(),
            answer: String::new(),
            finish_reason: None,
            prompt_tokens: None,
            completion_tokens: None,
        }
    }

    /// Who answers.
    pub(crate) fn meets(&mut self, provider: &str, model: &str) {
        self.provider = Some(cut(provider, NAME));
        self.provider_model = Some(cut(model, NAME));
    }

    /// The next words.
    pub(crate) fn hears(&mut self, words: &str) {
        let heard = self.answer.chars().count();
        self.answer.extend(words.chars().take(ANSWERED - heard));
    }

    /// There are no more.
    pub(crate) fn ends(&mut self, reason: FinishReason, usage: Usage) {
        self.finish_reason = Some(reason);
        (self.prompt_tokens, self.completion_tokens) = (usage.prompt_tokens, usage.completion_tokens);
    }
}
