//! Answers that come line by line.

use futures::StreamExt;
use futures::stream::{BoxStream, try_unfold};

use super::Piece;
use crate::error::Result;
use crate::http::Opened;
use crate::language::{FinishReason, Usage};

/// The longest line that is kept; a line holds a few words.
const MAX_LINE: usize = 1 << 20;

/// What one line says.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) text: String,
    pub(super) finish: Option<FinishReason>,
    pub(super) usage: Option<Usage>,
    /// Nothing comes after it.
    pub(super) over: bool,
    /// It went wrong after it had begun well.
    pub(super) failure: Option<String>,
}

/// The lines of an answer as they come.
pub(super) struct Lines {
    answer: Opened,
    kept: Vec<u8>,
}

impl Lines {
    pub(super) fn of(answer: Opened) -> Self {
        Self { answer, kept: Vec::new() }
    }

    /// The next line without its end; none when the answer has ended.
    async fn next(&mut self) -> Result<Option<String>> {
        loop {
            if let Some(end) = self.kept.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.kept.drain(..=end).collect();
                return Ok(Some(text(&line)));
            }
            if self.kept.len() > MAX_LINE {
                return Err(self.answer.server().failed("its answer has a line that is too long"));
            }
            match self.answer.piece().await? {
                Some(piece) => self.kept.extend_from_slice(piece.as_ref()),
                None if self.kept.is_empty() => return Ok(None),
                None => return Ok(Some(text(&std::mem::take(&mut self.kept)))),
            }
        }
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
}

/// An answer on its way.
struct Telling {
    lines: Lines,
    read: fn(&str) -> serde_json::Result<Heard>,
    finish: Option<FinishReason>,
    usage: Usage,
    over: bool,
}

/// What the lines tell, as `read` understands them.
pub(super) fn told(lines: Lines, read: fn(&str) -> serde_json::Result<Heard>) -> BoxStream<'static, Result<Piece>> {
    let telling = Telling { lines, read, finish: None, usage: Usage::default(), over: false };
    let next = async |telling: Option<Telling>| match telling {
        Some(telling) => telling.next().await.map(Some),
        None => Ok(None),
    };
    try_unfold(Some(telling), next).boxed()
}

impl Telling {
    /// The next piece; nobody to ask any more after the last.
    async fn next(mut self) -> Result<(Piece, Option<Self>)> {
        while !self.over {
            let Some(line) = self.lines.next().await? else { break };
            let server = self.lines.answer.server();
            let heard = (self.read)(&line).map_err(|why| server.unreadable(why))?;
            if let Some(said) = heard.failure {
                return Err(server.complains(&said));
            }
            self.over = heard.over;
            self.finish = heard.finish.or(self.finish);
            self.usage = heard.usage.unwrap_or(self.usage);
            if !heard.text.is_empty() {
                return Ok((Piece::Text(heard.text), Some(self)));
            }
        }
        // An answer that stops without having said that it ends was cut off on its way.
        match (self.finish, self.over) {
            (None, false) => Err(self.lines.answer.server().failed("its answer broke off")),
            (finish, _) => Ok((Piece::End(finish.unwrap_or_default(), self.usage), None)),
        }
    }
}
