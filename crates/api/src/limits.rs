//! What one request may cost: settings.

use base::{ByteSize, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits of every door.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest JSON body of a request.
    pub json_limit: ByteSize,
    /// Requests that one role works on at the same time, until their last byte is sent.
    pub concurrent_requests: usize,
    /// Requests that may wait for their turn in each role; one more is answered 503.
    pub waiting_requests: usize,
    /// How long a short request may take, from its first line to the head of its answer.
    pub deadline: Span,
    /// How long an upload, a load or a query may take. A query also has its own, shorter timeout.
    pub long_deadline: Span,
    /// How long an upload or a load that came over a socket may wait for the next piece of its body.
    pub body_timeout: Span,
    /// How long the gateway waits for a role with an address of its own while nothing moves.
    pub upstream_timeout: Span,
    /// How long requests under way may finish when the process is told to stop.
    pub drain: Span,
    /// Further names, `host` or `host:port`, under which a service may be addressed and its pages may call it.
    pub allowed_hosts: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json_limit: ByteSize::mib(4),
            concurrent_requests: 256,
            waiting_requests: 1024,
            deadline: Span::secs(60),
            long_deadline: Span::secs(3600),
            body_timeout: Span::secs(60),
            upstream_timeout: Span::secs(300),
            drain: Span::secs(20),
            allowed_hosts: Vec::new(),
        }
    }
}
