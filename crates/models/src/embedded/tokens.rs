//! A text becomes tokens, in windows that the model can read.

use tokenizers::Tokenizer;

use crate::embedder::Overflow;
use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// The most tokens of a window, those that mark its ends included.
pub(crate) const LIMIT: usize = 256;
/// The most tokens of a query and a text together, those that mark their ends included.
const PAIR: usize = 512;
/// The most tokens of a query that is read together with a text.
const QUERY: usize = PAIR / 2;
/// The tokens of a window without those that mark its ends.
const ROOM: usize = LIMIT - 2;
/// How many tokens a window shares with the one before it.
const OVERLAP: usize = 32;
/// Begins every window.
const BEGIN: u32 = 101;
/// Ends every window.
const END: u32 = 102;
/// The tokenizer needs a hundred bytes of memory for each of a text, so a long text is handed over in pieces of about
/// this many bytes.
const PIECE: usize = 16 << 10;
/// A word that is longer than this may be cut in two; the model knows no word of more than 100 letters anyway.
const LONGEST_WORD: usize = 64 << 10;

/// The tokenizer.
pub(crate) struct Tokens(Tokenizer);

impl Tokens {
    /// Reads the tokenizer's file.
    pub(crate) fn load(file: &[u8]) -> Result<Self> {
        let mut tokenizer = Tokenizer::from_bytes(file).map_err(|error| broken("read the tokenizer", error))?;
        // The file cuts and pads to 128 tokens.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| broken("set up the tokenizer", error))?;
        Ok(Self(tokenizer))
    }

    /// The first `limit` tokens of a text, without those that mark its ends.
    pub(crate) fn first(&self, text: &str, limit: usize) -> Result<Vec<u32>> {
        let mut tokens = Vec::new();
        for piece in pieces(text) {
            let piece = self.0.encode_fast(piece, false).map_err(|error| broken("tokenize a text", error))?;
            tokens.extend_from_slice(piece.get_ids());
            if tokens.len() >= limit {
                break;
            }
        }
        tokens.truncate(limit);
        Ok(tokens)
    }

    /// A query and as much of a text as is read with it.
    pub(crate) fn pair(&self, query: &[u32], text: &str) -> Result<Pair> {
        let mut tokens = [&[BEGIN], query, &[END]].concat();
        let second = tokens.len();
        tokens.extend(self.first(text, PAIR - second - 1)?);
        tokens.push(END);
        Ok(Pair { tokens, second })
    }

    /// The query of pairs.
    pub(crate) fn query(&self, text: &str) -> Result<Vec<u32>> {
        self.first(text, QUERY)
    }

    /// The windows of the text at `position`: one, unless it is long and `overflow` asks for all of it.
    pub(crate) fn windows(&self, position: usize, text: &str, overflow: Overflow) -> Result<Vec<Vec<u32>>> {
        let (mut tokens, mut count) = (Vec::new(), 0);
        for piece in pieces(text) {
            let piece = self.0.encode_fast(piece, false).map_err(|error| broken("tokenize a text", error))?;
            count += piece.get_ids().len();
            if overflow == Overflow::Chunk || tokens.len() < ROOM {
                tokens.extend_from_slice(piece.get_ids());
            }
            if overflow == Overflow::Truncate && count >= ROOM {
                break;
            }
        }
        match overflow {
            Overflow::Error if count > ROOM => Err(Error::TooLong { position, tokens: count + 2, limit: LIMIT }),
            Overflow::Chunk => Ok(overlapping(&tokens)),
            Overflow::Error | Overflow::Truncate => Ok(vec![window(&tokens[..tokens.len().min(ROOM)])]),
        }
    }
}

/// A query and a text that are read together.
pub(crate) struct Pair {
    pub(crate) tokens: Vec<u32>,
    /// Where the text begins.
    pub(crate) second: usize,
}

/// All numbers that decide which tokens the model reads together.
pub(crate) fn way() -> String {
    format!("window={LIMIT}\noverlap={OVERLAP}\npiece={PIECE}\nword={LONGEST_WORD}")
}

/// Windows that share some tokens with their neighbours and together have all.
fn overlapping(tokens: &[u32]) -> Vec<Vec<u32>> {
    let mut windows = Vec::new();
    let mut start = 0;
    while start == 0 || start + OVERLAP < tokens.len() {
        windows.push(window(&tokens[start..tokens.len().min(start + ROOM)]));
        start += ROOM - OVERLAP;
    }
    windows
}

fn window(tokens: &[u32]) -> Vec<u32> {
    [&[BEGIN], tokens, &[END]].concat()
}

/// The text in pieces that are tokenized alike alone and together: cut before white space.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(cut(rest));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

fn cut(text: &str) -> usize {
    let bytes = text.as_bytes();
    let Some(tail) = bytes.get(PIECE..) else { return text.len() };
    match tail.iter().take(LONGEST_WORD).position(u8::is_ascii_whitespace) {
        Some(at) => PIECE + at,
        None => text.ceil_char_boundary(PIECE + LONGEST_WORD),
    }
}

fn broken(what: &'static str, error: tokenizers::Error) -> Error {
    Error::Broken { what, source: Some(error) }
}
