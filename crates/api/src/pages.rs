//! The pages about the codes of refusals, where the `type` of each refusal says that they are.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::error::{Error, Result};
use crate::request::{Nothing, Params, Rest};

/// Each code with its page, sorted.
const PAGES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// `/docs/errors/<code>`.
pub(crate) fn routes() -> Router {
    Router::new().route("/docs/errors/{code}", get(page))
}

async fn page(Rest(code): Rest, _: Params<Nothing>) -> Result<Response> {
    let page = PAGES.iter().find(|(known, _)| *known == code).map(|(_, page)| *page).ok_or(Error::NoRoute)?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("text/markdown; charset=utf-8"))], page).into_response())
}
