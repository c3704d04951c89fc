//! The MCP door: agents list, read, query and search the lake through tools, resources and prompts.
//!
//! It never decides anything about the lake and never writes to it: each tool is a verb of `client`, its answer capped and
//! fenced as data. Nothing but protocol goes to the transport. Reading order: [`server`] (what is answered to whom),
//! [`progress`] (word from a long call), [`tools`] (what is offered), [`calls`] (what a tool does), [`cap`],
//! [`fence`] and [`unseen`] (what an answer may hold), [`resources`], [`prompts`], [`lines`] and [`http`] (how messages come
//! and go), [`setup`] (what people paste into their agents), [`error`].

pub mod calls;
pub mod cap;
pub mod error;
pub mod fence;
pub mod http;
pub mod lines;
pub mod progress;
pub mod prompts;
pub mod resources;
pub mod server;
pub mod setup;
pub mod tools;
pub mod unseen;

pub use error::{Error, Result};
pub use http::{OverHttp, over_http, refused};
pub use server::{Server, stdio};
pub use setup::{Agent, Reach, setup};
