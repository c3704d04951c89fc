use super::*;

fn check(method: Method, path: &str, expected: Scope) {
    assert_eq!(Scope::needed(&method, path), expected, "{method} {path}");
    assert_eq!(Scope::needed(&method, &format!("/v1{path}")), expected, "{method} /v1{path}");
}

#[test]
fn what_asks_needs_to_read() {
    for path in ["/storage/objects/a/b", "/catalog/list", "/vectors/index/x/items/y", "/metrics", "/nothing"] {
        check(Method::GET, path, Scope::Read);
        check(Method::HEAD, path, Scope::Read);
    }
    for path in ["/sql", "/embed", "/embeddings", "/chat", "/chat/completions", "/vectors/index/x/search", "/mcp"] {
        check(Method::POST, path, Scope::Read);
    }
    check(Method::DELETE, "/sql/01ARZ3NDEKTSV4RRFFQ69G5FAV", Scope::Read);
}

#[test]
fn what_changes_needs_to_write_and_so_does_what_nobody_knows() {
    for path in [
        "/ingest",
        "/catalog/register",
        "/vectors/index",
        "/vectors/index/x/add",
        "/vectors/index/x/add_text",
        "/vectors/index/x/delete",
        "/vectors/index/search",
        "/vectors/index/x/y/search",
        "/vectors/index/x/search/",
        "/sql/",
        "/sql/x",
        "/nothing",
        "/",
    ] {
        check(Method::POST, path, Scope::Write);
    }
    check(Method::PUT, "/storage/objects/a", Scope::Write);
    check(Method::DELETE, "/storage/objects/a", Scope::Write);
    check(Method::DELETE, "/vectors/index/x/items/y", Scope::Write);
    check(Method::DELETE, "/sql", Scope::Write);
    check(Method::PATCH, "/sql", Scope::Write);
}

#[test]
fn what_takes_away_from_everybody_needs_an_administrator() {
    check(Method::DELETE, "/catalog/datasets/t", Scope::Admin);
    check(Method::POST, "/catalog/rollback/t", Scope::Admin);
    check(Method::DELETE, "/vectors/index/x", Scope::Admin);
    check(Method::DELETE, "/iceberg/v1/namespaces/x", Scope::Admin);
    check(Method::DELETE, "/iceberg/v1/namespaces/x/tables/t", Scope::Admin);
    check(Method::POST, "/iceberg/v1/tables/rename", Scope::Admin);
    check(Method::POST, "/iceberg/v1/namespaces/x/tables/t", Scope::Write);
    check(Method::DELETE, "/catalog/tags/x", Scope::Write);
}
