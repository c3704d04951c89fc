//! One answer: the conversation is read, then word after word is chosen, said and read.

use std::cell::OnceCell;
use std::sync::Arc;

use base::Seams;
use forms::{Form, Read};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::chat::Piece;
use crate::embedded::talker::Model;
use crate::embedded::talker::choice::Choice;
use crate::embedded::talker::forward::Forward;
use crate::embedded::talker::memory::Memory;
use crate::embedded::talker::said::Said;
use crate::error::{Error, Result};
use crate::language::{FinishReason, Usage};

/// So many tokens of a conversation are read at once: enough to use each weight often. Between them it is asked whether
/// anybody still listens.
const READ_AT_ONCE: usize = 128;

/// An answer that is to be given.
pub(crate) struct Talk {
    pub(crate) model: Arc<Model>,
    /// The conversation, with room for one token at least.
    pub(crate) tokens: Vec<u32>,
    pub(crate) form: Option<Form>,
    pub(crate) choice: Choice,
    /// Tokens of the answer at most.
    pub(crate) most: usize,
    /// Tokens of the conversation and the answer at most.
    pub(crate) context: usize,
    pub(crate) until: Instant,
    /// The name of the provider, for errors.
    pub(crate) provider: String,
    pub(crate) seams: Seams,
}

/// Whoever listens.
pub(crate) type Listener = UnboundedSender<Result<Piece>>;

/// Why an answer is not given to its end: nobody listens any more, or it failed.
enum Left {
    Alone,
    Failed(Error),
}

impl Talk {
    /// Says all of the answer, piece by piece, then its end; a failure ends it too. Takes seconds, so not on the runtime's
    /// own threads.
    pub(crate) fn run(&self, listener: &Listener) {
        let last = match self.answer(listener) {
            Ok(end) => Ok(end),
            Err(Left::Failed(error)) => Err(error),
            Err(Left::Alone) => return,
        };
        // Who has gone away need not hear it.
        let _ = listener.send(last);
    }

    fn answer(&self, listener: &Listener) -> Result<Piece, Left> {
        let most = self.most.min(self.context.saturating_sub(self.tokens.len()));
        let mut memory = Memory::new(self.model.weights.shape, self.tokens.len() + most);
        let mut forward = Forward::new(&self.model.weights);
        let mut x = Vec::new();
        for tokens in self.tokens.chunks(READ_AT_ONCE) {
            self.goes_on(listener)?;
            x = forward.read(tokens, &mut memory);
        }
        let mut read = self.form.as_ref().map(Form::begin);
        let (mut said, mut count, mut last) = (Said::default(), 0, None);
        let why = loop {
            if read.as_ref().is_some_and(Read::is_over) {
                break FinishReason::Stop;
            }
            if count == most {
                break FinishReason::Length;
            }
            self.goes_on(listener)?;
            if let Some(token) = last {
                x = forward.read(&[token], &mut memory);
            }
            let Some(token) = self.next(&forward.likelihoods(&x), read.as_ref(), listener) else {
                self.goes_on(listener)?;
                // Nothing fits only where the form would have to go on deeper than it may.
                break FinishReason::Length;
            };
            let Some(bytes) = self.model.words.bytes(token) else { break FinishReason::Stop };
            if let Some(read) = &mut read {
                read.say(bytes);
            }
            tell(listener, said.more(bytes))?;
            count += 1;
            last = Some(token);
        };
        tell(listener, said.rest())?;
        let (prompt, completion) = (self.tokens.len() as u64, count as u64);
        Ok(Piece::End(why, Usage { prompt_tokens: Some(prompt), completion_tokens: Some(completion) }))
    }

    /// The next token: text that the form takes, or the end where the form lets it be. None too when the time is over, or
    /// nobody listens: in some forms each token takes a while to try.
    fn next(&self, likelihoods: &[f32], read: Option<&Read<'_>>, listener: &Listener) -> Option<u32> {
        let words = &self.model.words;
        let tried = |read: &Read<'_>, bytes: &[u8]| self.goes_on(listener).is_ok() && read.takes(bytes);
        // Most tokens fail with their first byte.
        let first: [OnceCell<bool>; 256] = std::array::from_fn(|_| OnceCell::new());
        let begins = |read: &Read<'_>, byte: u8| *first[usize::from(byte)].get_or_init(|| tried(read, &[byte]));
        let takes = |token: u32| match (words.bytes(token), read) {
            (None, read) => words.ends(token) && read.is_none_or(Read::is_whole),
            (Some(_), None) => true,
            (Some(bytes), Some(read)) => bytes.first().is_some_and(|byte| begins(read, *byte)) && tried(read, bytes),
        };
        self.choice.choose(likelihoods, takes, || chance(&self.seams))
    }

    fn goes_on(&self, listener: &Listener) -> Result<(), Left> {
        if listener.is_closed() {
            return Err(Left::Alone);
        }
        if Instant::now() < self.until {
            return Ok(());
        }
        Err(Left::Failed(Error::UpstreamTimeout { provider: self.provider.clone() }))
    }
}

/// A number from 0 to below 1.
fn chance(seams: &Seams) -> f64 {
    const BITS: u32 = 53;
    let rolled = u128::from_be_bytes(seams.roll()) >> (u128::BITS - BITS);
    rolled as f64 / (1u64 << BITS) as f64
}

fn tell(listener: &Listener, text: String) -> Result<(), Left> {
    if text.is_empty() {
        return Ok(());
    }
    listener.send(Ok(Piece::Text(text))).map_err(|_| Left::Alone)
}
