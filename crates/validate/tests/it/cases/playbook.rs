//! Playbooks: every form of each member with every form of the others.

use serde_json::{Value, json};
use validate::Kind;

use super::{Cases, LEAST, counts, empty_texts, no_texts, object, says};

/// What the rules say of a playbook, read once more.
fn expected(playbook: &Value) -> String {
    let operation = playbook.get("operation").and_then(Value::as_str);
    if operation.is_none_or(|operation| operation.get(..5) != Some("fill:")) {
        return "Schema operation".to_owned();
    }
    let Some(names) = playbook.get("endorsed_names").and_then(Value::as_array) else {
        return "Schema endorsed_names".to_owned();
    };
    if names.is_empty() {
        return "Completeness".to_owned();
    }
    for (at, name) in names.iter().enumerate() {
        if !says(Some(name)) {
            return format!("Schema endorsed_names[{at}]");
        }
    }
    let Some(target) = counts(playbook.get("target_count")) else { return "Schema target_count".to_owned() };
    if names.len() as u128 > u128::from(target) * 2 {
        return "Completeness".to_owned();
    }
    if says(playbook.get("fingerprint")) { "ok".to_owned() } else { "Schema fingerprint".to_owned() }
}

#[test]
fn every_form_of_a_playbook_has_its_answer() {
    let mut operations = vec![Some(json!("fill: welder x1")), Some(json!("fill:")), Some(json!("fill:東京"))];
    operations.extend(["FILL: x", " fill: x", "fil", "sms_draft: hello"].map(|text| Some(json!(text))));
    let mut names = vec![Some(json!([])), Some(json!("Ann Poe")), Some(json!({})), None, Some(Value::Null)];
    for list in [json!(["Ann Poe"]), json!(["Zoë Ångström", "東京 太郎"]), json!(["A", "A", "A"]), json!(["A", ""])]
    {
        names.push(Some(list));
    }
    let mut targets: Vec<Option<Value>> = vec![None, Some(Value::Null)];
    for target in [json!(0), json!(1), json!(2), json!(u64::MAX), json!(-1), json!(1.5), json!(1.0), json!("1")] {
        targets.push(Some(target));
    }
    let mut prints: Vec<Option<Value>> = no_texts();
    prints.extend(empty_texts().map(Some));
    prints.push(Some(json!("f1")));
    let mut cases = Cases::of(Kind::Playbook);
    for operation in operations.iter().chain(&no_texts()) {
        for names in &names {
            for target in &targets {
                for print in &prints {
                    let members = [("operation", operation), ("endorsed_names", names), ("target_count", target)];
                    let members = members.into_iter().chain([("fingerprint", print)]);
                    let playbook = object(members.map(|(name, value)| (name, value.clone())));
                    cases.check(&playbook, None, &expected(&playbook));
                }
            }
        }
    }
    assert!(cases.count() >= LEAST, "{} cases", cases.count());
}

#[test]
fn playbooks_by_hand() {
    let mut cases = Cases::of(Kind::Playbook);
    let mut check = |change: Value, beside: Option<Value>, expected: &str| {
        let mut playbook =
            json!({ "operation": "fill: x", "endorsed_names": ["Ann Poe"], "target_count": 1, "fingerprint": "f1" });
        playbook.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        cases.check(&playbook, beside.as_ref(), expected);
    };
    check(json!({ "endorsed_names": ["A", "B"] }), None, "ok");
    check(json!({ "endorsed_names": ["A", "B", "C"] }), None, "Completeness");
    check(json!({ "endorsed_names": ["A", "B", "C"], "target_count": "2" }), None, "Schema target_count");
    check(json!({ "endorsed_names": ["O'Brien", "Nguyễn Thị Minh", "👷🏽‍♀️"], "target_count": 2 }), None, "ok");
    check(json!({ "endorsed_names": [["Ann"]] }), None, "Schema endorsed_names[0]");
    check(json!({ "endorsed_names": ["Ann", null] }), None, "Schema endorsed_names[1]");
    check(json!({ "fingerprint": "東京" }), None, "ok");
    check(json!({ "more": { "deep": [1, 2] } }), None, "ok");
    // What a contract says is nothing to a playbook, wherever it stands.
    check(json!({ "_context": { "target_count": 9 } }), None, "ok");
    check(json!({ "target_count": null, "_context": { "target_count": 9 } }), None, "Schema target_count");
    check(json!({ "_context": 7 }), Some(json!({ "target_count": "many" })), "ok");
    check(json!({ "target_count": 9_007_199_254_740_993_u64 }), None, "ok");
}
