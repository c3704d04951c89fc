//! Why upkeep failed.

use base::{DatasetName, Facts, Fault, Kind};
use parquet::errors::ParquetError;

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why upkeep failed. What the versions of the lake answer is the same as before.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was written does not hold the rows that were read, so it was not published.
    #[error("the rewritten files of {name} do not hold the same rows; they were not published")]
    RowsDiffer {
        /// The dataset.
        name: DatasetName,
    },
    /// A data file cannot be read.
    #[error("the data file {path} of {name} cannot be read")]
    Unreadable {
        /// The dataset.
        name: DatasetName,
        /// The file, relative to the lake's root.
        path: String,
        /// The reader's own words.
        #[source]
        source: ParquetError,
    },
    /// The lake has neither a version nor a stream yet.
    #[error("there is nothing to back up: the lake has no version and no stream yet")]
    Empty,
    /// The place of a backup or of a restored lake holds something already.
    #[error("{place} is not empty: {holds}")]
    Occupied {
        /// Which place.
        place: &'static str,
        /// What was found there, in words.
        holds: &'static str,
    },
    /// The place of a backup lies in the lake, or that of a restored lake in the backup.
    #[error("{place} lies within {within}: choose one outside of it")]
    Nested {
        /// Which place.
        place: &'static str,
        /// What it lies in.
        within: &'static str,
    },
    /// The place holds no backup, or one that was interrupted.
    #[error("there is no complete backup here: backup.json is missing")]
    NoBackup,
    /// The backup was written by a newer release.
    #[error("the backup has format {found}, and this program reads formats up to {known}: use a newer release")]
    NewerBackup {
        /// The format that it states.
        found: u64,
        /// The newest format that this program reads.
        known: u64,
    },
    /// The backup does not hold what it says.
    #[error("the backup is damaged: {what}")]
    DamagedBackup {
        /// What differs, naming the file by its path in the lake.
        what: String,
    },
    /// A file of the version went away while it was copied: it expired and was swept meanwhile.
    #[error("version {version} expired while it was backed up: back up a newer one, or tag it first")]
    Vanished {
        /// The version.
        version: base::Version,
    },
    /// The catalog refused or failed.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// Writing files failed.
    #[error(transparent)]
    Ingest(#[from] ingest::Error),
    /// A file of an index is damaged, or of a newer release.
    #[error(transparent)]
    Vectors(vectors::Error),
    /// The streams could not be listed.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// Columns could not be compared or converted.
    #[error("the rows could not be turned into columns of their table")]
    Columns(#[from] arrow::error::ArrowError),
    /// What a backup says of itself could not be put into words.
    #[error("the backup's own description could not be written")]
    Indescribable(#[from] serde_json::Error),
    /// A part of the work ended without an answer.
    #[error("a part of the work ended without an answer")]
    Lost,
}

impl From<vectors::Error> for Error {
    fn from(error: vectors::Error) -> Self {
        match error {
            vectors::Error::Storage(inner) => Self::Storage(inner),
            error => Self::Vectors(error),
        }
    }
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::RowsDiffer { .. } | Self::Columns(_) | Self::Indescribable(_) | Self::Lost => Kind::Bug,
            Self::Unreadable { .. } | Self::DamagedBackup { .. } | Self::NewerBackup { .. } => Kind::Damaged,
            Self::Empty | Self::Occupied { .. } | Self::Nested { .. } => Kind::Invalid,
            Self::NoBackup => Kind::NotFound,
            Self::Vanished { .. } => Kind::Conflict,
            Self::Catalog(inner) => inner.kind(),
            Self::Ingest(inner) => inner.kind(),
            Self::Vectors(inner) => inner.kind(),
            Self::Evidence(inner) => inner.kind(),
            Self::Storage(inner) => inner.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::RowsDiffer { .. } => "upkeep.rows_differ",
            Self::Unreadable { .. } => "upkeep.unreadable",
            Self::Empty => "upkeep.empty_lake",
            Self::Occupied { .. } => "upkeep.occupied",
            Self::Nested { .. } => "upkeep.nested",
            Self::NoBackup => "upkeep.no_backup",
            Self::NewerBackup { .. } => "upkeep.newer_backup",
            Self::DamagedBackup { .. } => "upkeep.damaged_backup",
            Self::Vanished { .. } => "upkeep.vanished",
            Self::Columns(_) | Self::Indescribable(_) | Self::Lost => "upkeep.broken",
            Self::Catalog(inner) => inner.code(),
            Self::Ingest(inner) => inner.code(),
            Self::Vectors(inner) => inner.code(),
            Self::Evidence(inner) => inner.code(),
            Self::Storage(inner) => inner.code(),
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::Catalog(inner) => inner.facts(),
            Self::Ingest(inner) => inner.facts(),
            Self::Vectors(inner) => inner.facts(),
            Self::Evidence(inner) => inner.facts(),
            Self::Storage(inner) => inner.facts(),
            _ => Facts::new(),
        }
    }
}
