//! The same over Streamable HTTP, for agents that speak to a gateway.

use std::sync::Arc;

use client::Client;
use rmcp::model::ErrorData;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use serde_json::Value;

use crate::lines::refusal;
use crate::server::Server;

/// The largest message of an agent, in bytes.
const MAX_MESSAGE: usize = 4 << 20;

/// How rmcp begins to say that a body is no message. It has no word of its own for it, and answers 415.
const UNREAD: &str = "fail to deserialize request body ";
/// How the reason goes on where the body is JSON at least.
const NO_MESSAGE: &str = "unrecognized JSON-RPC message";

/// Answers agents at `/mcp`. There are no sessions: every request is answered by itself, so that nothing is kept for
/// agents that never come back. Whoever mounts it checks `Host` and `Origin` first, as for every other route.
pub type OverHttp = StreamableHttpService<Server, NeverSessionManager>;

/// The service for agents of one lake. What a request shows as its token is shown to the gateway behind.
pub fn over_http(client: Client) -> OverHttp {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_MESSAGE)
        .disable_allowed_hosts();
    let server = Server::new(client);
    OverHttp::new(move || Ok(server.clone()), Arc::new(NeverSessionManager::default()), config)
}

/// The answer of JSON-RPC, for status 400, in the place of a refusal that says in other words that a body is no message;
/// none for every other refusal.
pub fn refused(said: &[u8]) -> Option<Value> {
    let why = std::str::from_utf8(said).ok()?.strip_prefix(UNREAD)?;
    let error = match why.starts_with(NO_MESSAGE) {
        true => ErrorData::invalid_request("that is no message of JSON-RPC 2.0", None),
        false => ErrorData::parse_error(format!("that is no JSON: {why}"), None),
    };
    Some(refusal(error, Value::Null))
}
