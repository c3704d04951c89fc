//! Streams as they are backed up: what was appended before the listing, line by line, while others append and make
//! bundles of small files.

use std::collections::{BTreeMap, BTreeSet};

use evidence::{Evidence, StreamFile, StreamName};
use futures::{StreamExt, TryStreamExt, stream};
use storage::{Error as StoreError, Store};

use crate::backup::{AT_ONCE, List};
use crate::copy::{Copied, Expected, copy};
use crate::error::Result;
use crate::upkeep::Upkeep;

impl Upkeep {
    /// The files of every stream, as they are now.
    pub(crate) async fn streams(&self) -> Result<BTreeMap<StreamName, Vec<StreamFile>>> {
        Ok(Evidence::new(self.catalog.store().clone(), self.seams.clone()).files().await?)
    }

    /// Copies every stream, and says how many there are.
    pub(crate) async fn copy_streams(&self, to: &Store, list: &mut List) -> Result<u64> {
        let streams = self.streams().await?;
        let count = streams.len() as u64;
        for files in streams.into_values() {
            self.copy_stream(to, files, list).await?;
        }
        Ok(count)
    }

    async fn copy_stream(&self, to: &Store, files: Vec<StreamFile>, list: &mut List) -> Result<()> {
        let copy = async |file: StreamFile| self.copy_lines(to, &file.path).await.map(|copied| (copied, file));
        let mut copies = stream::iter(files).map(copy).buffered(AT_ONCE);
        let mut moved = BTreeSet::new();
        while let Some((copied, file)) = copies.try_next().await? {
            match copied {
                Some(copied) => list.add(&copied).await?,
                None => drop(moved.insert(file.bundles)),
            }
        }
        // What was there when it was listed is in a bundle by now, which stands for all that it is made of.
        let mut taken = BTreeSet::new();
        for bundles in moved {
            match self.copy_first(to, &bundles, &mut taken).await? {
                Some(copied) => list.add(&copied).await?,
                None if bundles.iter().any(|bundle| taken.contains(bundle)) => {}
                // Lines that were lost before are no reason to have no backup of the others.
                None => tracing::warn!(?bundles, "files of a stream are not there"),
            }
        }
        Ok(())
    }

    /// Copies the first of these files that is there, the smallest bundle that has what is missed; none where it was taken.
    async fn copy_first(&self, to: &Store, bundles: &[String], taken: &mut BTreeSet<String>) -> Result<Option<Copied>> {
        for bundle in bundles {
            if taken.contains(bundle) {
                return Ok(None);
            }
            if let Some(copied) = self.copy_lines(to, bundle).await? {
                taken.insert(bundle.clone());
                return Ok(Some(copied));
            }
        }
        Ok(None)
    }

    /// Copies one file of a stream; none when it is not there.
    async fn copy_lines(&self, to: &Store, path: &str) -> Result<Option<Copied>> {
        match copy(self.catalog.store(), to, path, Expected::Sound(None)).await {
            Ok(copied) => Ok(copied.ok()),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }
}
