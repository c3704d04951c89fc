//! The way between Iceberg's absolute locations and the store, and the files of a commit before they are written.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::join_all;
use futures::stream::BoxStream;
use iceberg::io::{
    FileIO, FileIOBuilder, FileMetadata, FileRead, FileWrite, InputFile, OutputFile, Storage, StorageConfig,
    StorageFactory,
};
use iceberg::{ErrorKind, Result as IcebergResult};
use serde::{Deserialize, Serialize};
use storage::Store;

use crate::error::Result;
use crate::manifests;

/// A file of a commit: its path relative to the lake's root, and its bytes.
pub type Staged = (String, Bytes);

/// The addresses of a lake: the one that stored locations begin with, where it is now, and where it was before.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    recorded: String,
    current: String,
    /// All of them, the longest first: one may lie within another.
    all: Vec<String>,
}

impl Roots {
    /// Whether a location lies under the address that new ones lie under, however it is spelled.
    pub fn is_in_place(&self, location: &str) -> bool {
        self.relative(location).is_none_or(|path| under(&self.recorded, location) == Some(path))
    }

    /// The addresses of a lake: recorded, of this moment, and earlier recorded ones.
    pub fn new(recorded: &str, current: &str, former: &[String]) -> Self {
        let tidy = |root: &str| root.trim_end_matches('/').to_owned();
        let mut all: Vec<String> = former.iter().map(|root| tidy(root)).collect();
        all.extend([tidy(recorded), tidy(current)]);
        all.sort_by_key(|root| std::cmp::Reverse(root.len()));
        Self { recorded: tidy(recorded), current: tidy(current), all }
    }

    /// The absolute location to store for a path.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}/{path}", self.recorded)
    }

    /// The path of a stored location; none when it lies outside the lake.
    pub fn relative<'a>(&self, location: &'a str) -> Option<&'a str> {
        let path = self.all.iter().find_map(|root| under(root, location))?;
        (!path.split('/').any(|part| part == "..")).then_some(path)
    }

    /// Whether the lake lies elsewhere than the locations stored in it say, so that only we find their files.
    pub fn have_moved(&self) -> bool {
        self.recorded != self.current
    }
}

/// What a location has under a root. Other engines write one and the same place in several ways: `file:/a` for
/// `file:///a`, `s3a://b` for `s3://b`.
fn under<'a>(root: &str, location: &'a str) -> Option<&'a str> {
    let (scheme, place) = root.split_once("://").unwrap_or(("", root));
    let spellings: &[&str] = match scheme {
        "file" => &["file://", "file:"],
        "s3" => &["s3://", "s3a://", "s3n://"],
        _ => return location.strip_prefix(root)?.strip_prefix('/'),
    };
    spellings.iter().find_map(|spelling| location.strip_prefix(spelling)?.strip_prefix(place)?.strip_prefix('/'))
}

/// Reads the lake for the Iceberg library and keeps what it writes until the commit writes it to the store at once.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Shelf {
    /// Never travels: whoever deserializes a shelf has none.
    #[serde(skip)]
    lake: Option<(Store, Roots)>,
    #[serde(skip)]
    written: Arc<Mutex<Vec<Staged>>>,
}

impl Shelf {
    /// An empty shelf over a lake.
    pub fn new(store: Store, roots: Roots) -> Self {
        Self { lake: Some((store, roots)), written: Arc::default() }
    }

    /// The library's door to this shelf.
    pub fn file_io(&self) -> FileIO {
        FileIOBuilder::new(Arc::new(self.clone())).build()
    }

    /// Takes what was written so far.
    pub fn take(&self) -> Vec<Staged> {
        std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn lake(&self) -> IcebergResult<&(Store, Roots)> {
        self.lake.as_ref().ok_or_else(|| refuse("the shelf belongs to no lake"))
    }

    fn path<'a>(&self, location: &'a str) -> IcebergResult<&'a str> {
        let (_, roots) = self.lake()?;
        roots.relative(location).ok_or_else(|| refuse("a stored location lies outside the lake"))
    }
}

/// Writes the files of a commit side by side, so that their syncs overlap. All have ended when this does, even those
/// beside one that failed: a write that lands after its file was discarded would stay behind.
pub async fn write_all(store: &Store, files: Vec<Staged>) -> Result<()> {
    let writes = files.into_iter().map(|(path, bytes)| async move { store.put(&path, bytes).await });
    join_all(writes).await.into_iter().try_for_each(|written| Ok(written.map(drop)?))
}

/// Deletes files that are proven to be needed by nobody; one that stays behind is the sweep's.
pub async fn discard(store: &Store, paths: impl IntoIterator<Item = String>) {
    let deletes = paths.into_iter().map(|path| async move {
        if let Err(error) = store.delete(&path).await {
            tracing::warn!(path, error = %error, "a staged file stays behind");
        }
    });
    join_all(deletes).await;
}

fn refuse(message: &'static str) -> iceberg::Error {
    iceberg::Error::new(ErrorKind::DataInvalid, message)
}

fn failed(error: storage::Error) -> iceberg::Error {
    iceberg::Error::new(ErrorKind::Unexpected, "the store failed").with_source(error)
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shelf")
    }
}

#[async_trait]
#[typetag::serde(name = "lakehouse")]
impl Storage for Shelf {
    async fn exists(&self, location: &str) -> IcebergResult<bool> {
        self.lake()?.0.exists(self.path(location)?).await.map_err(failed)
    }

    async fn metadata(&self, location: &str) -> IcebergResult<FileMetadata> {
        let entry = self.lake()?.0.head(self.path(location)?).await.map_err(failed)?;
        Ok(FileMetadata { size: entry.size })
    }

    async fn read(&self, location: &str) -> IcebergResult<Bytes> {
        let bytes = self.lake()?.0.get(self.path(location)?).await.map_err(failed)?;
        manifests::expect_sound(location, &bytes).map_err(refuse)?;
        Ok(bytes)
    }

    async fn reader(&self, location: &str) -> IcebergResult<Box<dyn FileRead>> {
        Ok(Box::new(Reader { store: self.lake()?.0.clone(), path: self.path(location)?.to_owned() }))
    }

    async fn write(&self, location: &str, bytes: Bytes) -> IcebergResult<()> {
        let path = self.path(location)?.to_owned();
        let bytes = manifests::summed(location, &bytes).ok_or_else(|| refuse("only manifests are written this way"))?;
        self.written.lock().unwrap_or_else(PoisonError::into_inner).push((path, bytes));
        Ok(())
    }

    async fn writer(&self, location: &str) -> IcebergResult<Box<dyn FileWrite>> {
        Ok(Box::new(Page { shelf: self.clone(), location: location.to_owned(), bytes: Vec::new() }))
    }

    async fn delete(&self, _: &str) -> IcebergResult<()> {
        Err(refuse("the library deletes nothing here"))
    }

    async fn delete_prefix(&self, _: &str) -> IcebergResult<()> {
        Err(refuse("the library deletes nothing here"))
    }

    async fn delete_stream(&self, _: BoxStream<'static, String>) -> IcebergResult<()> {
        Err(refuse("the library deletes nothing here"))
    }

    fn new_input(&self, location: &str) -> IcebergResult<InputFile> {
        Ok(InputFile::new(Arc::new(self.clone()), location.to_owned()))
    }

    fn new_output(&self, location: &str) -> IcebergResult<OutputFile> {
        Ok(OutputFile::new(Arc::new(self.clone()), location.to_owned()))
    }
}

#[typetag::serde(name = "lakehouse")]
impl StorageFactory for Shelf {
    fn build(&self, _: &StorageConfig) -> IcebergResult<Arc<dyn Storage>> {
        Ok(Arc::new(self.clone()))
    }
}

struct Reader {
    store: Store,
    path: String,
}

#[async_trait]
impl FileRead for Reader {
    async fn read(&self, range: std::ops::Range<u64>) -> IcebergResult<Bytes> {
        self.store.get_range(&self.path, range).await.map_err(failed)
    }
}

/// A file being written to the shelf.
struct Page {
    shelf: Shelf,
    location: String,
    bytes: Vec<u8>,
}

#[async_trait]
impl FileWrite for Page {
    async fn write(&mut self, bytes: Bytes) -> IcebergResult<()> {
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn close(&mut self) -> IcebergResult<()> {
        self.shelf.write(&self.location, std::mem::take(&mut self.bytes).into()).await
    }
}
