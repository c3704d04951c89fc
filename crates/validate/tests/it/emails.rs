//! Messages: every rule at its edges.

use serde_json::{Value, json};
use validate::Kind;

use crate::{judged, word};

fn message(change: Value) -> Value {
    let mut message =
        json!({ "to": "ann@example.com", "body": "Hi Ann, a shift is open on Monday.", "subject": "A shift" });
    message.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    message
}

fn check(change: Value, expected: &str) {
    let outcome = judged(Kind::Email, message(change.clone()), None);
    assert_eq!(word(&outcome), expected, "{change}: {outcome:?}");
}

#[test]
fn members_have_their_forms() {
    for (change, expected) in [
        (json!({}), "ok"),
        (json!({ "to": null }), "Schema to"),
        (json!({ "to": "" }), "Schema to"),
        (json!({ "to": ["a@b.c"] }), "Schema to"),
        (json!({ "body": null }), "Schema body"),
        (json!({ "body": " \n" }), "Schema body"),
        (json!({ "body": 5 }), "Schema body"),
        (json!({ "to": "", "body": "" }), "Schema to"),
        (json!({ "subject": 5 }), "Schema subject"),
        (json!({ "subject": null }), "ok"),
        (json!({ "subject": "" }), "ok"),
        (json!({ "kind": "email" }), "ok"),
        (json!({ "kind": null }), "ok"),
        (json!({ "kind": "fax" }), "Schema kind"),
        (json!({ "kind": "SMS" }), "Schema kind"),
        (json!({ "_context": 1 }), "Schema _context"),
        (json!({ "_context": { "candidate_id": 1 } }), "Schema _context.candidate_id"),
        (json!({ "_context": { "candidate_id": "" } }), "Schema _context.candidate_id"),
    ] {
        check(change, expected);
    }
}

#[test]
fn lengths_count_characters() {
    for letter in ["x", "é", "東", "🚜"] {
        check(json!({ "kind": "sms", "body": letter.repeat(160) }), "ok");
        check(json!({ "kind": "sms", "body": letter.repeat(161) }), "Completeness");
        check(json!({ "kind": "email", "body": letter.repeat(161) }), "ok");
        check(json!({ "subject": letter.repeat(78) }), "ok");
        check(json!({ "subject": letter.repeat(79) }), "Completeness");
    }
}

#[test]
fn numbers_and_pay_are_not_told() {
    for what in ["subject", "body"] {
        for said in ["SSN 123-45-6789", "Pay is $21/hr", "a salary of $40,000", "$18 wage"] {
            check(json!({ what: said }), "Policy");
        }
        for said in
            ["Call 555-123-4567", "Parking is $5", "the salary is good", "1-800-555-12-3456", "+1 (419) 555-0100"]
        {
            check(json!({ what: said }), "ok");
        }
    }
    check(json!({ "to": "123-45-6789" }), "ok");
}

#[test]
fn the_one_addressed_is_the_candidate() {
    let to = |id: &str, body: &str, expected: &str| {
        let outcome = judged(Kind::Email, message(json!({ "body": body })), Some(json!({ "candidate_id": id })));
        assert_eq!(word(&outcome), expected, "{id} {body}: {outcome:?}");
    };
    to("w-1", "Hi Ann, a shift is open.", "ok");
    to("W-1", "Dear Ann Poe: a shift is open.", "ok");
    to("W-1", "A shift is open.", "ok");
    to("W-1", "Hi there, a shift is open.", "ok");
    to("W-1", "Hi Bob, a shift is open.", "Consistency");
    to("W-1", "Hi Ann Smith, a shift is open.", "Consistency");
    to("W-2", "Hello ZOË! A shift is open.", "ok");
    to("W-2", "Hello Zoe! A shift is open.", "Consistency");
    to("Ж-7", "Hi Bob, a shift is open.", "ok");
    to("W-9", "A shift is open.", "Consistency");
    to("W-3", "Hi Ann, are you back?", "ok");
}

/// Every pair of a broken rule with a later one: the earlier one is told.
#[test]
fn rules_go_in_their_order() {
    let broken = [
        (json!({ "to": "" }), "Schema to"),
        (json!({ "subject": 1 }), "Schema subject"),
        (json!({ "kind": "fax" }), "Schema kind"),
        (json!({ "subject": "y".repeat(79) }), "Completeness"),
        (json!({ "body": "123-45-6789" }), "Policy"),
        (json!({ "_context": { "candidate_id": "W-9" } }), "Consistency"),
    ];
    for (first, (one, expected)) in broken.iter().enumerate() {
        for (other, _) in &broken[first + 1..] {
            let mut both = other.clone();
            both.as_object_mut().unwrap().extend(one.as_object().unwrap().clone());
            check(both, expected);
        }
    }
}
