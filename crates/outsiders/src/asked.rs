//! The body of a request: what is asked for, and what tells it from other bodies.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::flaw;

#[cfg(test)]
mod tests;

/// The body of a request, and what tells it from other bodies.
#[derive(Debug, Clone)]
pub struct Asked<T> {
    /// What is asked for.
    pub what: T,
    /// The digest of the body as it came.
    pub digest: String,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Asked<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let body = Value::deserialize(from)?;
        let digest = digest(&[&body.to_string()]);
        let what = T::deserialize(&body).map_err(|error| flaw::first(&body).unwrap_or_else(|| flaw::plain(&error)));
        Ok(Self { what: what.map_err(D::Error::custom)?, digest })
    }
}

/// What tells a request of these parts from others: SHA-256 in hexadecimal.
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}
