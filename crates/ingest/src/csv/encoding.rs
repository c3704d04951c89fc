//! Turns the bytes of a file into UTF-8 text.

use std::io::{Chain, Cursor, Read};

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE};

use crate::error::{Error, Result};
use crate::unpack::Unpacked;

#[cfg(test)]
mod tests;

/// How many bytes are decoded at a time.
const RAW: usize = 256 << 10;
/// Stands in decoded text for what could not be decoded: a byte that no UTF-8 holds, so that the check of the text
/// finds it in its line.
const UNDECODABLE: u8 = 0xff;

/// How the bytes of a file stand for characters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Charset {
    /// As they are.
    Utf8,
    /// Each byte is the character of that number.
    Latin1,
    /// As a table of the Encoding Standard says.
    Other(&'static encoding_rs::Encoding),
}

impl Charset {
    /// Reads the `encoding` option: a label of the Encoding Standard, except that `latin1` means ISO 8859-1 itself.
    pub fn parse(label: &str) -> Result<Self> {
        let lower = label.trim().to_ascii_lowercase();
        if matches!(lower.as_str(), "latin1" | "latin-1" | "iso-8859-1" | "iso8859-1" | "iso_8859-1") {
            return Ok(Self::Latin1);
        }
        match encoding_rs::Encoding::for_label_no_replacement(lower.as_bytes()) {
            Some(known) if known == encoding_rs::UTF_8 => Ok(Self::Utf8),
            Some(known) => Ok(Self::Other(known)),
            None => Err(Error::Option {
                name: "encoding",
                given: label.chars().take(100).collect(),
                rule: "a known encoding such as utf-8, windows-1252 or latin1",
            }),
        }
    }

    /// What a byte order mark says, and how long it is. A mark outweighs the request.
    fn of_mark(head: &[u8], asked: Self) -> (Self, usize) {
        match head {
            [0xef, 0xbb, 0xbf, ..] => (Self::Utf8, 3),
            [0xff, 0xfe, ..] => (Self::Other(UTF_16LE), 2),
            [0xfe, 0xff, ..] => (Self::Other(UTF_16BE), 2),
            _ => (asked, 0),
        }
    }
}

/// A file read as UTF-8 text. Bytes that are not valid stay in the text, to be found and reported in their line.
pub struct Text {
    source: Chain<Cursor<Vec<u8>>, Unpacked>,
    decoder: Decoder,
    ended: bool,
}

enum Decoder {
    Utf8,
    Latin1,
    Other(Box<encoding_rs::Decoder>),
}

impl Text {
    /// Text from the beginning of a file.
    pub fn open(mut source: Unpacked, asked: Charset) -> Result<Self> {
        let mut head = Vec::new();
        read(&mut source, 4, &mut head)?;
        refuse_utf_32(&head)?;
        let (charset, mark) = Charset::of_mark(&head, asked);
        let source = Cursor::new(head.split_off(mark)).chain(source);
        let decoder = match charset {
            Charset::Utf8 => Decoder::Utf8,
            Charset::Latin1 => Decoder::Latin1,
            Charset::Other(encoding) => Decoder::Other(Box::new(encoding.new_decoder_without_bom_handling())),
        };
        Ok(Self { source, decoder, ended: false })
    }

    /// Bytes of the waiting file read so far.
    pub fn position(&self) -> u64 {
        self.source.get_ref().1.position()
    }

    /// Whether all of the file has been read.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Appends text until `into` holds about `target` bytes or the file ends.
    pub fn fill(&mut self, into: &mut Vec<u8>, target: usize) -> Result<()> {
        while !self.ended && into.len() < target {
            let wanted = target - into.len();
            match &mut self.decoder {
                Decoder::Utf8 => {
                    into.reserve_exact(wanted);
                    self.ended = read(&mut self.source, wanted, into)? < wanted;
                }
                Decoder::Latin1 => {
                    let raw = self.raw()?;
                    into.extend(raw.iter().flat_map(|&byte| latin1(byte)));
                }
                Decoder::Other(_) => {
                    let raw = self.raw()?;
                    self.decode(&raw, into);
                }
            }
        }
        Ok(())
    }

    fn raw(&mut self) -> Result<Vec<u8>> {
        let mut raw = Vec::with_capacity(RAW);
        self.ended = read(&mut self.source, RAW, &mut raw)? < RAW;
        Ok(raw)
    }

    fn decode(&mut self, mut raw: &[u8], into: &mut Vec<u8>) {
        let Decoder::Other(decoder) = &mut self.decoder else { return };
        let mut room = vec![0; RAW];
        loop {
            let (result, read, written) = decoder.decode_to_utf8_without_replacement(raw, &mut room, self.ended);
            into.extend_from_slice(&room[..written]);
            raw = &raw[read..];
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => into.push(UNDECODABLE),
            }
        }
    }
}

/// Appends so many bytes, or as many as there are; answers how many.
fn read(source: &mut impl Read, wanted: usize, into: &mut Vec<u8>) -> Result<usize> {
    source.take(wanted as u64).read_to_end(into).map_err(Error::of_waiting)
}

/// The little-endian mark of UTF-32 begins with that of UTF-16, under which every second character would be a NUL.
fn refuse_utf_32(head: &[u8]) -> Result<()> {
    if !matches!(head, [0xff, 0xfe, 0, 0] | [0, 0, 0xfe, 0xff]) {
        return Ok(());
    }
    let reason = "the file is UTF-32, which is not read: save it as UTF-8".to_owned();
    Err(Error::Header { line: 1, column: String::new(), position: 1, reason })
}

/// The one or two bytes of UTF-8 for a character below 256.
fn latin1(byte: u8) -> impl Iterator<Item = u8> {
    let (first, second) = if byte < 0x80 { (byte, None) } else { (0xc0 | byte >> 6, Some(0x80 | byte & 0x3f)) };
    std::iter::once(first).chain(second)
}
