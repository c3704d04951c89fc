//! How errors are told apart: by what the caller should do next, never by the library that failed.

use serde_json::{Map, Value};

/// What the caller of a failed operation should do. Every error of every crate maps to exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Change the request: it is malformed or breaks a rule.
    Invalid,
    /// Say who you are.
    Unauthenticated,
    /// You may not do this, whoever you are now.
    Denied,
    /// The thing named does not exist at that version.
    NotFound,
    /// The state differs from what the request states: read again, then decide.
    Conflict,
    /// Send less, or less often.
    TooMuch,
    /// Try again later; nothing is wrong with the request.
    Unavailable,
    /// Stored data is damaged: call the operator.
    Damaged,
    /// A fault of this program: report it.
    Bug,
}

/// Machine-readable members that an error adds to its public answer, such as the diff of a schema drift.
pub type Facts = Map<String, Value>;

/// An error that can leave the house.
///
/// `Display` is the message for outside and must hold no server path, credential or name of an inner library;
/// whatever only the operator may see travels as `source()` and goes to the log.
pub trait Fault: std::error::Error + Send + Sync + 'static {
    /// What the caller should do.
    fn kind(&self) -> Kind;
    /// The stable code `<room>.<snake_case>`, with a page of that name under `docs/errors/`.
    fn code(&self) -> &'static str;
    /// Extra members of the public answer; none by default.
    fn facts(&self) -> Facts {
        Facts::new()
    }
    /// The chain of inner causes in one line, for the log only.
    fn causes(&self) -> String {
        let causes = std::iter::successors(self.source(), |cause| cause.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }
}
