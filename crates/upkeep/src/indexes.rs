//! Indexes of a version as they are backed up: what the version has sealed, and of the newest what is not sealed yet.

use base::IndexName;
use catalog::IndexEntry;
use catalog::checksums::Watch;
use futures::{StreamExt, TryStreamExt, stream};
use storage::Store;
use vectors::stored::StoredFile;

use crate::backup::{AT_ONCE, List};
use crate::copy::{Copied, Expected, copy};
use crate::error::Result;
use crate::upkeep::Upkeep;

/// How many names one listing asks for.
const PAGE: usize = 10_000;

impl Upkeep {
    /// Copies the files of an index, each of which is checked against what it says of itself.
    pub(crate) async fn copy_index(
        &self,
        to: &Store,
        (name, index): (&IndexName, &IndexEntry),
        unsealed: bool,
        list: &mut List,
    ) -> Result<()> {
        let sealed = index.sealed.as_ref();
        let mut files: Vec<_> = sealed.into_iter().flat_map(|sealed| sealed.files(&index.location)).collect();
        if unsealed {
            files.extend(self.fragments(&index.location, sealed.map_or(0, |sealed| sealed.fragment)).await?);
        }
        let files = files.iter().map(|path| StoredFile { name, index, path });
        let copies = files.map(|file| self.copy_file(to, file)).collect::<Vec<_>>();
        let mut copies = stream::iter(copies).buffered(AT_ONCE);
        while let Some(copied) = copies.try_next().await? {
            list.add(&copied).await?;
        }
        Ok(())
    }

    async fn copy_file(&self, to: &Store, file: StoredFile<'_>) -> Result<Copied> {
        let from = self.catalog.store();
        let watch = Watch::new(file.checksums(from).await?);
        let copied = copy(from, to, file.path, Expected::Sound(Some(watch))).await?;
        Ok(copied.map_err(|cause| file.damaged(cause))?)
    }

    /// The fragments of an index after the last sealed one, as far as they follow each other: one that is being added is
    /// not waited for.
    async fn fragments(&self, location: &str, sealed: u64) -> Result<Vec<String>> {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.catalog.store().list(&format!("{location}/fragments/"), after.as_deref(), PAGE).await?;
            found.extend(page.entries.into_iter().map(|entry| entry.path));
            after = match page.next {
                Some(next) => Some(next),
                None => break,
            };
        }
        let number = |path: &String| path.rsplit('/').next()?.split('.').next()?.parse::<u64>().ok();
        let later = found.into_iter().filter(|path| number(path).is_some_and(|number| number > sealed));
        let follows = |(next, path): &(u64, String)| number(path) == Some(*next);
        Ok((sealed + 1..).zip(later).take_while(follows).map(|(_, path)| path).collect())
    }
}
