//! Registration: Parquet objects that somebody else wrote become a dataset's rows.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use base::DatasetName;
use futures::{StreamExt, TryStreamExt, stream};
use parquet::file::metadata::ParquetMetaData;
use sha2::{Digest, Sha256};
use storage::{Entry, Key};
use tables::column::{ColumnType, NewColumn, fingerprint};
use tables::diff::{Fingerprints, SchemaDiff};
use tables::draft::Draft;
use tables::footer;
use tables::io;
use tables::lake::Lake;
use tables::publication::{Mode, NewFile, Publication, Source};
use tokio::io::AsyncWriteExt;

use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::stated::StatedObject;
use crate::table::Table;

/// How many objects are read or copied at once.
const OBJECTS_AT_ONCE: usize = 4;

/// Objects to be registered under a name.
#[derive(Debug, Clone)]
pub struct Register {
    /// The dataset.
    pub name: DatasetName,
    /// The fingerprint that each object's schema must have.
    pub schema_fingerprint: String,
    /// The objects.
    pub objects: Vec<StatedObject>,
    /// The rows of all objects together.
    pub row_count: u64,
    /// Who asked for it.
    pub author: String,
}

/// What came of a registration.
#[derive(Debug, Clone)]
pub struct Registered {
    /// Whether the name was known.
    pub existing: bool,
    /// The dataset.
    pub manifest: Manifest,
}

/// An object of a registration, as found on the store.
struct Given<'a> {
    stated: &'a StatedObject,
    entry: Entry,
}

/// What an object is on the inside.
struct Inside {
    footer: ParquetMetaData,
    columns: Vec<NewColumn>,
}

/// A registration whose objects were found.
pub(crate) struct Registering<'a> {
    lake: &'a Lake,
    register: &'a Register,
    given: Vec<Given<'a>>,
    objects: String,
}

/// A copied registration: what to publish, and whether columns are to be found by name.
pub(crate) struct Copied {
    pub publication: Publication,
    pub by_name: bool,
}

/// Refuses a registration that is wrong whatever the lake holds.
pub(crate) fn check(register: &Register) -> Result<()> {
    if register.schema_fingerprint.is_empty() {
        return Err(Error::EmptyFingerprint);
    }
    if register.objects.is_empty() {
        return Err(Error::NoObjects);
    }
    let mut seen = HashSet::new();
    match register.objects.iter().find(|object| !seen.insert(&object.key)) {
        Some(twice) => Err(Error::Contradiction(format!("object {:?} is listed twice", twice.key))),
        None => Ok(()),
    }
}

/// The refusal of a registration whose fingerprint is not the dataset's. The columns that differ are named when the
/// first object can be read; it need not even exist for the refusal.
pub(crate) async fn drift(lake: &Lake, register: &Register, table: &Table) -> Error {
    let given = match register.objects.first() {
        Some(object) => columns_of(lake, object).await.ok(),
        None => None,
    };
    let mut diff = given.map_or_else(SchemaDiff::default, |given| SchemaDiff::between(table.columns(), &given));
    let (expected, given) = (table.fingerprint().to_owned(), register.schema_fingerprint.clone());
    diff.fingerprints = Some(Fingerprints { expected, given });
    Error::drift(&register.name, diff)
}

async fn columns_of(lake: &Lake, object: &StatedObject) -> Result<Vec<NewColumn>> {
    let given = find(lake, object).await?;
    Ok(look_inside(lake, &object.key, &given.entry).await?.columns)
}

impl<'a> Registering<'a> {
    /// Finds the objects.
    pub async fn find(lake: &'a Lake, register: &'a Register) -> Result<Self> {
        let finds: Vec<_> = register.objects.iter().map(|object| find(lake, object)).collect();
        let given: Vec<Given<'a>> = stream::iter(finds).buffered(OBJECTS_AT_ONCE).try_collect().await?;
        let line = |Given { stated, entry }: &Given<'_>| format!("{}\0{}\0{}", stated.key, entry.size, entry.etag);
        let objects = digest(given.iter().map(line));
        Ok(Self { lake, register, given, objects })
    }

    /// The objects by key, size and ETag, as one digest.
    pub fn objects(&self) -> &str {
        &self.objects
    }

    /// Whether the table's rows came from these very objects, and nothing is stated that reading alone can prove.
    pub fn is_settled_in(&self, table: &Table) -> bool {
        let must_be_read = self.given.iter().any(|given| given.stated.must_be_read());
        !must_be_read && table.registered_objects() == Some(self.objects())
    }

    /// Checks the objects against the call and copies them under the table, where nobody can change them.
    pub async fn copy(&self, table: Option<&Table>) -> Result<Copied> {
        let columns = self.inspect().await?;
        let draft = match table {
            Some(table) => table.draft(),
            None => Draft::new_table(&self.register.name, &columns, &self.lake.seams)?,
        };
        let targets: Vec<String> = self.given.iter().map(|_| draft.data_path(&self.lake.seams)).collect();
        match self.copy_to(&draft, &targets).await {
            Ok(copied) => Ok(copied),
            Err(error) => {
                io::discard(&self.lake.store, targets).await;
                Err(error)
            }
        }
    }

    /// The columns that all objects share.
    async fn inspect(&self) -> Result<Vec<NewColumn>> {
        let looks: Vec<_> =
            self.given.iter().map(|given| look_inside(self.lake, &given.stated.key, &given.entry)).collect();
        let insides: Vec<Inside> = stream::iter(looks).buffered(OBJECTS_AT_ONCE).try_collect().await?;
        let mut rows = 0;
        for (given, inside) in self.given.iter().zip(&insides) {
            self.expect_fingerprint(&given.stated.key, &inside.columns)?;
            let found = footer::rows(&inside.footer);
            given.stated.expect_rows(found)?;
            rows += found;
        }
        self.expect_rows(rows)?;
        let first = insides.into_iter().next().ok_or(Error::NoObjects)?;
        Ok(first.columns)
    }

    /// Copies, then trusts only the copies: an object may have been replaced since it was looked at.
    async fn copy_to(&self, draft: &Draft, targets: &[String]) -> Result<Copied> {
        let pairs = self.given.iter().zip(targets);
        let copies: Vec<_> = pairs.map(|(given, target)| self.copy_one(draft, given, target)).collect();
        let copies: Vec<Copy> = stream::iter(copies).buffered(OBJECTS_AT_ONCE).try_collect().await?;
        self.expect_rows(copies.iter().map(|copy| footer::rows(&copy.file.footer)).sum())?;
        let by_name = copies.iter().any(|copy| copy.by_name);
        let sha256 = digest(copies.iter().map(|copy| copy.sha256.clone()));
        let publication = Publication {
            draft: draft.clone(),
            mode: Mode::Replace,
            files: copies.into_iter().map(|copy| copy.file).collect(),
            source: Source { sha256, options: "register".to_owned() },
            author: self.register.author.clone(),
            message: format!("register {} from {} objects", self.register.name, self.given.len()),
            idempotency_key: None,
            request: None,
        };
        Ok(Copied { publication, by_name })
    }

    async fn copy_one(&self, draft: &Draft, given: &Given<'_>, target: &str) -> Result<Copy> {
        let (entry, sha256) = copy_hashing(self.lake, &given.entry.path, target).await?;
        let key = &given.stated.key;
        given.stated.expect_sha256(&sha256)?;
        let inside = look_inside(self.lake, key, &entry).await?;
        self.expect_fingerprint(key, &inside.columns)?;
        given.stated.expect_rows(footer::rows(&inside.footer))?;
        let ids = footer::field_ids(&inside.footer);
        let by_name = ids.iter().all(Option::is_none);
        if !by_name && !ids.iter().eq(draft.columns.iter().map(|column| Some(column.id)).collect::<Vec<_>>().iter()) {
            let problem = "carries field ids that are not the dataset's";
            return Err(Error::Contradiction(format!("object {key:?} {problem}")));
        }
        let file = NewFile { path: target.to_owned(), footer: Arc::new(inside.footer), size: entry.size };
        Ok(Copy { file, sha256, by_name })
    }

    fn expect_fingerprint(&self, key: &str, columns: &[NewColumn]) -> Result<()> {
        let found = fingerprint(columns.iter().map(|column| (column.name.as_str(), &column.ty)));
        if found == self.register.schema_fingerprint {
            return Ok(());
        }
        let stated = &self.register.schema_fingerprint;
        let problem = format!("object {key:?} has the schema fingerprint {found}, and the call states {stated}");
        Err(Error::Contradiction(problem))
    }

    /// Refuses a call that states another number of rows.
    pub fn expect_rows(&self, found: u64) -> Result<()> {
        let stated = self.register.row_count;
        if found == stated {
            return Ok(());
        }
        Err(Error::Contradiction(format!("the objects hold {found} rows, and the call states {stated}")))
    }
}

/// A copied object.
struct Copy {
    file: NewFile,
    sha256: String,
    by_name: bool,
}

async fn find<'a>(lake: &Lake, stated: &'a StatedObject) -> Result<Given<'a>> {
    let path = stated.key.parse::<Key>().map_err(Error::BadKey)?.path();
    let entry = match lake.store.head(&path).await {
        Ok(entry) => entry,
        Err(storage::Error::NotFound { .. }) => return Err(Error::ObjectMissing { key: stated.key.clone() }),
        Err(error) => return Err(error.into()),
    };
    stated.expect_entry(&entry)?;
    Ok(Given { stated, entry })
}

async fn look_inside(lake: &Lake, key: &str, entry: &Entry) -> Result<Inside> {
    let refuse = |reason: String, source| Error::NotParquet { key: key.to_owned(), reason, source };
    let footer = footer::read(&lake.store, &entry.path, entry.size).await?;
    let footer = footer.map_err(|source| refuse("its footer does not read".into(), Some(source)))?;
    let schema = footer::arrow_schema(&footer);
    let schema = schema.map_err(|source| refuse("its schema does not read".into(), Some(source.into())))?;
    let column = |field: &arrow::datatypes::FieldRef| {
        let ty = ColumnType::from_arrow(field.data_type());
        let problem = || format!("column {:?} {}", field.name(), why_not(field.data_type()));
        Ok(NewColumn { name: field.name().clone(), ty: ty.ok_or_else(|| refuse(problem(), None))? })
    };
    let columns: Vec<NewColumn> = schema.fields().iter().map(column).collect::<Result<_>>()?;
    expect_names(&columns).map_err(|problem| refuse(problem, None))?;
    Ok(Inside { footer, columns })
}

/// Why a column cannot be a table's as it stands in a file. Registered files are kept to the byte, for other engines
/// too, which read nothing that Iceberg does not know.
fn why_not(ty: &DataType) -> String {
    let unit = match ty {
        DataType::Timestamp(TimeUnit::Second, _) => "seconds",
        DataType::Timestamp(TimeUnit::Millisecond, _) => "milliseconds",
        DataType::Timestamp(TimeUnit::Nanosecond, _) => "nanoseconds",
        DataType::Struct(_) | DataType::List(_) | DataType::LargeList(_) | DataType::Map(..) => {
            return "is nested, and its inner fields have no ids by which tables find them: load the object instead, or \
                    write it with field ids"
                .to_owned();
        }
        other => return format!("has a type that tables cannot hold: {other}"),
    };
    format!("holds times in {unit}, and tables hold microseconds: load the object instead, which converts them")
}

fn expect_names(columns: &[NewColumn]) -> Result<(), String> {
    if columns.is_empty() {
        return Err("it has no columns".into());
    }
    let mut seen = HashSet::new();
    match columns.iter().find(|column| column.name.is_empty() || !seen.insert(column.name.to_lowercase())) {
        Some(column) if column.name.is_empty() => Err("a column has no name".into()),
        Some(column) => Err(format!("column {:?} is there twice", column.name)),
        None => Ok(()),
    }
}

/// Copies a stored file as a stream and answers the SHA-256 of what was copied.
async fn copy_hashing(lake: &Lake, from: &str, to: &str) -> Result<(Entry, String)> {
    let mut source = lake.store.read(from, None).await?;
    let mut target = lake.store.writer(to).await?;
    let mut hash = Sha256::new();
    while let Some(bytes) = source.stream.try_next().await? {
        hash.update(&bytes);
        target.write_all(&bytes).await.map_err(unwrap_write)?;
    }
    Ok((target.finish().await?, hex::encode(hash.finalize())))
}

/// The store's own error, out of the envelope that the writing trait demands.
fn unwrap_write(error: std::io::Error) -> Error {
    match error.downcast::<storage::Error>() {
        Ok(error) => error.into(),
        Err(error) => Error::Bug { doing: "copying an object", source: error.into() },
    }
}

/// One digest of many texts, whatever their order.
fn digest(texts: impl Iterator<Item = String>) -> String {
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    hex::encode(hash.finalize())
}
