//! Queries from outside: real files ingested into a real lake, asked through `Query`.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper that fails has failed its test")]

mod answers;
mod damage;
mod differential;
mod endless;
mod guards;
mod lake;
mod nulls;
mod outside_tables;
mod outsider;
mod pruning;
mod resources;
mod scripted;
mod search;
mod slt;
mod streams;
mod versions;
