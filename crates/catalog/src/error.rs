//! What can go wrong between a name and its table.

use std::sync::Arc;

use base::{AsOf, DatasetName, Facts, Fault, IndexName, Kind, Tag, Version};
use serde_json::json;
use tables::diff::SchemaDiff;

use crate::sealing::SealFault;

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cause that only the operator's log may show.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the catalog refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No dataset of this name at the version asked for.
    #[error("there is no dataset {name} at version {version}{}", hint(near))]
    UnknownDataset {
        /// The name asked for.
        name: DatasetName,
        /// The version it was looked up in.
        version: Version,
        /// Names that differ little, nearest first.
        near: Vec<String>,
    },
    /// No column of this name in the dataset.
    #[error("{name} has no column {column:?}{}", hint(near))]
    UnknownColumn {
        /// The dataset.
        name: DatasetName,
        /// The column asked for.
        column: String,
        /// Names that differ little, nearest first.
        near: Vec<String>,
    },
    /// The version asked for does not exist, or none is as old as the time.
    #[error("{}; the lake holds versions {oldest} to {newest}{}", no_version(as_of), kept_by_tags(tagged))]
    UnknownVersion {
        /// What was asked for.
        as_of: AsOf,
        /// The oldest version that can be read.
        oldest: Version,
        /// The newest version.
        newest: Version,
        /// Older ones that tags keep.
        tagged: Vec<Version>,
    },
    /// No tag of this name.
    #[error("there is no tag {tag}{}", hint(near))]
    UnknownTag {
        /// The tag asked for.
        tag: Tag,
        /// Tags that differ little, nearest first.
        near: Vec<String>,
    },
    /// A reader asked for a version that this process cannot see yet.
    #[error("version {min} is not visible here yet; the newest is {newest}")]
    Behind {
        /// The version the reader has already seen.
        min: Version,
        /// The newest version here.
        newest: Version,
    },
    /// The columns or values given differ from the dataset's schema; nothing was written.
    #[error("the schema of {name} differs from what was given: {diff}")]
    SchemaDrift {
        /// The dataset.
        name: DatasetName,
        /// What differs.
        diff: Box<SchemaDiff>,
    },
    /// The table changed its shape after the draft was made: read it again and prepare the files anew.
    #[error("{name} was changed by another writer in the meantime")]
    Moved {
        /// The dataset.
        name: DatasetName,
    },
    /// A rollback under a name that the table of that time has lost to another one.
    #[error("{name} was renamed: its table at version {to} is {now} today, so roll {now} back")]
    Renamed {
        /// The name asked for.
        name: DatasetName,
        /// The version that has the table under this name.
        to: Version,
        /// The name that it has now.
        now: DatasetName,
    },
    /// A vector index of this name exists already.
    #[error("there is an index {name} already")]
    IndexExists {
        /// The name asked for.
        name: IndexName,
    },
    /// No vector index of this name.
    #[error("there is no index {name}{}", hint(near))]
    IndexNotFound {
        /// The name asked for.
        name: IndexName,
        /// Names that differ little, nearest first.
        near: Vec<String>,
    },
    /// A new dataset in a namespace of the system's own tables.
    #[error("{name} cannot be a dataset: the namespace {} belongs to the system", .name.namespace())]
    ReservedName {
        /// The name asked for.
        name: DatasetName,
    },
    /// A namespace of the system's own tables.
    #[error("the namespace {namespace} belongs to the system")]
    ReservedNamespace {
        /// The name asked for.
        namespace: String,
    },
    /// No namespace of this name.
    #[error("there is no namespace {namespace:?}")]
    UnknownNamespace {
        /// The name asked for.
        namespace: String,
    },
    /// A namespace of this name exists already.
    #[error("there is a namespace {namespace} already")]
    NamespaceExists {
        /// The name asked for.
        namespace: String,
    },
    /// A namespace that cannot be dropped: it holds tables, or is the one that always exists.
    #[error("the namespace {namespace} cannot be dropped: {}", in_use(*tables))]
    NamespaceInUse {
        /// Its name.
        namespace: String,
        /// How many tables it holds.
        tables: usize,
    },
    /// A dataset of this name exists already.
    #[error("there is a dataset {name} already")]
    DatasetExists {
        /// The name asked for.
        name: DatasetName,
    },
    /// A new dataset under the name of a stream, which SQL would then not find.
    #[error("{name} cannot be a dataset: a stream has this name")]
    NameOfStream {
        /// The name asked for.
        name: DatasetName,
    },
    /// A name that breaks the rule.
    #[error("{0}")]
    BadName(String),
    /// What an outsider's commit requires of a table does not hold; nothing was changed.
    #[error("{name}: {why}")]
    RequirementFailed {
        /// The dataset.
        name: DatasetName,
        /// What does not hold.
        why: String,
    },
    /// An outsider's request that would leave a table which is not one of ours, or cannot be read.
    #[error("{name}: {why}")]
    Unacceptable {
        /// The dataset.
        name: DatasetName,
        /// What is wrong.
        why: String,
        /// The reader's own words.
        #[source]
        source: Option<Cause>,
    },
    /// An outsider's request that only an administrator may make.
    #[error("{name}: this {what}, which takes something away from everybody: it needs a token with the scope `admin`")]
    TakesAway {
        /// The dataset.
        name: DatasetName,
        /// What would happen to it.
        what: &'static str,
    },
    /// The lake lies elsewhere than its tables say.
    #[error(
        "the lake was moved or copied, and its tables still name the old place: run `lakehouse relocate`, which says what it cannot move"
    )]
    LakeMoved,
    /// A table whose files are divided by partitions, which we do not write.
    #[error("{name} is partitioned, or was: other engines can add to it, and everybody can read it")]
    Partitioned {
        /// The dataset.
        name: DatasetName,
    },
    /// An idempotency key came back with another request.
    #[error("the idempotency key was used before with another request")]
    KeyReused,
    /// A registration whose fingerprint is empty.
    #[error("schema_fingerprint must not be empty")]
    EmptyFingerprint,
    /// A registration that lists no object.
    #[error("objects must name at least one object")]
    NoObjects,
    /// An object key that breaks the key rules.
    #[error("{0}")]
    BadKey(#[source] storage::Error),
    /// An object named by a registration is not there.
    #[error("there is no object {key:?}")]
    ObjectMissing {
        /// The key given.
        key: String,
    },
    /// An object named by a registration is not a Parquet file that can be a table's.
    #[error("object {key:?} is not usable Parquet: {reason}")]
    NotParquet {
        /// The key given.
        key: String,
        /// What is wrong, in words for outside.
        reason: String,
        /// The reader's own words.
        #[source]
        source: Option<Cause>,
    },
    /// What the objects hold contradicts the registration.
    #[error("{0}")]
    Contradiction(String),
    /// The commit may or may not have happened. Its files were kept.
    #[error("it is unknown whether the commit took effect; read again before repeating it")]
    OutcomeUnknown,
    /// Something stored by a newer release.
    #[error("{what} has format {found}, and this program reads formats up to {known}: use a newer release")]
    NewerFormat {
        /// What was read.
        what: String,
        /// The format it states.
        found: u64,
        /// The newest format this program reads.
        known: u64,
    },
    /// Something stored that cannot be read.
    #[error("{what} is damaged")]
    Damaged {
        /// What was read, without paths.
        what: String,
        /// Why it cannot be read.
        #[source]
        source: Cause,
    },
    /// A table into which other engines put files that this release does not read.
    #[error("{name} holds {what}, which this release cannot read")]
    UnreadableFiles {
        /// The dataset.
        name: DatasetName,
        /// What cannot be read of it.
        what: &'static str,
    },
    /// Nothing was staged to seal an index with.
    #[error("{}", .0.0)]
    Sealer(SealFault),
    /// The catalog is shutting down.
    #[error("the catalog is closing")]
    Closing,
    /// The failure of a record that several commits were to share.
    #[error("{0}")]
    Shared(#[source] Arc<Error>),
    /// The store failed.
    #[error("{0}")]
    Storage(#[from] storage::Error),
    /// This program broke one of its own rules.
    #[error("an internal rule was broken while {doing}")]
    Bug {
        /// What was being done.
        doing: &'static str,
        /// The library's own words.
        #[source]
        source: Cause,
    },
}

impl Error {
    /// A refusal because of drift.
    pub fn drift(name: &DatasetName, diff: SchemaDiff) -> Self {
        Self::SchemaDrift { name: name.clone(), diff: Box::new(diff) }
    }

    /// The same failure for one of the several that met it. An unknown outcome stays recognisable as such.
    pub(crate) fn share(failure: &Arc<Self>) -> Self {
        match failure.as_ref() {
            Self::OutcomeUnknown => Self::OutcomeUnknown,
            _ => Self::Shared(Arc::clone(failure)),
        }
    }

    pub(crate) fn damaged(what: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::Damaged { what: what.into(), source: source.into() }
    }

    pub(crate) fn bug(doing: &'static str) -> impl Fn(iceberg::Error) -> Self {
        move |source| Self::Bug { doing, source: Box::new(source) }
    }

    /// Whether this proves that nothing was committed.
    pub fn proves_nothing_committed(&self) -> bool {
        !matches!(self, Self::OutcomeUnknown)
    }
}

impl From<tables::Error> for Error {
    fn from(error: tables::Error) -> Self {
        match error {
            tables::Error::ReservedName { name } => Self::ReservedName { name },
            tables::Error::UnreadableFiles { name, what } => Self::UnreadableFiles { name, what },
            tables::Error::Damaged { what, source } => Self::Damaged { what, source },
            tables::Error::Storage(error) => Self::Storage(error),
            tables::Error::Bug { doing, source } => Self::Bug { doing, source },
        }
    }
}

impl From<outsiders::Error> for Error {
    fn from(error: outsiders::Error) -> Self {
        match error {
            outsiders::Error::RequirementFailed { name, why } => Self::RequirementFailed { name, why },
            outsiders::Error::Unacceptable { name, why, source } => Self::Unacceptable { name, why, source },
            outsiders::Error::TakesAway { name, what } => Self::TakesAway { name, what },
            outsiders::Error::LakeMoved => Self::LakeMoved,
            outsiders::Error::Table(error) => error.into(),
            outsiders::Error::Storage(error) => Self::Storage(error),
        }
    }
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownDataset { .. } | Self::UnknownVersion { .. } | Self::ObjectMissing { .. } => Kind::NotFound,
            Self::IndexNotFound { .. } | Self::UnknownTag { .. } => Kind::NotFound,
            Self::SchemaDrift { .. } | Self::Moved { .. } | Self::IndexExists { .. } => Kind::Conflict,
            Self::ReservedName { .. } | Self::ReservedNamespace { .. } | Self::TakesAway { .. } => Kind::Denied,
            Self::UnknownNamespace { .. } => Kind::NotFound,
            Self::NamespaceExists { .. } | Self::NamespaceInUse { .. } | Self::DatasetExists { .. } => Kind::Conflict,
            Self::RequirementFailed { .. } | Self::LakeMoved | Self::Renamed { .. } => Kind::Conflict,
            Self::NameOfStream { .. } => Kind::Conflict,
            Self::BadName(_) | Self::Unacceptable { .. } | Self::Partitioned { .. } => Kind::Invalid,
            Self::KeyReused | Self::EmptyFingerprint | Self::NoObjects | Self::UnknownColumn { .. } => Kind::Invalid,
            Self::NotParquet { .. } | Self::Contradiction(_) | Self::UnreadableFiles { .. } => Kind::Invalid,
            Self::OutcomeUnknown | Self::Behind { .. } | Self::Closing => Kind::Unavailable,
            Self::NewerFormat { .. } | Self::Damaged { .. } => Kind::Damaged,
            Self::BadKey(inner) | Self::Storage(inner) => inner.kind(),
            Self::Sealer(fault) => fault.0.kind(),
            Self::Shared(inner) => inner.kind(),
            Self::Bug { .. } => Kind::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownDataset { .. } => "catalog.unknown_dataset",
            Self::UnknownColumn { .. } => "catalog.unknown_column",
            Self::UnknownVersion { .. } => "catalog.unknown_version",
            Self::UnknownTag { .. } => "catalog.unknown_tag",
            Self::Behind { .. } => "catalog.behind",
            Self::SchemaDrift { .. } => "catalog.schema_drift",
            Self::Moved { .. } => "catalog.moved",
            Self::Renamed { .. } => "catalog.renamed",
            Self::IndexExists { .. } => "catalog.index_exists",
            Self::IndexNotFound { .. } => "catalog.index_not_found",
            Self::ReservedName { .. } | Self::ReservedNamespace { .. } => "catalog.reserved_name",
            Self::UnknownNamespace { .. } => "catalog.unknown_namespace",
            Self::NamespaceExists { .. } => "catalog.namespace_exists",
            Self::NamespaceInUse { .. } => "catalog.namespace_in_use",
            Self::DatasetExists { .. } => "catalog.dataset_exists",
            Self::NameOfStream { .. } => "catalog.name_of_stream",
            Self::BadName(_) => "catalog.bad_name",
            Self::RequirementFailed { .. } => "catalog.requirement_failed",
            Self::Unacceptable { .. } => "catalog.unacceptable",
            Self::TakesAway { .. } => "catalog.takes_away",
            Self::LakeMoved => "catalog.lake_moved",
            Self::Partitioned { .. } => "catalog.partitioned",
            Self::KeyReused => "catalog.key_reused",
            Self::EmptyFingerprint => "catalog.empty_fingerprint",
            Self::NoObjects => "catalog.no_objects",
            Self::BadKey(_) => "catalog.bad_key",
            Self::ObjectMissing { .. } => "catalog.object_missing",
            Self::NotParquet { .. } => "catalog.not_parquet",
            Self::Contradiction(_) => "catalog.contradiction",
            Self::OutcomeUnknown => "catalog.outcome_unknown",
            Self::NewerFormat { .. } => "catalog.newer_format",
            Self::Damaged { .. } => "catalog.damaged",
            Self::UnreadableFiles { .. } => "catalog.unreadable_files",
            Self::Closing => "catalog.closing",
            Self::Storage(inner) => inner.code(),
            Self::Sealer(fault) => fault.0.code(),
            Self::Shared(inner) => inner.code(),
            Self::Bug { .. } => "catalog.bug",
        }
    }

    fn facts(&self) -> Facts {
        let mut facts = Facts::new();
        match self {
            Self::UnknownDataset { near, .. }
            | Self::UnknownColumn { near, .. }
            | Self::UnknownTag { near, .. }
            | Self::IndexNotFound { near, .. } => {
                facts.insert("near".into(), json!(near));
            }
            Self::Renamed { now, .. } => {
                facts.insert("now".into(), json!(now));
            }
            Self::UnknownVersion { oldest, newest, tagged, .. } => {
                facts.insert("oldest".into(), json!(oldest));
                facts.insert("newest".into(), json!(newest));
                if !tagged.is_empty() {
                    facts.insert("tagged".into(), json!(tagged));
                }
            }
            Self::SchemaDrift { diff, .. } => {
                facts.insert("diff".into(), json!(diff));
            }
            Self::Sealer(fault) => return fault.0.facts(),
            Self::Shared(inner) => return inner.facts(),
            Self::Storage(inner) => return inner.facts(),
            _ => {}
        }
        facts
    }
}

fn in_use(tables: usize) -> String {
    if tables == 0 { "it always exists".to_owned() } else { format!("it holds {tables} tables") }
}

/// The first few are enough to see which they are.
fn kept_by_tags(tagged: &[Version]) -> String {
    let first: Vec<String> = tagged.iter().take(8).map(ToString::to_string).collect();
    let more = if tagged.len() > first.len() { " and more" } else { "" };
    if first.is_empty() { String::new() } else { format!("; tags keep {}{more}", first.join(", ")) }
}

fn no_version(as_of: &AsOf) -> String {
    match as_of {
        AsOf::Time(time) => format!("no version is as old as {time}"),
        as_of => format!("there is no version {as_of}"),
    }
}

fn hint(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) }
}
