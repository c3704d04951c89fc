//! Playbooks: every rule at its edges, and every count of names against every target.

use serde_json::{Value, json};
use validate::Kind;

use crate::{judged, word};

fn check(change: Value, expected: &str) {
    let mut playbook = json!({ "operation": "fill: welder x1", "endorsed_names": ["Ann Poe"], "target_count": 1, "fingerprint": "f1" });
    playbook.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let outcome = judged(Kind::Playbook, playbook, None);
    assert_eq!(word(&outcome), expected, "{change}: {outcome:?}");
}

#[test]
fn members_have_their_forms() {
    for (change, expected) in [
        (json!({}), "ok"),
        (json!({ "operation": "fill:" }), "ok"),
        (json!({ "operation": "Fill: x" }), "Schema operation"),
        (json!({ "operation": " fill: x" }), "Schema operation"),
        (json!({ "operation": "sms_draft: hello" }), "Schema operation"),
        (json!({ "operation": "" }), "Schema operation"),
        (json!({ "operation": null }), "Schema operation"),
        (json!({ "operation": ["fill: x"] }), "Schema operation"),
        (json!({ "endorsed_names": [] }), "Completeness"),
        (json!({ "endorsed_names": null }), "Schema endorsed_names"),
        (json!({ "endorsed_names": "Ann" }), "Schema endorsed_names"),
        (json!({ "endorsed_names": [1] }), "Schema endorsed_names[0]"),
        (json!({ "endorsed_names": ["Ann", " "] }), "Schema endorsed_names[1]"),
        (json!({ "endorsed_names": ["Zoë Ångström", "東京 太郎"] }), "ok"),
        (json!({ "target_count": null }), "Schema target_count"),
        (json!({ "target_count": "1" }), "Schema target_count"),
        (json!({ "target_count": -1 }), "Schema target_count"),
        (json!({ "target_count": 0 }), "Completeness"),
        (json!({ "fingerprint": null }), "Schema fingerprint"),
        (json!({ "fingerprint": "" }), "Schema fingerprint"),
        (json!({ "fingerprint": 7 }), "Schema fingerprint"),
        (json!({ "operation": "x", "fingerprint": null }), "Schema operation"),
        (json!({ "endorsed_names": [], "fingerprint": null }), "Completeness"),
    ] {
        check(change, expected);
    }
    let quoted = judged(Kind::Playbook, json!({ "operation": "sms_draft: hello" }), None).unwrap_err();
    assert!(quoted.reason().contains("sms_draft: hello"), "{quoted}");
}

#[test]
fn names_are_at_most_two_for_each_place() {
    for target in 0..16_u64 {
        for names in 1..20_u64 {
            let expected = if names <= target * 2 { "ok" } else { "Completeness" };
            check(json!({ "target_count": target, "endorsed_names": vec!["Ann Poe"; names as usize] }), expected);
        }
    }
    let error = judged(
        Kind::Playbook,
        json!({ "operation": "fill: x", "endorsed_names": ["A", "B", "C"], "target_count": 1, "fingerprint": "f" }),
        None,
    );
    let reason = error.unwrap_err().reason().to_owned();
    assert!(reason.contains('3') && reason.contains("= 2"), "{reason}");
    check(json!({ "target_count": u64::MAX }), "ok");
}
