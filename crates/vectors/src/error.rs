//! Why an index refused or failed.

use std::sync::Arc;

use base::{Facts, Fault, IndexName, Kind};
use serde_json::json;

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cause that only the operator's log may show.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an index refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Settings that no index can have.
    #[error("{0}")]
    BadSettings(String),
    /// An item that cannot be stored; nothing of its batch was.
    #[error("items[{position}]: {reason}")]
    BadItem {
        /// The item's place in the batch, from 0.
        position: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A batch without an entry.
    #[error("{what} must have at least one entry")]
    EmptyBatch {
        /// The name of the list.
        what: &'static str,
    },
    /// A batch with more entries than one call may have.
    #[error("{what} has more than {limit} entries: send several batches")]
    BatchTooLarge {
        /// The name of the list.
        what: &'static str,
        /// How many entries it may have.
        limit: usize,
    },
    /// A search that would find more items than one answer may hold.
    #[error("the search would find {count} items and an answer holds at most {limit}: ask for fewer with k")]
    TooManyFound {
        /// How many it would find.
        count: usize,
        /// How many an answer may hold.
        limit: usize,
    },
    /// A search that can find nothing.
    #[error("{0}")]
    BadQuery(String),
    /// What is no filter.
    #[error(transparent)]
    BadFilter(#[from] filters::Error),
    /// Vectors of one model cannot be compared with those of another.
    #[error("the index holds vectors of the model {}, and these come from the model {}", short(index), short(given))]
    OtherModel {
        /// The fingerprint of the index's model.
        index: String,
        /// The fingerprint that was given.
        given: String,
    },
    /// No item of this id in the index.
    #[error("there is no item {id:?} in {index}")]
    ItemNotFound {
        /// The index.
        index: IndexName,
        /// The id asked for.
        id: String,
    },
    /// A change that does not fit a fragment.
    #[error("the batch is too large to be written at once: send several batches")]
    TooLarge,
    /// A fragment or a segment that cannot be read, so that no answer would be whole.
    #[error("{part} of {index} is damaged")]
    Damaged {
        /// The index.
        index: IndexName,
        /// Which part of it, in words.
        part: String,
        /// The number of the fragment, if it is one.
        fragment: Option<u64>,
        /// Why it cannot be read.
        #[source]
        source: Cause,
    },
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
    /// The change may or may not have happened.
    #[error("it is unknown whether the change took effect; read again before repeating it")]
    OutcomeUnknown,
    /// Items that were to be removed are others by now.
    #[error("the items were changed in the meantime")]
    Changed,
    /// Two indexes that cannot be merged.
    #[error("{0}")]
    BadMerge(String),
    /// The failure of a fragment that several changes were to share.
    #[error("{0}")]
    Shared(#[source] Arc<Error>),
    /// The catalog refused or failed.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// A part of the work ended without an answer.
    #[error("a part of the work on the index ended without an answer")]
    Broken,
    /// Codes that were just made do not open.
    #[error("the codes that were made for a part of an index do not open")]
    Codes(#[source] ann::Error),
}

impl Error {
    /// The same failure for one of the several that met it. An unknown outcome stays recognisable as such.
    pub(crate) fn share(failure: &Arc<Self>) -> Self {
        match failure.as_ref() {
            Self::OutcomeUnknown => Self::OutcomeUnknown,
            Self::Changed => Self::Changed,
            _ => Self::Shared(Arc::clone(failure)),
        }
    }

    /// A refusal of vectors, or of a query, that come from another model than the index's.
    pub(crate) fn other_model(index: &str, given: &str) -> Self {
        Self::OtherModel { index: index.to_owned(), given: given.to_owned() }
    }
}

/// As much of a fingerprint as tells it from others.
fn short(fingerprint: &str) -> String {
    fingerprint.chars().take(12).collect()
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::BadSettings(_) | Self::BadItem { .. } | Self::EmptyBatch { .. } => Kind::Invalid,
            Self::BadQuery(_) | Self::OtherModel { .. } | Self::BadMerge(_) => Kind::Invalid,
            Self::Changed => Kind::Conflict,
            Self::BatchTooLarge { .. } | Self::TooLarge | Self::TooManyFound { .. } => Kind::TooMuch,
            Self::ItemNotFound { .. } => Kind::NotFound,
            Self::Damaged { .. } | Self::NewerFormat { .. } => Kind::Damaged,
            Self::OutcomeUnknown => Kind::Unavailable,
            Self::Shared(inner) => inner.kind(),
            Self::BadFilter(inner) => inner.kind(),
            Self::Catalog(inner) => inner.kind(),
            Self::Storage(inner) => inner.kind(),
            Self::Broken | Self::Codes(_) => Kind::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::BadSettings(_) => "vectors.bad_settings",
            Self::BadItem { .. } => "vectors.bad_item",
            Self::EmptyBatch { .. } => "vectors.empty_batch",
            Self::BadQuery(_) => "vectors.bad_query",
            Self::BadFilter(inner) => inner.code(),
            Self::BadMerge(_) => "vectors.bad_merge",
            Self::Changed => "vectors.changed",
            Self::OtherModel { .. } => "vectors.other_model",
            Self::BatchTooLarge { .. } | Self::TooLarge => "vectors.batch_too_large",
            Self::TooManyFound { .. } => "vectors.too_many_found",
            Self::ItemNotFound { .. } => "vectors.item_not_found",
            Self::Damaged { .. } => "vectors.damaged",
            Self::NewerFormat { .. } => "vectors.newer_format",
            Self::OutcomeUnknown => "vectors.outcome_unknown",
            Self::Shared(inner) => inner.code(),
            Self::Catalog(inner) => inner.code(),
            Self::Storage(inner) => inner.code(),
            Self::Broken | Self::Codes(_) => "vectors.broken",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::BadItem { position, .. } => Facts::from_iter([("position".into(), json!(position))]),
            Self::BatchTooLarge { limit, .. } | Self::TooManyFound { limit, .. } => {
                Facts::from_iter([("limit".into(), json!(limit))])
            }
            Self::Damaged { fragment: Some(fragment), .. } => Facts::from_iter([("fragment".into(), json!(fragment))]),
            Self::OtherModel { index, given } => {
                Facts::from_iter([("index_fingerprint".into(), json!(index)), ("fingerprint".into(), json!(given))])
            }
            Self::Shared(inner) => inner.facts(),
            Self::Catalog(inner) => inner.facts(),
            Self::Storage(inner) => inner.facts(),
            _ => Facts::new(),
        }
    }
}
