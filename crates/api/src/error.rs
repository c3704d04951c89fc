//! The one error table: every fault of every room becomes a status here, and nowhere else.

use std::net::IpAddr;

use axum::response::{IntoResponse, Response};
use base::{AsOfError, ByteSize, Facts, Fault, IndexNameError, Kind, NameError, RequestId};
use http::StatusCode;
use serde_json::{Value, json};

use crate::auth::Scope;
use crate::problem::Problem;
use crate::role::Role;

/// A result of a handler.
pub type Result<T, E = Refusal> = std::result::Result<T, E>;

/// Statuses that say more than the kind of the fault does. Every other code takes its status from its kind.
const BY_CODE: &[(&str, u16)] = &[
    ("api.method_not_allowed", 405),
    ("api.not_acceptable", 406),
    ("api.media_type", 415),
    ("api.content_encoding", 415),
    ("api.head_too_large", 431),
    ("api.upstream_unreachable", 502),
    ("api.upstream_timeout", 504),
    ("api.deadline", 504),
    ("catalog.contradiction", 422),
    ("catalog.key_reused", 422),
    ("catalog.no_objects", 422),
    ("catalog.not_parquet", 422),
    ("embed.timeout", 504),
    ("ingest.bad_column", 422),
    ("ingest.bad_format", 422),
    ("ingest.bad_header", 422),
    ("ingest.bad_json", 422),
    ("ingest.bad_packing", 422),
    ("ingest.bad_parquet", 422),
    ("ingest.bad_rows", 422),
    ("ingest.empty_file", 422),
    ("ingest.row_too_long", 422),
    ("ingest.upstream_failed", 502),
    ("ingest.upstream_timeout", 504),
    ("models.rate_limited", 429),
    ("models.unknown_model", 502),
    ("models.upstream_failed", 502),
    ("models.upstream_timeout", 504),
    ("query.timeout", 504),
    ("storage.body_slow", 408),
    ("storage.full", 507),
    ("storage.precondition_failed", 412),
    ("storage.range", 416),
    ("storage.read_only", 507),
];

/// The status of a fault.
pub fn status_of(code: &str, kind: Kind) -> StatusCode {
    let stated = BY_CODE.iter().find(|(known, _)| *known == code).map(|(_, status)| *status);
    let status = stated.unwrap_or(match kind {
        Kind::Invalid => 400,
        Kind::Unauthenticated => 401,
        Kind::Denied => 403,
        Kind::NotFound => 404,
        Kind::Conflict => 409,
        Kind::TooMuch => 413,
        Kind::Unavailable => 503,
        Kind::Damaged | Kind::Bug => 500,
    });
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Why a request is refused before any room behind the doors sees it, or why a door cannot open.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No route has this path.
    #[error("there is nothing at this path")]
    NoRoute,
    /// The path exists, for other methods.
    #[error("this path does not answer this method; the Allow header names those it does")]
    Method,
    /// The request's content type is not one this route reads.
    #[error("this route reads {expected}, not {given:?}")]
    MediaType {
        /// What the route reads.
        expected: &'static str,
        /// What the request states.
        given: String,
    },
    /// The request's body is compressed, or encoded in another way.
    #[error("this route reads {expected}, not encoded as {given:?}: send it without Content-Encoding")]
    Encoding {
        /// What the route reads.
        expected: &'static str,
        /// What the request states.
        given: String,
    },
    /// What came is no HTTP request.
    #[error("what was sent is not a well-formed HTTP request")]
    Malformed,
    /// The request's head is larger than the edge reads.
    #[error("the request has more than 100 headers, or its line and headers are over 64 KiB")]
    HeadTooLarge,
    /// None of the answers the client accepts can be given.
    #[error("this route answers {forms}")]
    NotAcceptable {
        /// The media types of its answers.
        forms: String,
    },
    /// The body is not what the route documents.
    #[error("the body is refused: {0}")]
    Body(String),
    /// The query string is not what the route documents.
    #[error("the query string is refused: {0}")]
    Parameter(String),
    /// The path is no text.
    #[error("the path is refused: it is not percent-encoded UTF-8")]
    Path,
    /// A header has a value that it cannot have.
    #[error("the header {name} is refused: {rule}")]
    Header {
        /// The header.
        name: &'static str,
        /// What it may be.
        rule: &'static str,
    },
    /// A path names a table by a name that none can have.
    #[error("there is no such table: {0}")]
    NoTable(NameError),
    /// There are no views.
    #[error("there are no views here")]
    NoView,
    /// A dataset name breaks the rule.
    #[error("name: {0}")]
    Name(#[from] NameError),
    /// An index name breaks the rule.
    #[error("name: {0}")]
    IndexName(#[from] IndexNameError),
    /// A tag breaks the rule.
    #[error("tag: {given:?} is no tag: it begins with a letter, and up to 63 letters, digits, `_`, `.` or `-` follow")]
    Tag {
        /// The tag as given.
        given: String,
    },
    /// `as_of` names no version.
    #[error("as_of: {0}")]
    AsOf(#[from] AsOfError),
    /// A path names no query.
    #[error("this is not the id of a query")]
    QueryId,
    /// A body is larger than the route takes.
    #[error("the body is larger than {limit}")]
    TooLarge {
        /// The most the route takes.
        limit: ByteSize,
    },
    /// An upload broke off or is not well-formed multipart.
    #[error("the multipart body is malformed: {0}")]
    Multipart(String),
    /// An upload has another field than `file`, or none.
    #[error("the upload is refused: {0}")]
    Field(String),
    /// The request names another host than this service.
    #[error("this service is not addressed as {given:?}; add the name to allowed_hosts if it should be")]
    Host {
        /// The host as given.
        given: String,
    },
    /// A page of another origin sent the request.
    #[error("pages of {given:?} may not call this service; add its host to allowed_hosts if they should")]
    Origin {
        /// The origin as given.
        given: String,
    },
    /// The request bears no token, and one is needed.
    #[error("this service asks for a token: send it as `Authorization: Bearer <token>`")]
    NoToken,
    /// The request bears a token that is not known.
    #[error("this token is not known here")]
    WrongToken,
    /// The token may not do this.
    #[error("this token lacks the scope `{needed}`, which the request needs")]
    Scope {
        /// What the request needs.
        needed: Scope,
    },
    /// The request comes from an address that may not ask.
    #[error("requests from {peer} are not let in; auth.allowed_ips lists the addresses that are")]
    Address {
        /// Where the request comes from.
        peer: IpAddr,
    },
    /// Every place is taken, those for waiting too.
    #[error("this service is working on as many requests as it may; try again shortly")]
    Busy,
    /// The answer took too long.
    #[error("the request was not answered within its deadline")]
    Deadline,
    /// A role with an address of its own does not answer, or what answers there is something else.
    #[error("{role} is not reachable, or what answers at its address is not {role}")]
    Unreachable {
        /// The role.
        role: Role,
        /// What the network said.
        #[source]
        cause: Option<BoxError>,
    },
    /// A role with an address of its own accepted the request and fell silent.
    #[error("{role} did not answer in time")]
    UpstreamTimeout {
        /// The role.
        role: Role,
    },
    /// The role is not ready to work.
    #[error("{role} is not ready: {reason}")]
    NotReady {
        /// The role.
        role: Role,
        /// Why not.
        reason: String,
        /// What is known of each role behind it, by name.
        roles: Facts,
    },
    /// A handler panicked.
    #[error("this request met a fault of the program; the log has the details under its request id")]
    Panicked,
    /// No query of this id is running.
    #[error("no query with this id is running")]
    NoQuery,
    /// A bind address that cannot be read.
    #[error("{role}.bind is {given:?}: use an address and a port such as 127.0.0.1:{}", .role.default_port())]
    BindAddress {
        /// The role to be bound.
        role: Role,
        /// What was given.
        given: String,
    },
    /// A bind outside loopback that was not asked for in both ways.
    #[error(
        "{role} may not bind {bind}, which is outside loopback: that needs a token (auth.token, or the environment \
         variable AUTH_TOKEN) and the environment variable {}=1; here {lacking}",
        .role.nonloopback_variable()
    )]
    NonLoopback {
        /// The role to be bound.
        role: Role,
        /// The address.
        bind: String,
        /// Which of the two is missing.
        lacking: &'static str,
    },
    /// A setting of `[auth]` that cannot be meant.
    #[error("{key}: {rule}")]
    Setting {
        /// The setting.
        key: String,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// A socket could not be bound.
    #[error("{role} cannot listen on {bind}: {cause}")]
    Bind {
        /// The role to be bound.
        role: Role,
        /// The address.
        bind: String,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The address of an upstream that cannot be used.
    #[error("upstreams.{role} is {given:?}: {rule}")]
    UpstreamAddress {
        /// The role.
        role: Role,
        /// What was given.
        given: String,
        /// What is wrong with it.
        rule: &'static str,
    },
}

/// An error of whatever carried the bytes.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NoRoute | Self::NoQuery | Self::NoTable(_) | Self::NoView => Kind::NotFound,
            Self::NoToken | Self::WrongToken => Kind::Unauthenticated,
            Self::Host { .. } | Self::Origin { .. } | Self::Scope { .. } | Self::Address { .. } => Kind::Denied,
            Self::TooLarge { .. } => Kind::TooMuch,
            Self::Busy
            | Self::Deadline
            | Self::Unreachable { .. }
            | Self::UpstreamTimeout { .. }
            | Self::NotReady { .. }
            | Self::Bind { .. } => Kind::Unavailable,
            Self::Panicked => Kind::Bug,
            _ => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoRoute => "api.no_route",
            Self::NoTable(_) => "api.no_table",
            Self::NoView => "api.no_view",
            Self::Method => "api.method_not_allowed",
            Self::MediaType { .. } => "api.media_type",
            Self::Encoding { .. } => "api.content_encoding",
            Self::Malformed => "api.malformed",
            Self::HeadTooLarge => "api.head_too_large",
            Self::NotAcceptable { .. } => "api.not_acceptable",
            Self::Body(_) => "api.bad_body",
            Self::Parameter(_) | Self::Path => "api.bad_parameter",
            Self::Header { .. } => "api.bad_header",
            Self::Name(_) | Self::IndexName(_) | Self::Tag { .. } => "api.bad_name",
            Self::AsOf(_) => "api.bad_as_of",
            Self::QueryId => "api.bad_query_id",
            Self::TooLarge { .. } => "api.body_too_large",
            Self::Multipart(_) => "api.bad_multipart",
            Self::Field(_) => "api.bad_field",
            Self::Host { .. } => "api.host_refused",
            Self::Origin { .. } => "api.origin_refused",
            Self::NoToken => "api.no_token",
            Self::WrongToken => "api.wrong_token",
            Self::Scope { .. } => "api.scope_missing",
            Self::Address { .. } => "api.address_refused",
            Self::Busy => "api.busy",
            Self::Deadline => "api.deadline",
            Self::Unreachable { .. } => "api.upstream_unreachable",
            Self::UpstreamTimeout { .. } => "api.upstream_timeout",
            Self::NotReady { .. } => "api.not_ready",
            Self::Panicked => "api.panicked",
            Self::NoQuery => "api.no_query",
            Self::BindAddress { .. } => "api.bad_bind",
            Self::NonLoopback { .. } => "api.nonloopback_bind",
            Self::Setting { .. } => "api.bad_auth",
            Self::Bind { .. } => "api.bind_failed",
            Self::UpstreamAddress { .. } => "api.bad_upstream",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::TooLarge { limit } => one("limit", json!(limit.0)),
            Self::Unreachable { role, .. } | Self::UpstreamTimeout { role } => one("role", json!(role.name())),
            Self::NotReady { roles, .. } if !roles.is_empty() => one("roles", Value::Object(roles.clone())),
            _ => Facts::new(),
        }
    }
}

fn one(name: &str, value: Value) -> Facts {
    Facts::from_iter([(name.to_owned(), value)])
}

/// Any fault of the house on its way out as an answer.
#[derive(Debug)]
pub struct Refusal(Box<dyn Fault>);

impl<F: Fault> From<F> for Refusal {
    fn from(fault: F) -> Self {
        Self(Box::new(fault))
    }
}

impl Refusal {
    /// The problem as JSON, told in the middle of an answer, when its status has gone out already.
    pub(crate) fn told(&self, request: Option<&RequestId>) -> String {
        self.problem().told(request)
    }

    fn problem(&self) -> Problem {
        let fault = self.0.as_ref();
        Problem::of(fault, status_of(fault.code(), fault.kind()))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.problem().into_response()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Refusal::from(self).into_response()
    }
}
