//! What every door is given.

use std::sync::Arc;

use axum::{Extension, Router, middleware};
use base::Seams;

use crate::error::Error;
use crate::gate::{Gate, pass};
use crate::health::{self, Readiness};
use crate::host;
use crate::limits::Limits;
use crate::role::Role;
use crate::trace::{self, Tracer};

/// Who stands in the log as author, as long as nobody says who they are.
pub(crate) const AUTHOR: &str = "anonymous";

/// The seams and the limits. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Where time and chance enter.
    pub seams: Seams,
    /// What one request may cost.
    pub limits: Arc<Limits>,
}

impl Shared {
    /// Seams and limits for a set of doors.
    pub fn new(seams: Seams, limits: Limits) -> Self {
        Self { seams, limits: Arc::new(limits) }
    }

    /// The gate of short requests and the one of uploads, loads and queries, with one set of places between them.
    pub(crate) fn gates(&self) -> (Gate, Gate) {
        let short = Gate::new(&self.limits);
        let long = short.with_deadline(self.limits.long_deadline.0);
        (short, long)
    }

    /// Makes the door of `role` from its routes and its fallback: health beside them, and around all of it the host
    /// check and the trace.
    pub(crate) fn door(&self, role: Role, routes: Router, readiness: Readiness) -> Router {
        let tracer = Tracer { role, seams: self.seams.clone() };
        routes
            .merge(health::routes(role, readiness))
            .method_not_allowed_fallback(async || Error::Method)
            .layer(Extension(Arc::clone(&self.limits)))
            .layer(middleware::from_fn_with_state(Arc::clone(&self.limits), host::check))
            .layer(middleware::from_fn_with_state(tracer, trace::follow))
    }
}

/// What a role answers on a path that it does not know.
pub(crate) async fn no_route() -> Error {
    Error::NoRoute
}

/// `routes` behind `gate`.
pub(crate) fn gated(routes: Router, gate: Gate) -> Router {
    routes.route_layer(middleware::from_fn_with_state(gate, pass))
}
