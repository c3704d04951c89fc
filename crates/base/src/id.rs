//! Identifiers that the house mints. Each is made from the seams, so that a seeded run repeats them.

use std::fmt;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::seam::Seams;

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Ulid);

        impl $name {
            /// Mints a new id from the clock and the dice.
            pub fn mint(seams: &Seams) -> Self {
                Self(Ulid::from_parts(millis(seams), u128::from_be_bytes(seams.roll())))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ulid::DecodeError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ulid::from_string(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

ulid_id!(
    /// Names one commit for ever. It decides whose record stands in the log when a reply was lost.
    CommitId
);
ulid_id!(
    /// Names one running SQL query, so that it can be cancelled.
    QueryId
);

/// A request or trace id: 32 hex digits that sort by time of minting.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// Mints a new id: 12 digits of milliseconds, then 20 of chance.
    pub fn mint(seams: &Seams) -> Self {
        let chance = u128::from_be_bytes(seams.roll()) & ((1 << 80) - 1);
        Self(format!("{:012x}{chance:020x}", millis(seams) & 0xffff_ffff_ffff))
    }

    /// Accepts an id from outside if it is 1 to 128 letters, digits, `-`, `_` or `.`; anything else is not passed on.
    pub fn accept(text: &str) -> Option<Self> {
        let fits = (1..=128).contains(&text.len());
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        (fits && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The time at which an id is minted; a clock set before 1970 counts as then.
fn millis(seams: &Seams) -> u64 {
    u64::try_from(seams.now().millis()).unwrap_or(0)
}
