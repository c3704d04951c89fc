//! The gateway: the one public edge, which knows only which role answers which path.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use base::Facts;
use futures::future::join_all;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};
use serde_json::json;
use tower::ServiceExt;
use url::Url;

use crate::docs::docs;
use crate::error::{Error, Result};
use crate::gate::Gate;
use crate::health::{Readiness, Unready};
use crate::iceberg::is_iceberg;
use crate::openapi;
use crate::proxy::{Proxy, parse_address};
use crate::request::{MIN_VERSION, VERSION, text};
use crate::role::Role;
use crate::shared::Shared;
use crate::trace::Served;

/// How long a role may take to say whether it is ready.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// Where a role answers.
pub enum Upstream {
    /// In this process.
    Here(Router),
    /// At an address of its own.
    There(Url),
}

impl Upstream {
    /// The address of a role as an operator writes it, such as `http://127.0.0.1:3211`.
    pub fn parse(role: Role, given: &str) -> Result<Self, Error> {
        parse_address(role, given).map(Self::There)
    }
}

/// The door of the gateway to the roles it is given. Fails when an upstream's address cannot be used.
pub fn gateway(upstreams: BTreeMap<Role, Upstream>, shared: Shared) -> Result<Router, Error> {
    gateway_beside(upstreams, Router::new(), shared)
}

/// The gateway's routes, with further ones that are no role's.
pub fn gateway_beside(upstreams: BTreeMap<Role, Upstream>, further: Router, shared: Shared) -> Result<Router, Error> {
    let mut lines = BTreeMap::new();
    for (role, upstream) in upstreams {
        lines.insert(role, Line::to(role, upstream, &shared)?);
    }
    let front = Front { lines: Arc::new(lines), seen: Arc::default() };
    let asked = front.clone();
    let readiness = Readiness::new(move || asked.clone().readiness());
    let described = Router::new().route("/openapi.json", get(openapi::document)).route("/docs", get(docs));
    let routes = described.fallback(pass_on).with_state(front);
    Ok(shared.door(Role::Gateway, routes.merge(further), readiness))
}

/// Every path under `/v1`: strip it, find the role, pass the request on.
async fn pass_on(State(front): State<Front>, mut request: Request) -> Result<Response> {
    let role = strip(&mut request)?;
    let line = front.lines.get(&role).ok_or(Error::Unreachable { role, cause: None })?;
    front.demand(request.headers_mut());
    let answer = line.call(role, request).await?;
    front.notice(answer.headers());
    Ok(answer)
}

#[derive(Clone)]
struct Front {
    lines: Arc<BTreeMap<Role, Line>>,
    /// The highest version that any answer stated.
    seen: Arc<AtomicU64>,
}

/// The way to one role.
enum Line {
    Here(Router),
    There(Box<Far>),
}

/// The way to a role with an address of its own.
struct Far {
    proxy: Proxy,
    gate: Gate,
}

impl Line {
    fn to(role: Role, upstream: Upstream, shared: &Shared) -> Result<Self, Error> {
        match upstream {
            Upstream::Here(router) => Ok(Self::Here(router)),
            Upstream::There(address) => {
                let (_, gate) = shared.gates();
                let proxy = Proxy::new(role, &address, shared.limits.upstream_timeout.0)?;
                Ok(Self::There(Box::new(Far { proxy, gate })))
            }
        }
    }

    async fn call(&self, role: Role, request: Request) -> Result<Response> {
        match self {
            Self::Here(router) => match router.clone().oneshot(request).await {
                Ok(answer) => Ok(answer),
                Err(never) => match never {},
            },
            Self::There(far) => {
                let mut answer = far.gate.admit(request, |request| far.proxy.forward(request)).await?;
                answer.extensions_mut().insert(Served::behind(role));
                Ok(answer)
            }
        }
    }
}

impl Front {
    /// Asks for an answer at least as new as any that was given before, so that a client reads its own writes
    /// through whichever role it asks.
    fn demand(&self, headers: &mut HeaderMap) {
        let seen = self.seen.load(Ordering::Acquire);
        let given = text(headers, &MIN_VERSION).map(str::parse::<u64>);
        let stated = match given {
            Some(Err(_)) => return,
            Some(Ok(given)) => given.max(seen),
            None => seen,
        };
        if stated > 0 {
            headers.insert(MIN_VERSION, HeaderValue::from(stated));
        }
    }

    fn notice(&self, headers: &HeaderMap) {
        if let Some(version) = text(headers, &VERSION).and_then(|version| version.parse().ok()) {
            self.seen.fetch_max(version, Ordering::AcqRel);
        }
    }

    /// The gateway is ready when every role it knows is.
    async fn readiness(self) -> Result<Facts, Unready> {
        let asked = self.lines.iter().map(|(role, line)| async move { (*role, line.is_ready(*role).await) });
        let known = join_all(asked).await;
        let word = |ready: &bool| json!(if *ready { "ready" } else { "not ready" });
        let roles: Facts = known.iter().map(|(role, ready)| (role.name().to_owned(), word(ready))).collect();
        let missing: Vec<&str> = known.iter().filter(|(_, ready)| !ready).map(|(role, _)| role.name()).collect();
        if missing.is_empty() {
            return Ok(roles);
        }
        Err(Unready { reason: format!("it waits for {}", missing.join(", ")), roles })
    }
}

impl Line {
    async fn is_ready(&self, role: Role) -> bool {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = Uri::from_static("/readyz");
        let answer = tokio::time::timeout(READY_TIMEOUT, self.call(role, request)).await;
        matches!(answer, Ok(Ok(answer)) if answer.status().is_success())
    }
}

/// Takes `/v1` off the path, before anything else looks at it, and says which role answers the rest. Iceberg's protocol
/// has a root of its own.
fn strip(request: &mut Request) -> Result<Role, Error> {
    if is_iceberg(request.uri().path()) {
        return Ok(Role::Catalogd);
    }
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let rest = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).ok_or(Error::NoRoute)?;
    let role = rest.split('?').next().and_then(Role::of_path).ok_or(Error::NoRoute)?;
    *request.uri_mut() = rest.parse().map_err(|_| Error::NoRoute)?;
    Ok(role)
}
