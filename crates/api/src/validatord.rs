//! validatord: what language models propose is checked before it counts, and what happened is kept.

use axum::extract::{Request, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json as Wrapped, Router};
use base::{Facts, RequestId, Seams};
use catalog::Catalog;
use evidence::{Evidence, Line, StreamName};
use flows::{Iterate, Judgement, Validator};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::error::{Error, Result};
use crate::fresh::freshen;
use crate::health::Readiness;
use crate::request::{InPath, Json, Nothing, Params, json_at, json_lines, text, with_version};
use crate::role::Role;
use crate::run::InRun;
use crate::shared::{Shared, gated, no_route};
use crate::trace::TRACE_ID;

mod calls;
mod packs;
mod sessions;

use calls::{IterateCall, Part, TailCall, ValidateCall};

/// What the routes of this door share.
#[derive(Clone)]
struct Desk {
    iterate: Iterate,
    evidence: Evidence,
    seams: Seams,
}

impl Desk {
    fn catalog(&self) -> &Catalog {
        self.iterate.validator().rosters().query().catalog()
    }
}

/// The door of validatord over those who check and those who keep what happened. It is ready when the table of workers
/// can be a roster, or is not there at all, and every pack could judge.
pub fn validatord(iterate: Iterate, evidence: Evidence, shared: Shared) -> Router {
    let (short, long) = shared.gates();
    let validator = iterate.validator().clone();
    let readiness = Readiness::new(move || ready(validator.clone()));
    let desk = Desk { iterate, evidence, seams: shared.seams.clone() };
    let catalog = desk.catalog().clone();
    let quick = Router::new().route("/validate", post(validate)).route("/evidence/{stream}", get(tail).post(append));
    let slow = Router::new()
        .route("/iterate", post(run))
        .route("/validate/packs", get(packs::list).post(packs::put))
        .route("/validate/packs/dry_run", post(packs::try_out))
        .route("/validate/packs/{name}", delete(packs::remove));
    let fresh = middleware::from_fn_with_state(catalog, freshen);
    let [quick, slow] = [quick, slow].map(|routes| routes.route_layer(fresh.clone()).with_state(desk.clone()));
    let routes = gated(quick, short).merge(gated(slow, long)).fallback(no_route);
    shared.door(Role::Validatord, routes, readiness)
}

async fn ready(validator: Validator) -> Result<Facts, crate::health::Unready> {
    let (roster, version) = validator.ready().await?;
    let note = match roster.absent_table() {
        Some(table) => json!(format!("the lake has no table {table}: nobody exists")),
        None => json!({ "workers": roster.len(), "version": version }),
    };
    Ok(Facts::from_iter([("roster".to_owned(), note)]))
}

async fn validate(
    State(desk): State<Desk>,
    _: Params<Nothing>,
    run: InRun,
    Json(call): Json<ValidateCall>,
) -> Result<Response> {
    let step = run.step(call.trace_id(), Role::Validatord)?;
    let (artifact, as_of) = call.into_parts()?;
    let judged = desk.iterate.validator().validate(&artifact, as_of.as_ref(), step.as_ref()).await?;
    let Judgement { version, verdict, .. } = judged;
    Ok(match verdict {
        Ok(report) => json_at(version, &report),
        Err(error) => with_version(version, (StatusCode::UNPROCESSABLE_ENTITY, Wrapped(error)).into_response()),
    })
}

async fn run(
    State(desk): State<Desk>,
    _: Params<Nothing>,
    headers: HeaderMap,
    Json(call): Json<IterateCall>,
) -> Result<Response> {
    let asked = call.into_iteration(|| named(&headers, &desk.seams))?;
    let session = desk.iterate.iterate(asked).await?;
    Ok(with_version(session.version, sessions::answer(session)))
}

async fn tail(
    State(desk): State<Desk>,
    InPath(stream): InPath<String>,
    Params(call): Params<TailCall>,
) -> Result<Response> {
    let stream: StreamName = stream.parse()?;
    let tail = match call.part()? {
        Part::Last(count) => desk.evidence.last(&stream, count).await?,
        Part::After(fragment) => desk.evidence.after(&stream, fragment).await?,
    };
    Ok(Wrapped(tail).into_response())
}

/// The trace that the request is part of, or a new one.
fn named(headers: &HeaderMap, seams: &Seams) -> String {
    text(headers, &TRACE_ID).map_or_else(|| RequestId::mint(seams).to_string(), str::to_owned)
}

async fn append(
    State(desk): State<Desk>,
    InPath(stream): InPath<String>,
    _: Params<Nothing>,
    request: Request,
) -> Result<Response> {
    let stream: StreamName = stream.parse()?;
    let body = json_lines(request).await?;
    let text = std::str::from_utf8(&body).map_err(|_| Error::Body("it is not UTF-8".to_owned()))?;
    let appended = flows::streams::append(&desk.evidence, desk.catalog(), &stream, Line::read(text)?).await?;
    Ok((StatusCode::CREATED, Wrapped(appended)).into_response())
}
