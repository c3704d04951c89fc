//! What every door is given.

use std::sync::Arc;

use axum::{Extension, Router, middleware};
use base::Seams;

use crate::auth::{self, Auth};
use crate::error::Error;
use crate::gate::{Gate, pass};
use crate::health::{self, Readiness};
use crate::host;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::pages;
use crate::role::Role;
use crate::trace::{self, Tracer};

/// Who stands in the log as author, as long as nobody says who they are.
pub(crate) const AUTHOR: &str = "anonymous";

/// The seams, the limits, who may ask, and what is counted. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Where time and chance enter.
    pub seams: Seams,
    /// What one request may cost.
    pub limits: Arc<Limits>,
    /// Who may ask.
    pub auth: Auth,
    /// What is counted.
    pub metrics: Metrics,
}

impl Shared {
    /// Seams and limits for a set of doors, which let everybody in and count for themselves.
    pub fn new(seams: Seams, limits: Limits) -> Self {
        Self { seams, limits: Arc::new(limits), auth: Auth::default(), metrics: Metrics::default() }
    }

    /// The same, asking who is there.
    #[must_use]
    pub fn with_auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    /// The same, counting with others.
    #[must_use]
    pub fn with_metrics(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// The gate of short requests and the one of uploads, loads and queries, with one set of places between them.
    pub(crate) fn gates(&self) -> (Gate, Gate) {
        let short = Gate::new(&self.limits);
        let long = short.with_deadline(self.limits.long_deadline.0);
        (short, long)
    }

    /// Makes the door of `role` from its routes and its fallback: health, metrics and the pages about
    /// refusals beside them, and around all of it
    /// the trace, the host check, and the question who asks.
    pub(crate) fn door(&self, role: Role, routes: Router, readiness: Readiness) -> Router {
        let tracer = Tracer { role, seams: self.seams.clone(), metrics: self.metrics.clone() };
        routes
            .merge(health::routes(role, readiness))
            .merge(self.metrics.routes())
            .merge(pages::routes())
            .method_not_allowed_fallback(async || Error::Method)
            .layer(Extension(Arc::clone(&self.limits)))
            .layer(middleware::from_fn_with_state(self.auth.clone(), auth::check))
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
