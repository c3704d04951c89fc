//! A language model that says what its script says, behind OpenAI's API.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::scripted::{Asked, Reply, Scripted};

/// A running model. It ends with this.
pub struct Talker {
    server: Scripted,
}

impl Talker {
    /// Starts a model that says these texts, one per request, and the last one for ever.
    pub fn start<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
        let next = AtomicUsize::new(0);
        Self::saying(move |_| {
            let place = next.fetch_add(1, Ordering::SeqCst).min(texts.len().saturating_sub(1));
            texts.get(place).cloned().unwrap_or_default()
        })
    }

    /// Starts a model that says what `script` makes of the body of a request.
    pub fn saying(script: impl Fn(&Value) -> String + Send + Sync + 'static) -> Self {
        Self { server: Scripted::start(move |asked| said(&script(&body(asked)))) }
    }

    /// The base URL; it ends in `/v1`.
    pub fn url(&self) -> String {
        format!("{}/v1", self.server.url())
    }

    /// The bodies of the requests so far.
    pub fn asked(&self) -> Vec<Value> {
        self.server.asked().iter().map(body).collect()
    }

    /// The requests so far, their headers with them.
    pub fn requests(&self) -> Vec<Asked> {
        self.server.asked()
    }
}

fn body(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap_or_default()
}

fn said(text: &str) -> Reply {
    let message = json!({ "role": "assistant", "content": text });
    let answer = json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 1, "completion_tokens": text.split_whitespace().count(), "total_tokens": 0 },
    });
    Reply::json(200, &answer.to_string())
}
