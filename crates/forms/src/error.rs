//! Why a schema is no form.

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a schema is no form: something in it cannot be forced.
#[derive(Debug, thiserror::Error)]
#[error("`format` is refused at {place}: {rule}")]
pub struct Error {
    /// Where in the schema, as a path of names.
    pub place: String,
    /// What is wrong there.
    pub rule: String,
}
