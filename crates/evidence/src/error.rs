//! What can go wrong with evidence.

use std::sync::Arc;

use base::{ByteSize, Facts, Fault, Kind};

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why evidence was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name breaks the rule.
    #[error("{given:?} is no stream: use a small letter, then up to 63 small letters, digits and _")]
    Name {
        /// The name as given.
        given: String,
    },
    /// The stream is written by the house itself.
    #[error("the stream {stream} is written by this program alone")]
    Own {
        /// The stream.
        stream: String,
    },
    /// A line is no JSON object.
    #[error("line {line} is no JSON object")]
    Line {
        /// Its place in what was given, from 1.
        line: usize,
    },
    /// A line is a JSON object, and could not be read back.
    #[error("line {line} holds {why}")]
    Unreadable {
        /// Its place in what was given, from 1.
        line: usize,
        /// What cannot be read.
        why: &'static str,
    },
    /// An object in a line has two members of one name, of which readers would see one.
    #[error("line {line} has the member {member:?} twice")]
    Twice {
        /// Its place in what was given, from 1.
        line: usize,
        /// The member.
        member: String,
    },
    /// There is nothing to append.
    #[error("there is no line to append")]
    Nothing,
    /// A line is larger than one may be.
    #[error("line {line} is larger than 4 MiB")]
    TooLarge {
        /// Its place in what was given, from 1.
        line: usize,
    },
    /// More streams are being written than one process keeps open.
    #[error("this process writes as many streams as it may; use one of those that are there")]
    TooMany,
    /// A stream is longer than whoever reads it has room for.
    #[error("the stream {stream} has {bytes}, and {limit} can be read at once: export it, and ask a table of it")]
    TooLong {
        /// The stream.
        stream: String,
        /// How long it is.
        bytes: ByteSize,
        /// How much can be read.
        limit: ByteSize,
    },
    /// The store failed, so that nothing was appended, or nothing can be read.
    #[error(transparent)]
    Store(#[from] storage::Error),
    /// Whether the lines were appended is not known.
    #[error("the lines may or may not have been appended: the store did not say")]
    OutcomeUnknown,
    /// What became of lines that were to become durable together: the same for all who asked.
    #[error(transparent)]
    Together(Arc<Error>),
    /// A fragment was written by a newer release.
    #[error("the stream {stream} holds a fragment of format {format}, which this release does not read")]
    NewerFormat {
        /// The stream.
        stream: String,
        /// The fragment's format.
        format: u64,
    },
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Name { .. } | Self::Nothing => Kind::Invalid,
            Self::Line { .. } | Self::Unreadable { .. } | Self::Twice { .. } => Kind::Invalid,
            Self::Own { .. } => Kind::Denied,
            Self::TooLarge { .. } | Self::TooLong { .. } => Kind::TooMuch,
            Self::TooMany | Self::OutcomeUnknown => Kind::Unavailable,
            Self::Store(inner) => inner.kind(),
            Self::Together(inner) => inner.kind(),
            Self::NewerFormat { .. } => Kind::Damaged,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Name { .. } => "evidence.bad_name",
            Self::Own { .. } => "evidence.own_stream",
            Self::Line { .. } => "evidence.bad_line",
            Self::Unreadable { .. } => "evidence.unreadable_line",
            Self::Twice { .. } => "evidence.member_twice",
            Self::Nothing => "evidence.nothing",
            Self::TooLarge { .. } => "evidence.line_too_large",
            Self::TooMany => "evidence.too_many_streams",
            Self::TooLong { .. } => "evidence.stream_too_long",
            Self::Store(inner) => inner.code(),
            Self::Together(inner) => inner.code(),
            Self::OutcomeUnknown => "evidence.outcome_unknown",
            Self::NewerFormat { .. } => "evidence.newer_format",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::Store(inner) => inner.facts(),
            Self::Together(inner) => inner.facts(),
            _ => Facts::new(),
        }
    }
}
