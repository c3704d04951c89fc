//! Walks over a structure in Thrift's compact form without building it, so that its sizes are known before memory is
//! taken for them.

pub mod giants;
#[cfg(test)]
mod tests;

/// How deep structures may be nested; Parquet's own stay below ten.
const DEPTH_LIMIT: usize = 24;

/// What stands at a place of the structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// An integer of any width.
    Int(i64),
    /// A list, a set or a map of so many elements.
    List(usize),
    /// A structure begins.
    Structure,
}

/// Walks over the structure at the head of `bytes`. `visit` is told each integer, length of a list and structure with its path
/// of field numbers, in which lists do not count, and ends the walk by answering `false`. Answers how long the
/// structure is; none when it ends in the middle, claims what cannot be, or was not to be walked further.
pub fn walk(bytes: &[u8], visit: &mut dyn FnMut(&[i16], Value) -> bool) -> Option<usize> {
    let mut walker = Walker { bytes, at: 0, path: Vec::new(), visit };
    walker.structure(0)?;
    Some(walker.at)
}

struct Walker<'a> {
    bytes: &'a [u8],
    at: usize,
    path: Vec<i16>,
    visit: &'a mut dyn FnMut(&[i16], Value) -> bool,
}

impl Walker<'_> {
    fn structure(&mut self, depth: usize) -> Option<()> {
        if depth > DEPTH_LIMIT {
            return None;
        }
        let mut last = 0_i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            last = match head >> 4 {
                0 => i16::try_from(self.signed()?).ok()?,
                step => last.checked_add(i16::from(step))?,
            };
            self.path.push(last);
            // A boolean field is its own type and has no bytes.
            if !matches!(head & 0x0f, 1 | 2) {
                self.value(head & 0x0f, depth)?;
            }
            self.path.pop();
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            1..=3 => self.skip(1),
            4..=6 => {
                let number = self.signed()?;
                self.tell(Value::Int(number))
            }
            7 => self.skip(8),
            8 => {
                let length = self.length()?;
                self.skip(length)
            }
            9 | 10 => self.list(depth),
            11 => self.map(depth),
            12 => {
                self.tell(Value::Structure)?;
                self.structure(depth + 1)
            }
            13 => self.skip(16),
            _ => None,
        }
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.length()?,
            count => usize::from(count),
        };
        self.elements(count, &[head & 0x0f], depth)
    }

    fn map(&mut self, depth: usize) -> Option<()> {
        let count = self.length()?;
        if count == 0 {
            return Some(());
        }
        let kinds = self.byte()?;
        self.elements(count, &[kinds >> 4, kinds & 0x0f], depth)
    }

    fn elements(&mut self, count: usize, kinds: &[u8], depth: usize) -> Option<()> {
        // Every element takes a byte at least.
        if count > self.bytes.len() - self.at || depth > DEPTH_LIMIT {
            return None;
        }
        self.tell(Value::List(count))?;
        for _ in 0..count {
            for &kind in kinds {
                self.value(kind, depth + 1)?;
            }
        }
        Some(())
    }

    fn tell(&mut self, value: Value) -> Option<()> {
        (self.visit)(&self.path, value).then_some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at = self.at.checked_add(count).filter(|&at| at <= self.bytes.len())?;
        Some(())
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.unsigned()?).ok()
    }

    /// Small numbers of either sign are small unsigned ones.
    fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}
