//! What can go wrong with bytes at rest.

use std::io;

use base::{ByteSize, Facts, Fault, Kind};

/// What every call of this crate answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The cause of a failure, for the log only.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong with bytes at rest. Paths in messages are relative to the lake's root.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is stored under this name.
    #[error("{path:?} is not there")]
    NotFound {
        /// The name that was asked for.
        path: String,
    },
    /// The name is proven taken, so nothing was created.
    #[error("{path:?} exists already")]
    AlreadyExists {
        /// The name that is taken.
        path: String,
    },
    /// What is stored is not what the request states.
    #[error("{path:?} is not in the state that the request requires")]
    Precondition {
        /// The name that was to be written.
        path: String,
    },
    /// The name breaks a rule for keys.
    #[error("invalid key: {rule}")]
    InvalidKey {
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// The location of a lake cannot be understood.
    #[error("{given:?} is not a location: use a directory, s3://bucket/prefix or memory:")]
    InvalidLocation {
        /// What was given.
        given: String,
    },
    /// The name belongs to the lake itself.
    #[error("keys that begin with {prefix:?} belong to the lake: they can be read, never written or deleted")]
    Reserved {
        /// The lake's own prefix.
        prefix: &'static str,
    },
    /// A path of this machine that no request may name.
    #[error("this path is refused: {rule}")]
    PathDenied {
        /// Why.
        rule: &'static str,
    },
    /// One of two names would have to be a file and a directory at once.
    #[error("{path:?} is a directory prefix of another key, or another key is one of it")]
    KeyIsPrefix {
        /// The name that was to be written.
        path: String,
    },
    /// More bytes than the cap allows.
    #[error("the object is larger than {limit}")]
    TooLarge {
        /// The cap.
        limit: ByteSize,
    },
    /// All slots are taken.
    #[error("too many uploads at once: try again in {retry_after} seconds")]
    Busy {
        /// Seconds after which a slot may be free.
        retry_after: u64,
    },
    /// The store has no room left.
    #[error("the store is full")]
    Full {
        /// What the store said.
        #[source]
        source: Cause,
    },
    /// The store takes no writes at all.
    #[error("the store is read-only")]
    ReadOnly {
        /// What the store said.
        #[source]
        source: Cause,
    },
    /// The range begins beyond the object's end.
    #[error("the range begins beyond the object's end at {size}")]
    Range {
        /// The object's size in bytes.
        size: u64,
    },
    /// The write may or may not have happened; only reading tells.
    #[error("the store did not say whether the write happened")]
    OutcomeUnknown {
        /// What the store said.
        #[source]
        source: Cause,
    },
    /// The store lets a second creator of one name win, so a lake on it would lose commits.
    #[error("this store cannot hold a lake: {finding}")]
    NotAtomic {
        /// What the probe saw.
        finding: String,
    },
    /// The store cannot be reached, or refuses its credentials.
    #[error("the store is not available")]
    Unavailable {
        /// What the store said.
        #[source]
        source: Cause,
    },
    /// The bytes to store stopped coming.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The machine refused an operation on the store.
    #[error("the store failed to {what}")]
    Io {
        /// What was attempted, as a verb.
        what: &'static str,
        /// What the machine said.
        #[source]
        source: Cause,
    },
}

/// Why the bytes of a request stopped coming.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The sender went away, or what it sent cannot be decoded.
    #[error("the body broke off")]
    Broken(#[source] Cause),
    /// The sender was slower than allowed.
    #[error("the body came too slowly")]
    TooSlow,
    /// The sender sent more than allowed.
    #[error("the body is larger than {0}")]
    TooLarge(ByteSize),
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound { .. } => Kind::NotFound,
            Self::AlreadyExists { .. } | Self::Precondition { .. } | Self::KeyIsPrefix { .. } => Kind::Conflict,
            Self::InvalidKey { .. } | Self::InvalidLocation { .. } | Self::Range { .. } => Kind::Invalid,
            Self::TooLarge { .. } => Kind::TooMuch,
            Self::Body(body) => body.kind(),
            Self::Reserved { .. } | Self::PathDenied { .. } => Kind::Denied,
            Self::Busy { .. } | Self::Full { .. } | Self::ReadOnly { .. } => Kind::Unavailable,
            Self::OutcomeUnknown { .. } | Self::Unavailable { .. } => Kind::Unavailable,
            Self::NotAtomic { .. } => Kind::Damaged,
            Self::Io { .. } => Kind::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "storage.not_found",
            Self::AlreadyExists { .. } => "storage.already_exists",
            Self::Precondition { .. } => "storage.precondition_failed",
            Self::InvalidKey { .. } => "storage.invalid_key",
            Self::InvalidLocation { .. } => "storage.invalid_location",
            Self::Reserved { .. } => "storage.reserved",
            Self::PathDenied { .. } => "storage.path_denied",
            Self::KeyIsPrefix { .. } => "storage.key_is_prefix",
            Self::TooLarge { .. } => "storage.too_large",
            Self::Busy { .. } => "storage.busy",
            Self::Full { .. } => "storage.full",
            Self::ReadOnly { .. } => "storage.read_only",
            Self::Range { .. } => "storage.range",
            Self::OutcomeUnknown { .. } => "storage.outcome_unknown",
            Self::NotAtomic { .. } => "storage.not_atomic",
            Self::Unavailable { .. } => "storage.unavailable",
            Self::Body(body) => body.code(),
            Self::Io { .. } => "storage.io",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::Busy { retry_after } => fact("retry_after", *retry_after),
            Self::Range { size } => fact("size", *size),
            Self::TooLarge { limit } => fact("limit", limit.0),
            Self::Body(body) => body.facts(),
            _ => Facts::new(),
        }
    }
}

impl Fault for BodyError {
    fn kind(&self) -> Kind {
        match self {
            Self::TooLarge(_) => Kind::TooMuch,
            Self::Broken(_) | Self::TooSlow => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Broken(_) => "storage.body_broken",
            Self::TooSlow => "storage.body_slow",
            Self::TooLarge(_) => "storage.too_large",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::TooLarge(limit) => fact("limit", limit.0),
            Self::Broken(_) | Self::TooSlow => Facts::new(),
        }
    }
}

fn fact(name: &str, number: u64) -> Facts {
    Facts::from_iter([(name.to_owned(), number.into())])
}

impl Error {
    /// Wraps what the machine said about `what`, telling a disk that takes no writes from other failures.
    pub(crate) fn io(what: &'static str, error: io::Error) -> Self {
        match error {
            error if is_full(&error) => Self::Full { source: error.into() },
            error if is_read_only(&error) => Self::ReadOnly { source: error.into() },
            error => Self::Io { what, source: error.into() },
        }
    }

    /// Whether the store takes no writes now, though it may well be read.
    pub fn refuses_writes(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::ReadOnly { .. })
    }
}

/// Whether the machine says that there is no room, on the disk or within the user's quota.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether the machine says that nothing on the file system may change.
pub(crate) fn is_read_only(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ReadOnlyFilesystem
}

/// Passes over that nothing can be written where something was to be prepared: what is there can still be read.
pub(crate) fn unless_unwritable(prepared: io::Result<()>) -> io::Result<()> {
    match prepared {
        Err(error) if is_full(&error) || is_read_only(&error) => {
            tracing::warn!(%error, "the directory can be read only: nothing can be written to it now");
            Ok(())
        }
        prepared => prepared,
    }
}
