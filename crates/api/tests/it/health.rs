//! Health of every role, and what the gateway knows of those behind it.

use std::collections::BTreeMap;

use api::{Role, Upstream};

use crate::stack::{Stack, get};

#[tokio::test]
async fn every_role_is_alive_in_the_same_words() {
    let stack = Stack::open().await;
    for (role, door) in
        stack.doors.iter().map(|(role, door)| (*role, door.clone())).chain([(Role::Gateway, stack.gateway())])
    {
        for path in ["/health", "/livez"] {
            let answer = get(&door, path).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.text(), format!(r#"{{"status":"ok","service":"{role}"}}"#));
            assert_eq!(answer.header("content-type"), "application/json");
            assert!(!answer.headers.contains_key("x-request-id"), "health is never traced");
        }
    }
}

#[tokio::test]
async fn the_gateway_is_ready_when_every_role_is() {
    let stack = Stack::open().await;
    let ready = get(&stack.gateway(), "/readyz").await;
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert_eq!(ready.json()["roles"]["storaged"], "ready");
    assert_eq!(ready.json()["roles"].as_object().unwrap().len(), Role::ALL.len() - 1);
    assert_eq!(get(&stack.doors[&Role::Queryd], "/readyz").await.status, 200);
}

#[tokio::test]
async fn a_dead_role_is_named() {
    let stack = Stack::open().await;
    let dead = Upstream::parse(Role::Queryd, "http://127.0.0.1:1").unwrap();
    let here = Upstream::Here(stack.doors[&Role::Storaged].clone());
    let upstreams = BTreeMap::from([(Role::Queryd, dead), (Role::Storaged, here)]);
    let gateway = api::gateway(upstreams, stack.shared.clone()).unwrap();

    let ready = get(&gateway, "/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.header("retry-after"), "1");
    assert_eq!(ready.code(), "api.not_ready");
    assert_eq!(ready.json()["roles"], serde_json::json!({ "queryd": "not ready", "storaged": "ready" }));
    assert!(ready.json()["detail"].as_str().unwrap().contains("queryd"));

    let asked = crate::stack::sql(&gateway, "SELECT 1").await;
    assert_eq!((asked.status.as_u16(), asked.code().as_str()), (502, "api.upstream_unreachable"));
    assert_eq!(asked.json()["role"], "queryd");
    let unknown = get(&gateway, "/v1/catalog/list").await;
    assert_eq!((unknown.status.as_u16(), unknown.json()["role"].clone()), (502, "catalogd".into()));
}

#[test]
fn an_upstream_without_a_scheme_is_refused_by_its_key() {
    for wrong in ["127.0.0.1:3211", "localhost:3211", "storaged", "", "https://x", "ftp://x", "http://", "file:///x"] {
        let refused = Upstream::parse(Role::Storaged, wrong).err().unwrap_or_else(|| panic!("{wrong} was taken"));
        assert!(refused.to_string().starts_with("upstreams.storaged is "), "{refused}");
    }
}
