//! Refusals in the words of Iceberg's protocol: the same faults and statuses as elsewhere, in its envelope.

use http::StatusCode;
use serde::Serialize;

/// The names of exceptions that clients know, by our code. Every other refusal is named by its status.
const BY_CODE: &[(&str, &str)] = &[
    ("api.no_table", "NoSuchTableException"),
    ("api.no_view", "NoSuchViewException"),
    ("catalog.dataset_exists", "AlreadyExistsException"),
    ("catalog.name_of_stream", "AlreadyExistsException"),
    ("catalog.namespace_exists", "AlreadyExistsException"),
    ("catalog.namespace_in_use", "NamespaceNotEmptyException"),
    ("catalog.outcome_unknown", "CommitStateUnknownException"),
    ("catalog.unknown_dataset", "NoSuchTableException"),
    ("catalog.unknown_namespace", "NoSuchNamespaceException"),
    ("storage.outcome_unknown", "CommitStateUnknownException"),
];

/// The body of a refusal.
#[derive(Serialize)]
pub(crate) struct Envelope<'a> {
    error: Named<'a>,
}

#[derive(Serialize)]
struct Named<'a> {
    message: &'a str,
    r#type: &'static str,
    code: u16,
}

impl<'a> Envelope<'a> {
    /// The refusal under `code`.
    pub(crate) fn new(message: &'a str, code: &str, status: StatusCode) -> Self {
        let known = BY_CODE.iter().find(|(known, _)| *known == code).map(|(_, name)| *name);
        let r#type = known.unwrap_or_else(|| by_status(status));
        Self { error: Named { message, r#type, code: status.as_u16() } }
    }
}

/// Whether a path is answered in Iceberg's words.
pub(crate) fn is_iceberg(path: &str) -> bool {
    path == "/iceberg" || path.starts_with("/iceberg/")
}

/// The status of a refusal for clients that take 503 for a proof that nothing was committed.
pub(crate) fn status_of(code: &str, status: StatusCode) -> StatusCode {
    if code.ends_with(".outcome_unknown") { StatusCode::INTERNAL_SERVER_ERROR } else { status }
}

fn by_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "NotAuthorizedException",
        403 => "ForbiddenException",
        404 => "NotFoundException",
        405 | 406 => "UnsupportedOperationException",
        409 => "CommitFailedException",
        422 => "UnprocessableEntityException",
        502 | 504 => "CommitStateUnknownException",
        503 => "ServiceUnavailableException",
        500.. => "InternalServerError",
        _ => "BadRequestException",
    }
}
