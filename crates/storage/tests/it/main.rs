//! The store seen from outside: one contract on every backend, and what only some backends can get wrong.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "the tests look at, and meddle with, what lies on the disk")]

mod broken;
mod cache;
mod contract;
mod directory;
mod objects;
mod rooted;
mod spool;
mod store;
