//! Conversations with language models, written down where they belong to a run.

use futures::stream::{BoxStream, unfold};
use futures::{StreamExt, TryStreamExt};
use models::{Chat, ChatAnswer, ChatRequest, ListedProvider, Piece};

use crate::error::{Error, Result};
use crate::record::{Entry, Failure, Recorded, Recorder, Step, Talk};

/// All language models that can be asked. Clones share them.
#[derive(Clone)]
pub struct Chats {
    chat: Chat,
    recorder: Recorder,
}

/// An answer that comes piece by piece.
pub type Pieces = BoxStream<'static, Result<Piece>>;

/// A conversation that is being written down.
struct Listening {
    pieces: BoxStream<'static, models::Result<Piece>>,
    talk: Talk,
    entry: Entry,
}

impl Chats {
    /// Conversations of `chat`, written down by `recorder`.
    pub fn new(chat: Chat, recorder: Recorder) -> Self {
        Self { chat, recorder }
    }

    /// Every provider, by name.
    pub fn providers(&self) -> Vec<ListedProvider> {
        self.chat.providers()
    }

    /// What a model says, as a whole.
    pub async fn chat(&self, request: &ChatRequest, step: Option<&Step>) -> Result<ChatAnswer> {
        self.recorder.chat(&self.chat, request, step).await
    }

    /// What a model says, as it says it; what is written down is durable before the last piece is told.
    pub async fn stream(&self, request: &ChatRequest, step: Option<&Step>) -> Result<Pieces> {
        let entry = self.recorder.begin(Recorded::Chats, step);
        let begun = self.chat.stream(request).await;
        let Some(entry) = entry else { return Ok(begun?.pieces.map_err(Error::from).boxed()) };
        let mut talk = Talk::asked(request, step);
        match begun {
            Ok(begun) => {
                talk.meets(&begun.provider, &begun.model);
                let listening = Listening { pieces: begun.pieces, talk, entry };
                Ok(unfold(Some(listening), async |listening| listening?.next().await).boxed())
            }
            Err(failure) => {
                entry.write(&talk, Some(Failure::of(&failure))).await?;
                Err(failure.into())
            }
        }
    }
}

impl Listening {
    /// The next piece, and whether more are expected.
    async fn next(mut self) -> Option<(Result<Piece>, Option<Self>)> {
        match self.pieces.next().await? {
            Ok(Piece::Text(words)) => {
                self.talk.hears(&words);
                Some((Ok(Piece::Text(words)), Some(self)))
            }
            Ok(Piece::End(reason, usage)) => {
                self.talk.ends(reason, usage);
                let written = self.entry.write(&self.talk, None).await;
                Some((written.map(|()| Piece::End(reason, usage)), None))
            }
            Err(failure) => {
                let written = self.entry.write(&self.talk, Some(Failure::of(&failure))).await;
                Some((Err(written.err().unwrap_or(failure.into())), None))
            }
        }
    }
}
