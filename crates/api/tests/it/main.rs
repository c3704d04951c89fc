//! The doors, seen from outside: real rooms over a real lake, requests in, bytes out.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, in its helpers too"
)]

mod answers;
mod clients;
mod edge;
mod flow;
mod health;
mod hosts;
mod ids;
mod limits;
mod logs;
mod proxied;
mod refusals;
mod sql;
mod stack;
mod storage;
mod upload;
