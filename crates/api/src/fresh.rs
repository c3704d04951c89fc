//! What the roles over the catalog share: when they are ready, and that they answer no older than a client has seen.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base::Facts;
use catalog::Catalog;

use crate::error::Result;
use crate::health::Readiness;
use crate::request::min_version;

/// A role over the catalog is ready when it can pin a version.
pub(crate) fn readiness(catalog: Catalog) -> Readiness {
    Readiness::new(move || {
        let catalog = catalog.clone();
        async move { Ok(catalog.pin(None).await.map(|_| Facts::new())?) }
    })
}

/// Catches up to the version that the request demands at least, so that a client reads its own writes.
pub(crate) async fn freshen(State(catalog): State<Catalog>, request: Request, next: Next) -> Result<Response> {
    if let Some(min) = min_version(request.headers())? {
        catalog.pin_at_least(min).await?;
    }
    Ok(next.run(request).await)
}
