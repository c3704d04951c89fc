//! Fills: every rule, every order of two broken rules, and ten thousand random ones against a second reading of the rules.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use validate::{Artifact, Kind, is_grounded, judge};

use crate::{judged, roster, word};

fn check(fills: Value, context: Value, expected: &str) {
    let outcome = judged(Kind::Fill, json!({ "fills": fills }), Some(context.clone()));
    assert_eq!(word(&outcome), expected, "{fills} in {context}: {outcome:?}");
}

fn one(id: &str) -> Value {
    json!([{ "candidate_id": id, "name": "Ann Poe" }])
}

#[test]
fn entries_have_an_id_and_a_name() {
    let context = json!({ "target_count": 1 });
    for (fills, expected) in [
        (Value::Null, "Schema fills"),
        (json!({}), "Schema fills"),
        (json!("W-1"), "Schema fills"),
        (json!(["W-1"]), "Schema fills[0]"),
        (json!([null]), "Schema fills[0]"),
        (json!([{}]), "Schema fills[0].candidate_id"),
        (json!([{ "candidate_id": "", "name": "x" }]), "Schema fills[0].candidate_id"),
        (json!([{ "candidate_id": "  ", "name": "x" }]), "Schema fills[0].candidate_id"),
        (json!([{ "candidate_id": 1, "name": "x" }]), "Schema fills[0].candidate_id"),
        (json!([{ "candidate_id": null, "name": "x" }]), "Schema fills[0].candidate_id"),
        (json!([{ "candidate_id": "W-1" }]), "Schema fills[0].name"),
        (json!([{ "candidate_id": "W-1", "name": "" }]), "Schema fills[0].name"),
        (json!([{ "candidate_id": "W-1", "name": ["Ann"] }]), "Schema fills[0].name"),
        (json!([{ "candidate_id": "W-1", "name": "Ann Poe" }, { "name": "x" }]), "Schema fills[1].candidate_id"),
        (json!([{ "candidate_id": "W-1", "name": "Ann Poe", "why": "near" }]), "ok"),
    ] {
        check(fills, context.clone(), expected);
    }
    assert_eq!(word(&judged(Kind::Fill, json!({}), Some(context))), "Schema fills");
}

#[test]
fn the_count_is_a_number_and_holds() {
    for (count, expected) in [
        (json!(1), "ok"),
        (json!(0), "Completeness"),
        (json!(2), "Completeness"),
        (json!(u64::MAX), "Completeness"),
        (json!(-1), "Schema _context.target_count"),
        (json!(1.5), "Schema _context.target_count"),
        (json!("1"), "Schema _context.target_count"),
        (json!([1]), "Schema _context.target_count"),
        (Value::Null, "Schema _context.target_count"),
    ] {
        check(one("W-1"), json!({ "target_count": count }), expected);
    }
    check(one("W-1"), json!({}), "Schema _context.target_count");
    check(json!([]), json!({ "target_count": 0 }), "ok");
    assert_eq!(word(&judged(Kind::Fill, json!({ "fills": one("W-1") }), None)), "Schema _context.target_count");
}

#[test]
fn a_context_beside_the_artifact_takes_the_place_of_one_inside() {
    let inside = |context: Value| json!({ "fills": one("W-1"), "_context": context });
    assert_eq!(word(&judged(Kind::Fill, inside(json!({ "target_count": 1 })), None)), "ok");
    let both =
        judged(Kind::Fill, inside(json!({ "target_count": 9, "city": "Lima" })), Some(json!({ "target_count": 1 })));
    assert_eq!(word(&both), "ok");
    assert_eq!(word(&judged(Kind::Fill, inside(json!([])), None)), "Schema _context");
    // Twice in one text: the last one is read, as everywhere in JSON.
    let twice = r#"{"fills": [{"candidate_id": "W-1", "name": "Ann Poe"}],
        "_context": {"target_count": 5}, "_context": {"target_count": 1}}"#;
    assert_eq!(word(&judged(Kind::Fill, serde_json::from_str(twice).unwrap(), None)), "ok");
}

#[test]
fn each_worker_is_looked_at() {
    let context = |more: Value| {
        let mut context = json!({ "target_count": 1 });
        context.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        context
    };
    let (note, name) = ("ok fills[0].candidate_id", "ok fills[0].name");
    for (id, more, expected) in [
        ("w-1", json!({}), "ok"),
        ("W-2", json!({}), name),
        ("ж-7", json!({}), "ok"),
        ("W-9", json!({}), "Consistency"),
        ("W-1 ", json!({}), "Consistency"),
        ("W-3", json!({}), "Consistency"),
        ("W-5", json!({}), "Consistency"),
        ("W-6", json!({}), "Consistency"),
        ("W-4", json!({}), "ok"),
        ("W-4", json!({ "city": "Toledo" }), note),
        ("W-4", json!({ "client_id": "C-7" }), note),
        ("W-1", json!({ "city": "TOLEDO", "state": "oh", "role": "welder" }), "ok"),
        ("W-1", json!({ "city": "Lima" }), "Consistency"),
        ("W-1", json!({ "state": "MI" }), "Consistency"),
        ("W-1", json!({ "role": "Baker" }), "Consistency"),
        ("W-1", json!({ "client_id": "c-7" }), "Policy"),
        ("W-1", json!({ "client_id": "C-8" }), "Policy"),
        ("W-1", json!({ "client_id": "C-9" }), "ok"),
        ("W-1", json!({ "client_id": "C-7; C-8" }), "ok"),
        ("W-2", json!({ "client_id": "C-7" }), name),
        ("W-1", json!({ "city": null, "client_id": null }), "ok"),
        ("W-1", json!({ "city": 7 }), "Schema _context.city"),
        ("W-1", json!({ "role": "" }), "Schema _context.role"),
        ("W-1", json!({ "client_id": 7 }), "Schema _context.client_id"),
    ] {
        check(one(id), context(more), expected);
    }
}

#[test]
fn of_two_broken_rules_the_first_is_told() {
    let fills = |ids: [&str; 2]| json!(ids.map(|id| json!({ "candidate_id": id, "name": "Ann Poe" })));
    let reason = |ids, context: Value| {
        let error = judged(Kind::Fill, json!({ "fills": fills(ids) }), Some(context)).unwrap_err();
        format!("{error}")
    };
    let two = json!({ "target_count": 2, "city": "Lima", "client_id": "C-7" });
    assert!(reason(["W-3", "w-3"], two.clone()).contains("a second time"));
    assert!(reason(["W-3", "W-9"], two.clone()).contains("\"W-9\" does not exist in the worker roster"));
    assert!(reason(["W-1", "W-3"], two.clone()).contains("W-3 is not active"));
    assert!(reason(["W-1", "W-2"], two.clone()).contains("\"Toledo\", the contract wants \"Lima\""));
    assert!(reason(["W-1", "W-9"], json!({ "target_count": 3 })).starts_with("Completeness"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// What counts names existing, active people in the right place, each once, and as many as were wanted.
    #[test]
    fn what_is_accepted_is_grounded(
        ids in prop::collection::vec(prop::sample::select(vec!["W-1", "w-1", "W-2", "W-3", "W-4", "W-5", "W-6", "W-9", ""]), 0..4),
        target in 0..4_u64,
        city in prop::sample::select(vec![None, Some("Toledo"), Some("Lima")]),
        client in prop::sample::select(vec![None, Some("C-7"), Some("C-1")]),
    ) {
        let fills: Vec<Value> = ids.iter().map(|id| json!({ "candidate_id": id, "name": "Ann Poe" })).collect();
        let context = json!({ "target_count": target, "city": city, "client_id": client });
        let members = json!({ "fills": fills }).as_object().cloned().unwrap();
        let artifact = Artifact::new(Kind::Fill, members, context.as_object().cloned());
        let roster = roster();
        let accepted = judge(&artifact, &roster).is_ok();
        let folded: HashSet<String> = ids.iter().map(|id| id.to_lowercase()).collect();
        let right = |id: &&str| match id.to_lowercase().as_str() {
            "w-1" => city != Some("Lima") && client != Some("C-7"),
            "w-2" => city != Some("Lima"),
            "w-4" => true,
            _ => false,
        };
        let expected = folded.len() == ids.len() && ids.len() as u64 == target && ids.iter().all(right);
        prop_assert_eq!(accepted, expected, "{:?} {:?}", ids, context);
        prop_assert!(!accepted || is_grounded(&artifact, &roster) == Some(true));
    }
}
