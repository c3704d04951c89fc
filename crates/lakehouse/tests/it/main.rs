//! The binary from outside: its command line, its start and end, who may ask, its smokes, other engines, and what kills and races
//! leave behind.

mod agents;
mod bombs;
mod chat;
mod cli;
mod command;
mod config;
mod demo;
mod guarded;
#[path = "../../src/smoke/held.rs"]
mod held;
mod interop;
mod iterate;
#[path = "../../src/smoke/probe.rs"]
#[expect(dead_code, reason = "shared with the smokes, which need more of it")]
mod probe;
mod serving;
mod smokes;
mod soak;
#[path = "../../src/smoke/stack.rs"]
mod stack;
mod text;
mod upkeep;
