//! The catalog seen from outside: whole commits on real stores, and stores that fail on purpose.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a helper that fails has failed its test")]

mod commits;
mod damage;
mod faults;
mod formats;
mod iceberg_spec;
mod indexes;
mod long;
mod outside;
mod outswept;
mod past;
mod publish;
mod register;
mod renames;
mod rollback;
mod support;
mod tags;
mod versions;
