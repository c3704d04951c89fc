//! What is counted and timed, and `/metrics`, which tells it.
//!
//! Labels take few values only: roles, route templates, methods and codes that this house knows, never what a request
//! says; beside them a bounded number of names of what the lake holds.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::Method;
use http::header::CONTENT_TYPE;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::error::Result;
use crate::request::{Nothing, Params};
use crate::role::Role;

mod told;

/// What Prometheus calls the text that is answered.
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The shortest latency that is told apart, in seconds; each further step doubles it.
const FIRST_STEP: f64 = 0.0005;
/// Steps of latency; the last is about 33 s.
const STEPS: u16 = 17;

/// The counters of one process. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    latency: Family<Answered, Histogram, fn() -> Histogram>,
    working: Family<Of, Gauge>,
    refused: Family<Refused, Counter>,
    connections: Family<Of, Gauge>,
    turned_away: Family<Of, Counter>,
    received: Family<Of, Counter>,
    sent: Family<Of, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    role: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    role: &'static str,
    code: &'static str,
}

/// One answered request, as the histogram of latencies files it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    role: &'static str,
    route: String,
    method: &'static str,
    status: &'static str,
}

impl Metrics {
    /// Tells a number that goes up and down whenever it is asked for. `read` must not block.
    pub fn gauge(&self, name: &'static str, help: &'static str, read: impl Fn() -> f64 + Send + Sync + 'static) {
        self.tell(told::Told::gauge(name, help, read));
    }

    /// Tells one such number for each value of `label`. `read` must not block, and the values must be few.
    pub fn gauges(
        &self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        read: impl Fn() -> Vec<(String, f64)> + Send + Sync + 'static,
    ) {
        self.tell(told::Told::gauges(name, help, label, read));
    }

    /// Tells a count that only goes up. `read` must not block.
    pub fn counter(&self, name: &'static str, help: &'static str, read: impl Fn() -> u64 + Send + Sync + 'static) {
        self.tell(told::Told::counter(name, help, read));
    }

    fn tell(&self, told: told::Told) {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register_collector(Box::new(told));
    }

    /// Notes that a request was answered after so many seconds.
    pub(crate) fn answered(&self, role: Role, route: String, method: &Method, status: http::StatusCode, seconds: f64) {
        let (method, status) = (known(method), class(status));
        self.latency.get_or_create(&Answered { role: role.name(), route, method, status }).observe(seconds);
    }

    /// Notes that a door refused a request.
    pub(crate) fn refused(&self, role: Role, code: &'static str) {
        self.refused.get_or_create(&Refused { role: role.name(), code }).inc();
    }

    /// Counts a request that is being answered for as long as the answer is kept.
    pub(crate) fn working(&self, role: Role) -> Working {
        let gauge = self.working.get_or_create_owned(&Of { role: role.name() });
        gauge.inc();
        Working(gauge)
    }

    /// Counts a connection, and what flows over it.
    pub(crate) fn traffic(&self, role: Role) -> Traffic {
        let of = Of { role: role.name() };
        let open = self.connections.get_or_create_owned(&of);
        open.inc();
        Traffic { open, received: self.received.get_or_create_owned(&of), sent: self.sent.get_or_create_owned(&of) }
    }

    /// Notes a connection for which there was no room.
    pub(crate) fn turned_away(&self, role: Role) {
        self.turned_away.get_or_create(&Of { role: role.name() }).inc();
    }

    /// `/metrics`.
    pub(crate) fn routes(&self) -> Router {
        let metrics = self.clone();
        Router::new().route("/metrics", get(async move |_: Params<Nothing>| metrics.page()))
    }

    fn page(&self) -> Result<Response> {
        let mut page = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        text::encode(&mut page, &registry).map_err(|_| crate::error::Error::Panicked)?;
        Ok(([(CONTENT_TYPE, MEDIA_TYPE)], page).into_response())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Arc::new(Mutex::new(Registry::with_prefix("lakehouse"))),
            latency: Family::new_with_constructor(|| Histogram::new(exponential_buckets(FIRST_STEP, 2.0, STEPS))),
            working: Family::default(),
            refused: Family::default(),
            connections: Family::default(),
            turned_away: Family::default(),
            received: Family::default(),
            sent: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let help = "Time from a request's head to its answer's head";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, self.latency.clone());
        registry.register("http_requests_working", "Requests whose answer has not begun", self.working.clone());
        registry.register("http_refusals", "Requests that a door refused, by code", self.refused.clone());
        registry.register("http_connections", "Open connections", self.connections.clone());
        let help = "Connections for which there was no room";
        registry.register("http_connections_turned_away", help, self.turned_away.clone());
        registry.register_with_unit("http_received", "Read from clients", Unit::Bytes, self.received.clone());
        registry.register_with_unit("http_sent", "Written to clients", Unit::Bytes, self.sent.clone());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// A request that is being answered.
pub(crate) struct Working(Gauge);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A connection, and what flows over it.
pub(crate) struct Traffic {
    open: Gauge,
    received: Counter,
    sent: Counter,
}

impl Traffic {
    pub(crate) fn received(&self, bytes: usize) {
        self.received.inc_by(bytes as u64);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.inc_by(bytes as u64);
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.open.dec();
    }
}

/// A method by its name; those that a client makes up share one.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

fn class(status: http::StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
