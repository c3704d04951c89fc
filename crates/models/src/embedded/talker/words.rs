//! A conversation becomes tokens, and tokens become text.

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{Result, Tokenizer};

use crate::embedded::talker::gguf::Gguf;
use crate::embedded::tokens::pieces;
use crate::language::{Message, Speaker};

/// What stands first where nobody set the conversation up, as the model was trained.
const OPENING: &str = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
/// The kind of tokens that mark something and are no text.
const MARK: u64 = 3;
/// Bytes from here on that stand for themselves as letters, the soft hyphen left out.
const LETTERS: [std::ops::RangeInclusive<u8>; 3] = [b'!'..=b'~', 0xa1..=0xac, 0xae..=0xff];
/// The letters of all other bytes begin here, in the order of the bytes.
const OTHERS: u32 = 256;

/// The words of a model.
pub(crate) struct Words {
    tokenizer: Tokenizer,
    /// Of each token; none of those that mark something.
    bytes: Vec<Option<Box<[u8]>>>,
    /// Begins what somebody says.
    begin: u32,
    /// Ends it.
    end: u32,
    /// Ends a whole text.
    over: u32,
}

impl Words {
    /// The words of a file that was read. None if they are not there, or are of another kind.
    pub(crate) fn read(file: &Gguf<'_>) -> Option<Self> {
        let (texts, kinds) = (file.texts("tokenizer.ggml.tokens")?, file.wholes("tokenizer.ggml.token_type")?);
        let smollm = file.text("tokenizer.ggml.model")? == "gpt2" && file.text("tokenizer.ggml.pre")? == "smollm";
        (smollm && texts.len() == kinds.len()).then_some(())?;
        let tokens = (0..).zip(texts.iter().zip(kinds));
        // What marks something is no word, so that nobody can write it.
        let words = tokens.filter(|(_, (_, kind))| **kind != MARK);
        let words: Vocab = words.map(|(token, (text, _))| ((*text).to_owned(), token)).collect();
        let merges = file.texts("tokenizer.ggml.merges")?.iter().map(|merge| {
            let (first, second) = merge.split_once(' ')?;
            Some((first.to_owned(), second.to_owned()))
        });
        let mark = |text: &str| u32::try_from(texts.iter().position(|known| *known == text)?).ok();
        let bytes = texts.iter().zip(kinds).map(|(text, kind)| (*kind != MARK).then(|| bytes(text)).flatten());
        Some(Self {
            tokenizer: tokenizer(words, merges.collect::<Option<_>>()?).ok()?,
            bytes: bytes.collect(),
            begin: mark("<|im_start|>")?,
            end: mark("<|im_end|>")?,
            over: mark("<|endoftext|>")?,
        })
    }

    /// How many there are, marks included.
    pub(crate) fn count(&self) -> usize {
        self.bytes.len()
    }

    /// The tokens of a conversation, up to where the model goes on. Of one that has more than `most`, some are left out.
    pub(crate) fn conversation(&self, messages: &[Message], most: usize) -> Result<Vec<u32>> {
        let mut tokens = Vec::new();
        if messages.first().is_none_or(|first| first.role != Speaker::System) {
            self.said(Speaker::System, OPENING, &mut tokens, most)?;
        }
        for message in messages {
            self.said(message.role, &message.content, &mut tokens, most)?;
            if tokens.len() > most {
                break;
            }
        }
        tokens.push(self.begin);
        self.write("assistant\n", &mut tokens, most)?;
        Ok(tokens)
    }

    fn said(&self, role: Speaker, content: &str, tokens: &mut Vec<u32>, most: usize) -> Result<()> {
        let role = match role {
            Speaker::System => "system",
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
        };
        tokens.push(self.begin);
        self.write(&format!("{role}\n{content}"), tokens, most)?;
        tokens.push(self.end);
        self.write("\n", tokens, most)
    }

    fn write(&self, text: &str, tokens: &mut Vec<u32>, most: usize) -> Result<()> {
        for piece in pieces(text) {
            if tokens.len() > most {
                break;
            }
            tokens.extend_from_slice(self.tokenizer.encode_fast(piece, false)?.get_ids());
        }
        Ok(())
    }

    /// Whether the model has said all it wanted.
    pub(crate) fn ends(&self, token: u32) -> bool {
        token == self.end || token == self.over
    }

    /// The bytes of a token, if it is text. They need not be whole characters.
    pub(crate) fn bytes(&self, token: u32) -> Option<&[u8]> {
        self.bytes.get(token as usize)?.as_deref()
    }
}

fn tokenizer(words: Vocab, merges: Vec<(String, String)>) -> Result<Tokenizer> {
    let mut tokenizer = Tokenizer::new(BPE::builder().vocab_and_merges(words, merges).build()?);
    // Each digit by itself, then words with the space before them.
    let steps = vec![Digits::new(true).into(), ByteLevel::new(false, false, true).into()];
    tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
    Ok(tokenizer)
}

/// The bytes that the letters of a token stand for.
fn bytes(text: &str) -> Option<Box<[u8]>> {
    text.chars().map(byte).collect()
}

fn byte(letter: char) -> Option<u8> {
    let is_letter = |byte: &u8| LETTERS.iter().any(|range| range.contains(byte));
    match u8::try_from(letter) {
        Ok(byte) => Some(byte).filter(is_letter),
        Err(_) => {
            let at = usize::try_from(u32::from(letter).checked_sub(OTHERS)?).ok()?;
            (0..=u8::MAX).filter(|byte| !is_letter(byte)).nth(at)
        }
    }
}
