//! ingestd: a file in, one commit.

use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use http::{HeaderMap, HeaderName};
use ingest::{Ingest, Progress};
use serde::Deserialize;

use crate::error::{Error, Refusal, Result};
use crate::fresh::readiness;
use crate::request::{Params, json_at, text};
use crate::role::Role;
use crate::shared::{AUTHOR, Shared, gated, no_route};
use crate::upload::Upload;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest idempotency key, in bytes: it is kept in the log.
const MAX_KEY: usize = 255;

/// The door of ingestd over an ingest.
pub fn ingestd(ingest: Ingest, shared: Shared) -> Router {
    let (_, long) = shared.gates();
    let readiness = readiness(ingest.catalog().clone());
    let routes = Router::new().route("/ingest", post(load)).with_state(ingest);
    shared.door(Role::Ingestd, gated(routes, long).fallback(no_route), readiness)
}

/// Whoever calls from this process may watch the load by laying its own `Progress` over the request.
async fn load(
    State(ingest): State<Ingest>,
    Params(asked): Params<Asked>,
    progress: Option<Extension<Progress>>,
    request: Request,
) -> Result<Response> {
    let asked = asked.request(request.headers())?;
    let upload = Upload::open(request, ingest.upload_limit()).await?;
    let progress = progress.map(|Extension(progress)| progress).unwrap_or_default();
    let (refused, pieces) = upload.into_stream();
    let loaded = ingest.load(asked, pieces, &progress).await;
    let outcome = loaded.map_err(|why| refused.take().map_or_else(|| Refusal::from(why), Refusal::from))?;
    Ok(json_at(outcome.version, &outcome))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    name: Option<String>,
    mode: Option<String>,
    on_error: Option<String>,
    encoding: Option<String>,
    delimiter: Option<String>,
    evolve: Option<Evolve>,
}

/// What a file may do to the columns of a table.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Evolve {
    /// Nothing: another column is drift.
    None,
}

impl Asked {
    fn request(self, headers: &HeaderMap) -> Result<ingest::Request> {
        let missing = || Error::Parameter("the parameter `name` is missing: it names the dataset".to_owned());
        let name = self.name.ok_or_else(missing)?.parse().map_err(Error::from)?;
        let mut request = ingest::Request::new(name);
        if let Some(mode) = self.mode {
            request.mode = mode.parse().map_err(Error::Parameter)?;
        }
        if let Some(on_error) = self.on_error {
            request.on_error = on_error.parse()?;
        }
        let _only_none: Option<Evolve> = self.evolve;
        request.encoding = self.encoding;
        request.delimiter = self.delimiter;
        request.author = AUTHOR.to_owned();
        request.idempotency_key = idempotency_key(headers)?;
        Ok(request)
    }
}

/// The key under which a retry answers the first outcome.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Error> {
    if !headers.contains_key(IDEMPOTENCY_KEY) {
        return Ok(None);
    }
    let rule = "it holds 1 to 255 visible ASCII characters";
    let key = text(headers, &IDEMPOTENCY_KEY).filter(|key| (1..=MAX_KEY).contains(&key.len()));
    key.map(|key| Some(key.to_owned())).ok_or(Error::Header { name: "Idempotency-Key", rule })
}
