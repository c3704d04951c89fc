//! Refusals where no door stands: they are written onto the socket itself.

use base::{Fault, RequestId};

use crate::error::{Error, status_of};
use crate::problem::Problem;
use crate::role::Role;
use crate::shared::Shared;
use crate::trace::REQUEST_ID;

/// Refuses for one role.
#[derive(Clone)]
pub(super) struct Plain {
    pub(super) role: Role,
    pub(super) shared: Shared,
}

impl Plain {
    /// What a client is told for whom there is no room.
    pub(super) fn no_room(&self) -> Vec<u8> {
        written(&Error::Busy, &RequestId::mint(&self.shared.seams))
    }

    /// What a client is told in place of the parser's bare answer to a head that is no request; none when the bytes are
    /// no such answer.
    pub(super) fn in_place_of(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let error = match bytes.strip_prefix(b"HTTP/1.1 ")?.first_chunk()? {
            b"400" => Error::Malformed,
            b"431" => Error::HeadTooLarge,
            _ => return None,
        };
        let (role, request) = (self.role, RequestId::mint(&self.shared.seams));
        self.shared.metrics.refused(role, error.code());
        let (role, status, code) = (role.name(), status_of(error.code(), error.kind()).as_u16(), error.code());
        tracing::info!(target: "lakehouse::request", role, status, code, request_id = %request, "no request");
        Some(written(&error, &request))
    }
}

/// A refusal as it goes over the wire, the last word of its connection.
fn written(error: &Error, request: &RequestId) -> Vec<u8> {
    let status = status_of(error.code(), error.kind());
    let body = Problem::of(error, status).body(request);
    let retry = if status.is_server_error() { "retry-after: 1\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\n{retry}connection: close\r\n\
         {REQUEST_ID}: {request}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}
