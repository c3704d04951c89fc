//! Many small files become one: 256 fragments in a row lie in a bundle, line by line as they were appended, and sixteen
//! bundles in a row in a larger one.
//!
//! A bundle is what its parts are, so that whoever makes it makes the same, and is created if absent. From then on
//! it counts and they do not; they are deleted afterwards. So this may end at any point, and run in several processes at
//! once. A fragment under the number of one that was deleted is nobody's: appending looks for the bundle behind it.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use storage::{Error as StoreError, Store};

use crate::error::Result;
use crate::fragment::{Sound, encode_bundle, sound};
use crate::group::{Group, LEVELS, bundle_path, part_paths};
use crate::name::StreamName;
use crate::shelf::Shelf;

/// The largest bundle: files that come to more are no small ones. While it is made it is held twice.
const LARGEST: u64 = 32 << 20;
/// How many files are fetched or deleted at the same time.
const AT_ONCE: usize = 16;

/// Makes a bundle of each group that is complete, from the smallest on, and deletes what lies in larger bundles.
pub(crate) async fn tidy(store: &Store, stream: &StreamName) -> Result<()> {
    let mut shelf = Shelf::of(store, stream, 0).await?;
    for level in 0..LEVELS {
        for group in shelf.due(level, LARGEST) {
            if let Some(size) = bundle(store, stream, group).await? {
                shelf.put(group, size);
            }
        }
        let covered = stream::iter(shelf.take_covered(stream));
        let deletes = covered.map(|path| async move { store.delete(&path).await });
        deletes.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }
    Ok(())
}

/// Makes one bundle, and says how large it is once it is there: not where a part does not read, which stays as it is for
/// whoever can mend it.
async fn bundle(store: &Store, stream: &StreamName, group: Group) -> Result<Option<u64>> {
    let Some(bytes) = gathered(store, stream, group).await? else { return Ok(None) };
    // Whoever was held up with the parts in hand must not bring back what went into a larger bundle meanwhile.
    for larger in group.larger() {
        if store.exists(&bundle_path(stream, larger)).await? {
            return Ok(None);
        }
    }
    let (path, size) = (bundle_path(stream, group), bytes.len() as u64);
    match store.create(&path, bytes.clone()).await {
        Ok(_) => Ok(Some(size)),
        // By somebody else, or by this very call.
        Err(StoreError::AlreadyExists { .. } | StoreError::OutcomeUnknown { .. }) => match store.get(&path).await {
            Ok(found) => Ok((found == bytes).then_some(size)),
            // It has gone into a larger one already.
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(failure) => Err(failure.into()),
        },
        Err(failure) => Err(failure.into()),
    }
}

/// The bytes of a bundle.
async fn gathered(store: &Store, name: &StreamName, group: Group) -> Result<Option<Bytes>> {
    let paths = stream::iter(part_paths(name, group));
    let mut fetched = paths.map(|path| async move { store.get(&path).await }).buffered(AT_ONCE);
    let (mut writers, mut text) = (Vec::new(), Vec::new());
    loop {
        let bytes = match fetched.try_next().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Some(encode_bundle(writers, &text))),
            // Somebody else made the bundle meanwhile.
            Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        let Some(Sound { writers: more, body }) = sound(&bytes) else { return Ok(None) };
        writers.extend(more);
        text.extend_from_slice(body);
    }
}

/// Makes the bundles of a stream beside the appending, which does not wait for them.
pub(crate) async fn tidy_beside(store: Store, stream: Arc<StreamName>) {
    if let Err(failure) = tidy(&store, &stream).await {
        tracing::warn!(%stream, code = base::Fault::code(&failure), "small files of a stream stay as they are");
    }
}
