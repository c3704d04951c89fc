//! ingestd: a file in, one commit.

use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName};
use ingest::{Format, Ingest, Origin, Outcome, Phase, Progress};
use serde::Deserialize;
use serde_json::json;

use crate::accept;
use crate::error::{Error, Refusal, Result};
use crate::events;
use crate::fresh::readiness;
use crate::request::{Json, Params, declared_length, json_at, limits_of, media_type, text};
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
    let telling = accept::best(request.headers(), &FORMS).unwrap_or(Telling::AtItsEnd);
    let (headers, limits) = (request.headers().clone(), limits_of(&request));
    let progress = progress.map(|Extension(progress)| progress).unwrap_or_default();
    let work = begin(ingest, asked, request, progress.clone()).await?;
    match telling {
        Telling::AtItsEnd => work.await.map(|outcome| json_at(outcome.version, &outcome)),
        Telling::AsItGoes => Ok(events::tell(work, move || far(&progress), &limits, &headers)),
    }
}

/// When a load is told of.
#[derive(Debug, Clone, Copy)]
enum Telling {
    AtItsEnd,
    AsItGoes,
}

const FORMS: [(&str, Telling); 2] = [("application/json", Telling::AtItsEnd), (events::MEDIA_TYPE, Telling::AsItGoes)];

/// How far a load is, as JSON.
fn far(progress: &Progress) -> String {
    let bytes = match progress.phase() {
        Phase::Receiving => progress.bytes_received(),
        _ => progress.bytes_read(),
    };
    let (phase, rows) = (progress.phase().as_str(), progress.rows());
    match progress.bytes_expected() {
        Some(total) => json!({ "phase": phase, "bytes": bytes, "rows": rows, "total": total }),
        None => json!({ "phase": phase, "bytes": bytes, "rows": rows }),
    }
    .to_string()
}

/// The load of what the request brings, or names.
async fn begin(ingest: Ingest, asked: ingest::Request, request: Request, progress: Progress) -> Result<Load> {
    if media_type(request.headers()) == SOURCE {
        let Json(call): Json<SourceCall> = Json::from_request(request, &()).await?;
        let origin = call.origin()?;
        return Ok(async move { Ok(ingest.load_from(asked, origin, &progress).await?) }.boxed());
    }
    if let Some(length) = declared_length(request.headers()) {
        progress.expect(length);
    }
    let upload = Upload::open(request, ingest.upload_limit()).await?;
    let (refused, pieces) = upload.into_stream();
    let work = async move {
        let loaded = ingest.load(asked, pieces, &progress).await;
        loaded.map_err(|why| refused.take().map_or_else(|| Refusal::from(why), Refusal::from))
    };
    Ok(work.boxed())
}

type Load = BoxFuture<'static, Result<Outcome>>;

/// The content type of a body that names a source.
const SOURCE: &str = "application/vnd.lakehouse.source+json";

/// Where the rows come from when the request does not bring them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceCall {
    path: Option<String>,
    object: Option<String>,
    postgres: Option<String>,
    query: Option<String>,
}

impl SourceCall {
    fn origin(self) -> Result<Origin, Error> {
        match (self.path, self.object, self.postgres, self.query) {
            (Some(path), None, None, None) => Ok(Origin::Path(path)),
            (None, Some(key), None, None) => Ok(Origin::Object(key)),
            (None, None, Some(database), Some(query)) => Ok(Origin::Postgres { database, query }),
            _ => Err(Error::Body("it names one source: `path`, `object`, or `postgres` with `query`".to_owned())),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    name: Option<String>,
    mode: Option<String>,
    on_error: Option<String>,
    format: Option<String>,
    encoding: Option<String>,
    delimiter: Option<String>,
    evolve: Option<String>,
    seal: Option<String>,
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
        if let Some(evolve) = self.evolve {
            request.evolve = evolve.parse()?;
        }
        request.stated.format = self.format.map(|format| format.parse()).transpose()?;
        request.stated.media = Format::of_media_type(&media_type(headers));
        let seal = self.seal.iter().flat_map(|names| names.split(','));
        request.seal = seal.map(str::parse).collect::<Result<_, _>>().map_err(Error::from)?;
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
    let rule = "it holds 1 to 255 visible ASCII characters, and no space";
    let is_visible = |key: &&str| key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = text(headers, &IDEMPOTENCY_KEY).filter(|key| (1..=MAX_KEY).contains(&key.len())).filter(is_visible);
    key.map(|key| Some(key.to_owned())).ok_or(Error::Header { name: "Idempotency-Key", rule })
}
