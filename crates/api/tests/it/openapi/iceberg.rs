//! The routes of Iceberg's protocol. What they read and answer is described in full by the protocol itself.

use serde_json::{Value, json};

use super::document::{Route, number, route, text};

const SPACE: &str = "/iceberg/v1/namespaces/{namespace}";
const TABLE: &str = "/iceberg/v1/namespaces/{namespace}/tables/{table}";
const VIEW: &str = "/iceberg/v1/namespaces/{namespace}/views/{view}";
const KEY: &str = "Answers a repeated request as the first one was, for a day.";

/// Every route of the protocol.
pub fn all() -> Vec<Route> {
    [namespaces(), tables(), commits()].into_iter().flatten().map(Route::of_iceberg).collect()
}

/// The schema of a refusal.
pub fn refusal() -> Value {
    let members = json!({
        "message": { "type": "string" }, "type": { "type": "string" }, "code": { "type": "integer" },
    });
    let error = json!({ "type": "object", "properties": members, "required": ["message", "type", "code"] });
    json!({ "type": "object", "properties": { "error": error }, "required": ["error"] })
}

fn get(path: &'static str, summary: &'static str) -> Route {
    route("GET", path, "iceberg", summary)
}

fn object() -> Value {
    json!({ "type": "object" })
}

fn post(path: &'static str, summary: &'static str) -> Route {
    let route = route("POST", path, "iceberg", summary).reads("application/json", object());
    route.header("Idempotency-Key", KEY).refused(&[404, 409, 422])
}

fn delete(path: &'static str, summary: &'static str) -> Route {
    let route = route("DELETE", path, "iceberg", summary).header("Idempotency-Key", KEY);
    route.refused(&[404, 409, 422]).gives_nothing(204, "It is gone.")
}

fn told(route: Route, says: &'static str) -> Route {
    route.gives(200, says, "application/json", object())
}

fn paged(route: Route) -> Route {
    let token = "The `next-page-token` of the page before, or nothing for the first page; all names when absent.";
    let route = route.query("pageToken", text(), token).query("pageSize", number(), "Most names on the page.");
    route.refused(&[404])
}

fn namespaces() -> Vec<Route> {
    let list = get("/iceberg/v1/namespaces", "The namespaces, `default` first.");
    let list = list.query("parent", text(), "A namespace; there are none within it.");
    vec![
        told(get("/iceberg/v1/config", "How a client of Iceberg's REST protocol is set up."), "The settings."),
        told(paged(list), "The namespaces."),
        told(post("/iceberg/v1/namespaces", "Create a namespace."), "The namespace."),
        told(get(SPACE, "A namespace.").refused(&[404]), "The namespace."),
        delete(SPACE, "Drop an empty namespace."),
        told(
            post("/iceberg/v1/namespaces/{namespace}/properties", "Change a namespace's properties."),
            "What came of it.",
        ),
        told(paged(get("/iceberg/v1/namespaces/{namespace}/views", "No views.")), "An empty list."),
        get(VIEW, "No view.").refused(&[404]),
        route("DELETE", VIEW, "iceberg", "No view.").refused(&[404]),
    ]
}

fn tables() -> Vec<Route> {
    let list = get("/iceberg/v1/namespaces/{namespace}/tables", "The tables of a namespace.");
    let load = get(TABLE, "A table with its whole metadata.").refused(&[404, 409]);
    let load = load.query("snapshots", text(), "`all` or `refs`; all are told.");
    let load = load.header("If-None-Match", "The entity tag that is known: 304 when it is current.");
    let drop = delete(TABLE, "Drop a table. Its files stay for the versions that know it.");
    let done = |route: Route| route.gives_nothing(204, "It is done.");
    vec![
        told(paged(list), "Their names."),
        told(post("/iceberg/v1/namespaces/{namespace}/tables", "Create a table, or stage one."), "The table."),
        told(load, "The table.").gives_nothing(304, "It is the one that is known."),
        drop.query("purgeRequested", text(), "`true` or `false`; nothing is purged."),
        told(
            post("/iceberg/v1/namespaces/{namespace}/register", "Make a metadata file of the lake a table."),
            "The table.",
        ),
        done(post("/iceberg/v1/tables/rename", "Rename a table.")),
        done(post("/iceberg/v1/namespaces/{namespace}/tables/{table}/metrics", "Report on a scan or a commit.")),
    ]
}

fn commits() -> Vec<Route> {
    let all = post("/iceberg/v1/transactions/commit", "Commit changes of many tables, all or none.");
    vec![
        told(post(TABLE, "Commit changes of a table, if it is as they require."), "The table."),
        all.gives_nothing(204, "It is done."),
    ]
}
