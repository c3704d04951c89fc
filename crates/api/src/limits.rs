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
    /// The largest JSON body of a batch: texts to be embedded, items to be added. At most eight of those over `json_limit`
    /// are in the memory of one role.
    pub batch_limit: ByteSize,
    /// Requests that one role works on at the same time, until their last byte is sent. One that waits for its client
    /// counts only as long as nobody else needs its place.
    pub concurrent_requests: usize,
    /// Requests that may wait for their turn in each role; one more is answered 503.
    pub waiting_requests: usize,
    /// How long a short request may take, from its first line to the head of its answer.
    pub deadline: Span,
    /// How long an upload, a load or a query may take. A query also has its own, shorter timeout.
    pub long_deadline: Span,
    /// Connections that one role holds open; one address holds at most half of them. One more is turned away.
    pub connections: usize,
    /// How long a connection may take to bring the head of its next request, counted from its opening or its last answer.
    pub header_timeout: Span,
    /// How long a body that comes over a socket may keep its request waiting for its next 16 KiB, or its end.
    pub body_timeout: Span,
    /// How long a client may leave its answer unread before the connection is cut.
    pub send_timeout: Span,
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
            batch_limit: ByteSize::mib(64),
            concurrent_requests: 256,
            waiting_requests: 1024,
            deadline: Span::secs(60),
            long_deadline: Span::secs(3600),
            connections: 8192,
            header_timeout: Span::secs(20),
            body_timeout: Span::secs(60),
            send_timeout: Span::secs(30),
            upstream_timeout: Span::secs(300),
            drain: Span::secs(20),
            allowed_hosts: Vec::new(),
        }
    }
}
