//! How what stores say becomes an error of this house.

use std::error::Error as StdError;
use std::io;

use object_store::PutMode;

use crate::error::{Error, is_full, is_read_only};
use crate::local::Obstacle;
use crate::store::Store;

impl Store {
    /// The error that a failed read, list, copy or delete stands for.
    pub(crate) fn fault(&self, path: &str, error: object_store::Error) -> Error {
        use object_store::Error as Told;
        let path = path.to_owned();
        match error {
            Told::NotFound { .. } => Error::NotFound { path },
            Told::AlreadyExists { .. } => Error::AlreadyExists { path },
            Told::Precondition { .. } | Told::NotModified { .. } => Error::Precondition { path },
            Told::PermissionDenied { .. } | Told::Unauthenticated { .. } => Error::Unavailable { source: error.into() },
            Told::InvalidPath { .. } => Error::InvalidKey { rule: "the name cannot be stored" },
            error => self.deeper_fault(path, error),
        }
    }

    fn deeper_fault(&self, path: String, error: object_store::Error) -> Error {
        if let Some(obstacle) = cause::<Obstacle>(&error) {
            return match obstacle {
                Obstacle::KeyIsPrefix => Error::KeyIsPrefix { path },
                Obstacle::Unsettled(_) => Error::OutcomeUnknown { source: error.into() },
            };
        }
        let machine = cause::<io::Error>(&error);
        if machine.is_some_and(is_full) {
            return Error::Full { source: error.into() };
        }
        if machine.is_some_and(is_read_only) {
            return Error::ReadOnly { source: error.into() };
        }
        if machine.is_some_and(|machine| machine.kind() == io::ErrorKind::InvalidFilename) {
            return Error::InvalidKey { rule: "the name is longer than the store allows" };
        }
        if self.nature().remote {
            return Error::Unavailable { source: error.into() };
        }
        Error::Io { what: "carry out the operation", source: error.into() }
    }

    /// The error that a failed write stands for. Over a network only a clear answer proves that nothing was created.
    pub(crate) fn write_fault(&self, path: &str, mode: &PutMode, error: object_store::Error) -> Error {
        let open = matches!(error, object_store::Error::Generic { .. } | object_store::Error::JoinError { .. });
        if self.nature().remote && open && *mode != PutMode::Overwrite {
            return Error::OutcomeUnknown { source: error.into() };
        }
        if matches!(error, object_store::Error::NotFound { .. }) && self.nature().remote {
            // It is the bucket that is not there.
            return Error::Unavailable { source: error.into() };
        }
        self.fault(path, error)
    }
}

/// The first error of type `T` among an error and its causes.
fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
