//! What a stream holds, in the order in which it was appended.

use std::collections::HashMap;

use base::Facts;
use futures::{StreamExt, TryStreamExt, stream};
use storage::Store;

use crate::error::Result;
use crate::fragment::{Skipped, decode, number_of};
use crate::name::StreamName;

/// How many fragments a look at a stream lists at a time.
const PAGE: usize = 1000;
/// How many fragments are fetched at the same time.
const AT_ONCE: usize = 16;

/// The lines of a stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// Those that read, the oldest first.
    pub lines: Vec<Facts>,
    /// Those that do not.
    pub skipped: Vec<Skipped>,
}

/// Everything in a stream. Each line that does not read is told in the log, by file and number.
pub(crate) async fn read(store: &Store, stream: &StreamName) -> Result<Lines> {
    let (folder, mut after, mut all) = (stream.folder(), None, Lines::default());
    loop {
        let page = store.list(&folder, after.as_deref(), PAGE).await?;
        let paths = page.entries.into_iter().map(|entry| entry.path).filter(|path| number_of(path).is_some());
        let fetched = stream::iter(paths).map(|path| async move { store.get(&path).await.map(|bytes| (path, bytes)) });
        let mut fetched = fetched.buffered(AT_ONCE);
        while let Some((path, bytes)) = fetched.try_next().await? {
            let (lines, skipped) = decode(stream, &path, &bytes)?;
            for Skipped { file, line } in &skipped {
                tracing::warn!(file, line, "a line of a stream does not read and is skipped");
            }
            all.lines.extend(lines);
            all.skipped.extend(skipped);
        }
        after = page.next;
        if after.is_none() {
            return Ok(all.held(stream.key()));
        }
    }
}

impl Lines {
    /// Of lines with the same key the last one, in the place of the last.
    fn held(mut self, key: Option<&str>) -> Self {
        let Some(key) = key else { return self };
        let of = |line: &Facts| line.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        let last: HashMap<String, usize> =
            self.lines.iter().enumerate().filter_map(|(at, line)| Some((of(line)?, at))).collect();
        let mut at = 0;
        self.lines.retain(|line| {
            at += 1;
            of(line).is_none_or(|key| last.get(&key) == Some(&(at - 1)))
        });
        self
    }
}
