//! The doors, seen from outside: real rooms over a real lake, requests in, bytes out.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, in its helpers too"
)]

mod answers;
mod auth;
mod chats;
mod clients;
mod docs;
mod edge;
mod embedding;
mod flow;
mod health;
mod hosts;
mod iceberg;
mod ids;
mod indexes;
mod iterating;
mod limits;
mod loads;
mod logs;
mod maintenance;
mod metrics;
mod openapi;
mod packs;
mod proxied;
mod recorded;
mod refusals;
mod runs;
mod sealing;
mod slow;
mod sql;
mod stack;
mod storage;
mod upload;
mod validation;
mod vector_refusals;
mod versions;
mod words;
