use serde_json::{Value, json};

use super::Pack;

fn pack(assertion: Value) -> Pack {
    serde_json::from_value(json!({ "name": "p", "kind": "fill", "assertions": [assertion] })).unwrap()
}

fn assertion(params: Value) -> Value {
    json!({ "sql": "SELECT 1", "params": params, "error": "Policy", "reason": "no" })
}

#[test]
fn parameters_are_found_in_the_artifact() {
    let artifact = json!({ "fills": [{ "id": "a" }, { "id": "b" }], "_context": { "city": "Toledo" } });
    let values = |params: Value| pack(assertion(params)).assertions[0].values(artifact.as_object().unwrap()).unwrap();
    assert_eq!(values(json!([])), [Vec::<Value>::new()]);
    assert_eq!(values(json!(["/_context/city", "/none"])), [[json!("Toledo"), Value::Null]]);
    assert_eq!(values(json!(["/fills/*/id", "/_context/city"])), [["a", "Toledo"], ["b", "Toledo"]]);
    assert_eq!(values(json!(["/none/*/id"])).len(), 0);
    let long = json!({ "fills": vec![json!({ "id": "a" }); 101] });
    let refused = pack(assertion(json!(["/fills/*/id"]))).assertions[0].values(long.as_object().unwrap()).unwrap_err();
    assert_eq!(refused.to_string(), "Schema: fills: holds 101 items; a pack looks at 100 at most");
}

#[test]
fn parameters_are_named_as_findings_name_them() {
    let assertion = &pack(assertion(json!(["/fills/*/name", "/_context/city", "/q"]))).assertions[0];
    assert_eq!([0, 1, 2].map(|param| assertion.field(param, 7)), ["fills[7].name", "_context.city", "q"]);
}

#[test]
fn packs_that_could_not_judge_are_refused() {
    assert!(pack(assertion(json!(["/fills/*/id"]))).check().is_ok());
    for params in [json!(["fills"]), json!(["/a/*/b/*"])] {
        assert!(pack(assertion(params.clone())).check().is_err(), "{params}");
    }
    let refused = |pack: Value| serde_json::from_value::<Pack>(pack).unwrap().check().is_err();
    assert!(refused(json!({ "name": "p", "kind": "fill" })));
    assert!(refused(json!({ "name": "p q", "kind": "fill", "schema": {} })));
    assert!(refused(json!({ "name": "p", "kind": "fill", "schema": { "pattern": "a" } })));
}
