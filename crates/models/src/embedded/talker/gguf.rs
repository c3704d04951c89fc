//! The file format of llama.cpp: what is said of a model, then its tensors. Of what the format knows it reads what the
//! pinned file has.

use std::collections::HashMap;

use crate::embedded::blocks::Codes;

#[cfg(test)]
mod tests;

/// What such a file begins with: its name and its version.
const BEGIN: [u8; 8] = *b"GGUF\x03\0\0\0";
/// Tensors begin at multiples of so many bytes after the head.
const ALIGNMENT: usize = 32;
/// No head has more entries of a kind; a damaged one may claim any number.
const MANY: u64 = 1 << 20;

/// A file that was read.
pub(crate) struct Gguf<'a> {
    said: HashMap<&'a str, Said<'a>>,
    tensors: HashMap<&'a str, Tensor<'a>>,
}

/// What is said of a model under one name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said<'a> {
    Whole(u64),
    Real(f32),
    Text(&'a str),
    Texts(Vec<&'a str>),
    Wholes(Vec<u64>),
}

/// A matrix, or a row of numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tensor<'a> {
    /// Inputs, then outputs; a row has one output.
    pub(crate) shape: [usize; 2],
    pub(crate) kind: Kind,
    pub(crate) bytes: &'a [u8],
}

/// How the numbers of a tensor are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Four bytes each.
    Numbers,
    /// In blocks.
    Codes(Codes),
}

impl<'a> Gguf<'a> {
    /// Reads the head. None if it ends early or says what no such file says.
    pub(crate) fn read(file: &'a [u8]) -> Option<Self> {
        let mut head = Head(file);
        (head.take(BEGIN.len())? == BEGIN).then_some(())?;
        let (tensors, entries) = (head.count()?, head.count()?);
        let said = (0..entries).map(|_| head.entry()).collect::<Option<_>>()?;
        let listed = (0..tensors).map(|_| head.listed()).collect::<Option<Vec<_>>>()?;
        let begin = (file.len() - head.0.len()).next_multiple_of(ALIGNMENT);
        let bytes = file.get(begin..)?;
        let tensors = listed.into_iter().map(|(name, listed)| Some((name, listed.within(bytes)?)));
        Some(Self { said, tensors: tensors.collect::<Option<_>>()? })
    }

    /// A whole number that is said of the model.
    pub(crate) fn whole(&self, name: &str) -> Option<usize> {
        match self.said.get(name)? {
            Said::Whole(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// A number that is said of the model.
    pub(crate) fn real(&self, name: &str) -> Option<f32> {
        match self.said.get(name)? {
            Said::Real(number) => Some(*number),
            _ => None,
        }
    }

    /// A text that is said of the model.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        match self.said.get(name)? {
            Said::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A list of texts that is said of the model.
    pub(crate) fn texts(&self, name: &str) -> Option<&[&'a str]> {
        match self.said.get(name)? {
            Said::Texts(texts) => Some(texts),
            _ => None,
        }
    }

    /// A list of whole numbers that is said of the model.
    pub(crate) fn wholes(&self, name: &str) -> Option<&[u64]> {
        match self.said.get(name)? {
            Said::Wholes(numbers) => Some(numbers),
            _ => None,
        }
    }

    /// The tensor of this name.
    pub(crate) fn tensor(&self, name: &str) -> Option<Tensor<'a>> {
        self.tensors.get(name).copied()
    }
}

/// A tensor as the head lists it.
struct Listed {
    shape: [usize; 2],
    kind: Kind,
    offset: usize,
}

impl Listed {
    fn within(self, bytes: &[u8]) -> Option<Tensor<'_>> {
        let Self { shape: [inputs, outputs], kind, offset } = self;
        let row = match kind {
            Kind::Numbers => inputs.checked_mul(size_of::<f32>())?,
            Kind::Codes(codes) => codes.row(inputs)?,
        };
        let end = row.checked_mul(outputs)?.checked_add(offset)?;
        Some(Tensor { shape: [inputs, outputs], kind, bytes: bytes.get(offset..end)? })
    }
}

/// What is left of the head.
struct Head<'a>(&'a [u8]);

impl<'a> Head<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    fn count(&mut self) -> Option<u64> {
        self.u64().filter(|count| *count <= MANY)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.u64()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn entry(&mut self) -> Option<(&'a str, Said<'a>)> {
        let (name, kind) = (self.text()?, self.u32()?);
        Some((name, self.said(kind)?))
    }

    fn said(&mut self, kind: u32) -> Option<Said<'a>> {
        const REAL: u32 = 6;
        const TEXT: u32 = 8;
        const LIST: u32 = 9;
        match kind {
            REAL => self.u32().map(|bits| Said::Real(f32::from_bits(bits))),
            TEXT => self.text().map(Said::Text),
            LIST => match (self.u32()?, self.count()?) {
                (TEXT, count) => (0..count).map(|_| self.text()).collect::<Option<_>>().map(Said::Texts),
                (kind, count) => (0..count).map(|_| self.integer(kind)).collect::<Option<_>>().map(Said::Wholes),
            },
            kind => self.integer(kind).map(Said::Whole),
        }
    }

    /// A whole number without a sign, or with one and not below zero, or whether something holds.
    fn integer(&mut self, kind: u32) -> Option<u64> {
        match kind {
            0 | 7 => self.take(1).map(|byte| u64::from(byte[0])),
            4 | 5 => self.u32().map(u64::from),
            10 | 11 => self.u64(),
            _ => None,
        }
    }

    fn listed(&mut self) -> Option<(&'a str, Listed)> {
        let name = self.text()?;
        let shape = match self.u32()? {
            1 => [self.u64()?, 1],
            2 => [self.u64()?, self.u64()?],
            _ => return None,
        };
        let kind = match self.u32()? {
            0 => Kind::Numbers,
            3 => Kind::Codes(Codes::Nibbles),
            8 => Kind::Codes(Codes::Octets),
            _ => return None,
        };
        let [inputs, outputs] = shape.map(|count| usize::try_from(count).ok());
        let offset = usize::try_from(self.u64()?).ok()?;
        Some((name, Listed { shape: [inputs?, outputs?], kind, offset }))
    }
}
