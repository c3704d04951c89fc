//! The place of a table: the directory that it shares with no other.

use base::DatasetName;
use outsiders::Error as Refusal;

use crate::error::Result;
use crate::state::State;

/// Refuses a table whose files would lie among those of another one, or around them: each of the two would be swept
/// and relocated as the other's. Tables are told by where their metadata files lie. One that stays where it was
/// `before` is not asked.
pub(crate) fn expect_own_place<'a>(
    name: &DatasetName,
    path: &str,
    before: Option<&str>,
    mut others: impl Iterator<Item = (&'a DatasetName, &'a str)>,
) -> Result<()> {
    let own = location(path);
    let overlap = |theirs: &str| is_within(own, theirs) || is_within(theirs, own);
    let stays = before.is_some_and(|before| location(before) == own);
    match others.find(|(other, path)| !stays && *other != name && overlap(location(path))) {
        Some((other, _)) => {
            let why = format!("its location is that of {other}, or one lies within the other");
            Err(Refusal::unacceptable(name, why).into())
        }
        None => Ok(()),
    }
}

impl State {
    /// Refuses a table that would come back among the files of another one that has its place by now.
    pub fn expect_place(&self, name: &DatasetName, metadata: &str) -> Result<()> {
        let others = self.tables.iter().map(|(name, entry)| (name, entry.metadata.as_str()));
        expect_own_place(name, metadata, None, others)
    }
}

fn location(metadata: &str) -> &str {
    metadata.rsplit_once("/metadata/").map_or(metadata, |(location, _)| location)
}

fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
