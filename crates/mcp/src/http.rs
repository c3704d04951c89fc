//! The same over Streamable HTTP, for agents that speak to a gateway.

use std::sync::Arc;

use client::Client;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::server::Server;

/// The largest message of an agent, in bytes.
const MAX_MESSAGE: usize = 4 << 20;

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
