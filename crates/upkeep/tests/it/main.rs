//! Upkeep seen from outside: whatever is compacted, expired, swept, copied or moved, versions answer as before.

#![expect(clippy::unwrap_used, reason = "a helper that fails has failed its test")]

mod backup;
mod beside;
mod compact;
mod expire;
mod indexes;
mod killed;
mod lately;
mod relocate;
mod streams;
mod support;
mod sweep;
mod versions;
