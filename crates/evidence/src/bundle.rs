//! Many small files become one: 256 fragments in a row lie in a bundle, line by line as they were appended.
//!
//! A bundle is what its fragments are, so that whoever makes it makes the same, and is created if absent. From then on
//! it counts and they do not; they are deleted afterwards. So this may end at any point, and run in several processes at
//! once. A fragment under the number of one that was deleted is nobody's: appending looks for the bundle behind it.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use storage::{Error as StoreError, Store};

use crate::error::Result;
use crate::fragment::{Sound, encode_bundle, sound};
use crate::name::StreamName;
use crate::shelf::{Group, Shelf, bundle_path, fragment_path};

/// The largest bundle: fragments that come to more are no small files.
const LARGEST: u64 = 64 << 20;
/// How many fragments are fetched or deleted at the same time.
const AT_ONCE: usize = 16;

/// Makes a bundle of each group that is complete, and deletes the fragments that lie in bundles.
pub(crate) async fn tidy(store: &Store, stream: &StreamName) -> Result<()> {
    let shelf = Shelf::of(store, stream, 0).await?;
    for group in shelf.groups() {
        let is_due = shelf.is_complete(group) && shelf.size(group) <= LARGEST;
        if shelf.is_bundled(group) || is_due && bundle(store, stream, group).await? {
            let loose = stream::iter(shelf.loose(group).map(|number| fragment_path(stream, number)));
            let deletes = loose.map(|path| async move { store.delete(&path).await });
            deletes.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        }
    }
    Ok(())
}

/// Makes one bundle, and says whether it is there: not where a fragment does not read, which stays as it is for whoever
/// can mend it.
async fn bundle(store: &Store, stream: &StreamName, group: Group) -> Result<bool> {
    let Some(bytes) = gathered(store, stream, group).await? else { return Ok(false) };
    let path = bundle_path(stream, group);
    match store.create(&path, bytes.clone()).await {
        Ok(_) => Ok(true),
        // By somebody else, or by this very call.
        Err(StoreError::AlreadyExists { .. } | StoreError::OutcomeUnknown { .. }) => {
            Ok(store.get(&path).await? == bytes)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// The bytes of a bundle.
async fn gathered(store: &Store, name: &StreamName, group: Group) -> Result<Option<Bytes>> {
    let paths = stream::iter(group.numbers().map(|number| fragment_path(name, number)));
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
        let Some(Sound { writer, count, body }) = sound(&bytes) else { return Ok(None) };
        writers.push((writer, count));
        text.extend_from_slice(body);
    }
}

/// The same beside the appending, which does not wait for it.
pub(crate) async fn tidy_beside(store: Store, stream: Arc<StreamName>) {
    if let Err(failure) = tidy(&store, &stream).await {
        tracing::warn!(%stream, code = base::Fault::code(&failure), "small files of a stream stay as they are");
    }
}
