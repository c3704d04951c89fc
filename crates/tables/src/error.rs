//! What can go wrong with a table's files.

use base::{DatasetName, Kind};

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cause that only the operator's log may show.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a table could not be read or made. The catalog tells it as its own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A new dataset in a namespace of the system's own tables.
    #[error("{name} cannot be a dataset")]
    ReservedName {
        /// The name asked for.
        name: DatasetName,
    },
    /// A table into which other engines put files that this release does not read.
    #[error("{name} holds {what}, which this release cannot read")]
    UnreadableFiles {
        /// The dataset.
        name: DatasetName,
        /// What cannot be read of it.
        what: &'static str,
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
    /// Damage of `what`, and why it cannot be read.
    pub fn damaged(what: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::Damaged { what: what.into(), source: source.into() }
    }

    /// What a failed read of a file means that the lake names: damage when it is not there, else the store's failure.
    pub fn unread(what: impl Into<String>, error: storage::Error) -> Self {
        match error {
            error @ storage::Error::NotFound { .. } => Self::damaged(what, error),
            error => error.into(),
        }
    }

    /// The same for a file that the Iceberg library read: what it says of the store's failure lies somewhere inside.
    pub fn unread_inside(what: impl Into<String>, error: iceberg::Error) -> Self {
        use base::Fault;
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(inner) = cause {
            if inner.downcast_ref::<storage::Error>().is_some_and(|inner| inner.kind() == Kind::Unavailable) {
                return storage::Error::Unavailable { source: error.into() }.into();
            }
            cause = inner.source();
        }
        Self::damaged(what, error)
    }

    /// A broken rule of this program, found by the Iceberg library.
    pub fn bug(doing: &'static str) -> impl Fn(iceberg::Error) -> Self {
        move |source| Self::Bug { doing, source: Box::new(source) }
    }
}
