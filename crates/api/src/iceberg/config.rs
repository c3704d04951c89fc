//! What a client learns first: which routes there are, and how the files are reached.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use catalog::Catalog;
use serde_json::{Map, Value, json};
use storage::Server;

/// The routes that a client may use, as the protocol's description names them.
const ENDPOINTS: [&str; 20] = [
    "GET /v1/{prefix}/namespaces",
    "POST /v1/{prefix}/namespaces",
    "GET /v1/{prefix}/namespaces/{namespace}",
    "HEAD /v1/{prefix}/namespaces/{namespace}",
    "DELETE /v1/{prefix}/namespaces/{namespace}",
    "POST /v1/{prefix}/namespaces/{namespace}/properties",
    "GET /v1/{prefix}/namespaces/{namespace}/tables",
    "POST /v1/{prefix}/namespaces/{namespace}/tables",
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics",
    "POST /v1/{prefix}/namespaces/{namespace}/register",
    "POST /v1/{prefix}/tables/rename",
    "POST /v1/{prefix}/transactions/commit",
    "GET /v1/{prefix}/namespaces/{namespace}/views",
    "GET /v1/{prefix}/namespaces/{namespace}/views/{view}",
    "HEAD /v1/{prefix}/namespaces/{namespace}/views/{view}",
    "DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}",
];
/// For how long a key answers its first outcome.
const KEY_LIFETIME: &str = "PT24H";

/// There is one catalog behind these routes, so clients need no prefix, and any warehouse is this one. Credentials are
/// the client's own.
pub(super) async fn config(State(catalog): State<Catalog>) -> Response {
    let body = json!({
        "defaults": catalog.store().server().map(properties).unwrap_or_default(),
        "overrides": {},
        "endpoints": ENDPOINTS,
        "idempotency-key-lifetime": KEY_LIFETIME,
    });
    axum::Json(body).into_response()
}

/// How the server of a bucket is reached, in the words of most clients. Servers other than AWS take paths, not hosts,
/// for buckets.
fn properties(server: &Server) -> Map<String, Value> {
    let mut stated = Map::from_iter([
        ("s3.region".to_owned(), json!(server.region)),
        ("client.region".to_owned(), json!(server.region)),
    ]);
    if !server.endpoint.is_empty() {
        stated.insert("s3.endpoint".to_owned(), json!(server.endpoint));
        stated.insert("s3.path-style-access".to_owned(), json!("true"));
    }
    stated
}
