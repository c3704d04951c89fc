//! What codes promise, from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod blob;
mod recall;
mod sample;
mod space;
