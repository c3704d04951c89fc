//! The HTTP doors: one module per role, the gateway, the limits and the one error table.
//!
//! It never decides anything about the lake: a handler parses, makes one call and wraps the answer. It never buffers an
//! upload or a result stream whole, and never shows a server path, a credential or a library's message. Reading order:
//! [`role`], [`shared`], [`limits`] and [`metrics`] (what every door has), [`error`] and [`problem`] (refusals),
//! [`request`] (bodies and parameters), [`trace`] and `run` (what a request belongs to), [`host`], [`auth`] and [`gate`] (what every request passes),
//! [`health`] and [`fresh`], then the roles [`storaged`], [`catalogd`] with [`iceberg`], [`ingestd`] (which tells long
//! work in [`events`]), [`queryd`], [`embedd`], [`vectord`], [`chatd`], [`validatord`], the [`gateway`] with its [`proxy`] and
//! what it says of itself ([`openapi`] to programs, [`docs`] to people), and [`edge`] (the sockets).

mod accept;
pub mod auth;
mod batch;
pub mod catalogd;
pub mod chatd;
mod docs;
pub mod edge;
pub mod embedd;
pub mod error;
mod events;
mod fresh;
pub mod gate;
pub mod gateway;
pub mod health;
pub mod host;
mod iceberg;
pub mod ingestd;
pub mod limits;
mod linger;
mod listed;
pub mod metrics;
mod openapi;
mod pages;
pub mod problem;
pub mod proxy;
pub mod queryd;
pub mod request;
pub mod role;
mod run;
pub mod shared;
pub mod storaged;
pub mod trace;
pub mod upload;
pub mod validatord;
pub mod vectord;

pub use auth::{Auth, AuthConfig};
pub use catalogd::catalogd;
pub use chatd::chatd;
pub use edge::{Edge, Exposure};
pub use embedd::embedd;
pub use error::{Error, Refusal};
pub use gateway::{Upstream, gateway, gateway_beside};
pub use ingestd::ingestd;
pub use limits::Limits;
pub use metrics::Metrics;
pub use queryd::queryd;
pub use role::Role;
pub use shared::Shared;
pub use storaged::storaged;
pub use validatord::validatord;
pub use vectord::vectord;
