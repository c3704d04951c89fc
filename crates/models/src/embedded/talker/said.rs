//! Bytes become text: tokens need not end where characters do.

#[cfg(test)]
mod tests;

/// What was said and not told yet.
#[derive(Debug, Default)]
pub(crate) struct Said(Vec<u8>);

impl Said {
    /// Takes in more bytes; the whole characters that are there now. What is no character becomes U+FFFD.
    pub(crate) fn more(&mut self, bytes: &[u8]) -> String {
        self.0.extend_from_slice(bytes);
        let whole = self.0.len() - self.begun();
        let rest = self.0.split_off(whole);
        let text = String::from_utf8_lossy(&self.0).into_owned();
        self.0 = rest;
        text
    }

    /// What is left at the end.
    pub(crate) fn rest(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.0)).into_owned()
    }

    /// Bytes at the end that begin a character and do not end it.
    fn begun(&self) -> usize {
        let last = self.0.utf8_chunks().last();
        let broken = last.map_or(&[][..], |chunk| chunk.invalid());
        let more = std::str::from_utf8(broken).is_err_and(|error| error.error_len().is_none());
        if more { broken.len() } else { 0 }
    }
}
