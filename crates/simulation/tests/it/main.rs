//! Three writers on a store that fails, over many seeds; and the death of a process at every call of every operation.

#![expect(clippy::unwrap_used, reason = "a helper that fails has failed its test")]

mod copies;
mod death;
mod lake;
mod simulate;
