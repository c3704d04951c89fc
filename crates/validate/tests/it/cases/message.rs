//! Messages: every form of each member with every form of the others, what they tell, and whom they address.

use serde_json::{Value, json};
use validate::Kind;

use super::{Cases, LEAST, object, says};

const WORDS_FOR_PAY: [&str; 12] = [
    "salary",
    "salaries",
    "wage",
    "wages",
    "pay",
    "pays",
    "paid",
    "paying",
    "compensation",
    "hourly",
    "stipend",
    "rate",
];

/// Whether a text holds the form of a social security number: what is left of a run of digits and single hyphens
/// without the hyphens at its ends is just that.
fn holds_ssn(text: &str) -> bool {
    let is_form = |run: &str| {
        let parts: Vec<usize> = run.split('-').map(str::len).collect();
        parts == [3, 2, 4]
    };
    let runs = text.split(|letter: char| !(letter.is_ascii_digit() || letter == '-'));
    runs.flat_map(|run| run.split("--")).any(|run| is_form(run.trim_matches('-')))
}

/// Whether any word for pay and any amount have at most forty characters between them.
fn tells_pay(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let run = |begin: usize, belongs: fn(&char) -> bool| letters[begin..].iter().take_while(|c| belongs(c)).count();
    let mut amounts = Vec::new();
    for begin in (0..letters.len()).filter(|at| letters[*at] == '$') {
        let number = begin + 1 + run(begin + 1, |c| *c == ' ');
        if letters.get(number).is_some_and(char::is_ascii_digit) {
            amounts.push((begin, number + run(number, |c| c.is_ascii_digit() || matches!(c, ',' | '.'))));
        }
    }
    let begins = |at: usize| at == 0 || !letters[at - 1].is_alphanumeric() || amounts.iter().any(|(_, end)| *end == at);
    let mut words = Vec::new();
    for begin in (0..letters.len()).filter(|at| letters[*at].is_alphanumeric() && begins(*at)) {
        let end = begin + run(begin, |c| c.is_alphanumeric());
        let word = letters[begin..end].iter().collect::<String>().to_lowercase();
        if WORDS_FOR_PAY.contains(&word.as_str()) {
            words.push((begin, end));
        }
    }
    let gap = |one: (usize, usize), other: (usize, usize)| one.0.max(other.0).saturating_sub(one.1.min(other.1));
    words.iter().any(|word| amounts.iter().any(|amount| gap(*word, *amount) <= 40))
}

/// What the rules say of a message, read once more. Whom it addresses is not looked at here.
fn expected(message: &Value) -> &'static str {
    let text = |name: &str| message.get(name).filter(|value| !value.is_null());
    let context = message.get("_context").filter(|value| !value.is_null());
    let candidate = context.and_then(|context| context.get("candidate_id")).filter(|value| !value.is_null());
    let is_sms = text("kind").is_some_and(|kind| kind == "sms");
    let length = |name: &str| text(name).and_then(Value::as_str).map_or(0, |text| text.chars().count());
    let tells = |name: &str| text(name).and_then(Value::as_str).is_some_and(|text| holds_ssn(text) || tells_pay(text));
    let exists = |id: &str| ["w-1", "w-2", "w-3", "w-4", "w-5", "w-6", "ж-7"].contains(&id.to_lowercase().as_str());
    let rules: [(&str, bool); 10] = [
        ("Schema to", !says(text("to"))),
        ("Schema body", !says(text("body"))),
        ("Schema subject", text("subject").is_some_and(|subject| !subject.is_string())),
        ("Schema kind", text("kind").is_some_and(|kind| kind != "sms" && kind != "email")),
        ("Schema _context", context.is_some_and(|context| !context.is_object())),
        ("Schema _context.candidate_id", candidate.is_some() && !says(candidate)),
        ("Completeness", is_sms && length("body") > 160),
        ("Completeness", length("subject") > 78),
        ("Policy", tells("subject") || tells("body")),
        ("Consistency", candidate.and_then(Value::as_str).is_some_and(|id| !exists(id))),
    ];
    rules.into_iter().find(|(_, is_broken)| *is_broken).map_or("ok", |(word, _)| word)
}

#[test]
fn every_form_of_a_message_has_its_answer() {
    let some = |values: Vec<Value>| values.into_iter().map(Some).chain([None]).collect::<Vec<_>>();
    let (long, longer) = ("é".repeat(160), "é".repeat(161));
    let recipients = some(vec![json!("ann@example.com"), json!(""), json!(5), Value::Null]);
    let bodies = some(vec![
        json!("A shift is open."),
        json!(long),
        json!(longer),
        json!("  "),
        json!(["A shift"]),
        json!("Your number 123-45-6789 is on file."),
        json!("The pay is $21.50/hr."),
        json!("Call 419-555-0100; parking costs $5."),
    ]);
    let subjects =
        some(vec![json!(""), json!("東".repeat(78)), json!("東".repeat(79)), json!(7), json!("$900 salary")]);
    let kinds = some(vec![json!("sms"), json!("email"), json!("fax"), json!("SMS")]);
    let contexts = some(vec![
        json!({}),
        json!("W-1"),
        json!({ "candidate_id": "w-1" }),
        json!({ "candidate_id": "W-9" }),
        json!({ "candidate_id": 1 }),
        json!({ "candidate_id": "" }),
        json!({ "candidate_id": null, "target_count": "x" }),
    ]);
    let mut cases = Cases::of(Kind::Email);
    for to in &recipients {
        for body in &bodies {
            for subject in &subjects {
                for kind in &kinds {
                    for context in &contexts {
                        let members = [("to", to), ("body", body), ("subject", subject), ("kind", kind)];
                        let members = members.into_iter().chain([("_context", context)]);
                        let message = object(members.map(|(name, value)| (name, value.clone())));
                        cases.check(&message, None, expected(&message));
                    }
                }
            }
        }
    }
    assert!(cases.count() >= LEAST, "{} cases", cases.count());
}

/// Numbers in every surrounding, and words for pay at every distance from an amount.
#[test]
fn what_a_message_tells_is_found_wherever_it_stands() {
    let mut cases = Cases::of(Kind::Email);
    let mut check = |said: String| {
        for what in ["subject", "body"] {
            let mut message = json!({ "to": "a@b.c", "body": "A shift is open.", "subject": "" });
            message[what] = json!(said);
            cases.check(&message, None, expected(&message));
        }
    };
    let numbers = [
        "123-45-6789",
        "000-00-0000",
        "1123-45-6789",
        "123-45-67890",
        "123-456-7890",
        "12-345-6789",
        "123-45-678",
        "1-800-123-45-6789",
        "123 45 6789",
        "123456789",
        "123-45-6789-0",
        "-123-45-6789-",
        "123-45-6789--1",
    ];
    for number in numbers {
        for (before, after) in
            [("", ""), ("SSN ", "."), ("ä", "ö"), ("1", ""), ("", "1"), ("+1-", ""), ("(", ")"), ("1-", "-2")]
        {
            check(format!("{before}{number}{after}"));
        }
    }
    for word in WORDS_FOR_PAY.into_iter().chain(["payload", "rates", "Sälary", "wage9"]) {
        for gap in [0, 1, 39, 40, 41] {
            // Letters are counted, whatever room they take.
            let between = if gap < 3 { "~".repeat(gap) } else { format!("~é{}", "~".repeat(gap - 2)) };
            check(format!("{word}{between}$9"));
            check(format!("$9{between}{}", word.to_uppercase()));
            check(format!("{word}{between}9 EUR"));
        }
    }
    assert!(cases.count() >= LEAST, "{} cases", cases.count());
}

/// Each greeting with each name: only those of the worker are the worker's.
#[test]
fn whom_a_message_addresses_is_the_candidate_or_nobody() {
    let mut cases = Cases::of(Kind::Email);
    let greetings = ["Hi", "hello", "Hey", "DEAR", "Good morning", "good afternoon", "Good evening", "Greetings"];
    let hers = ["Ann", "ann", "ANN POE", "Poe", "Ms. Poe", "Ann Poe", "Mrs Ann Poe"];
    let others = ["Bob", "Bob Poe", "Ann Smith", "Mr. Smith", "Zoë", "O'Brien", "Annabel"];
    let nobody = ["there", "all", "team", "everyone", "Hiring Manager", "folks"];
    for greeting in greetings {
        for ending in [",", "!", ":", ".", ",\nAnn"] {
            for name in hers.into_iter().chain(nobody) {
                let body = format!("{greeting} {name}{ending} a shift is open.");
                cases.check(&json!({ "to": "a@b.c", "body": body, "_context": { "candidate_id": "W-1" } }), None, "ok");
                cases.check(&json!({ "to": "a@b.c", "body": body }), None, "ok");
            }
            for name in others {
                let body = format!("{greeting} {name}{ending} a shift is open.");
                let message = json!({ "to": "a@b.c", "body": body });
                cases.check(&message, Some(&json!({ "candidate_id": "w-1" })), "Consistency");
                // Of whom the roster knows no name, none is another.
                cases.check(&message, Some(&json!({ "candidate_id": "Ж-7" })), "ok");
            }
        }
    }
    assert!(cases.count() >= LEAST, "{} cases", cases.count());
}

#[test]
fn messages_by_hand() {
    let mut cases = Cases::of(Kind::Email);
    let mut check = |message: Value, expected: &str| cases.check(&message, None, expected);
    check(json!({}), "Schema to");
    check(json!({ "to": "x", "body": "y" }), "ok");
    check(json!({ "to": "+1 419 555 0100", "kind": "sms", "body": "🚜".repeat(160) }), "ok");
    check(json!({ "to": "+1 419 555 0100", "kind": "sms", "body": "🚜".repeat(161) }), "Completeness");
    check(json!({ "to": "x", "body": "y", "subject": "e\u{301}".repeat(39) }), "ok");
    check(json!({ "to": "x", "body": "y", "subject": "e\u{301}".repeat(40) }), "Completeness");
    check(json!({ "to": "123-45-6789", "body": "y" }), "ok");
    check(json!({ "to": "x", "body": "123\u{2011}45\u{2011}6789" }), "Policy");
    check(json!({ "to": "x", "body": "123–45–6789" }), "Policy");
    check(json!({ "to": "x", "body": "419\u{2011}555\u{2011}0100" }), "ok");
    check(json!({ "to": "x", "body": "y", "kind": "sms", "subject": "z".repeat(79) }), "Completeness");
    check(json!({ "to": "x", "body": "y", "more": "123-45-6789" }), "ok");
    check(json!({ "to": "x", "body": "y", "_context": { "candidate_id": "W-404" } }), "Consistency");
    check(json!({ "to": "x", "body": "Dear Zoë,", "_context": { "candidate_id": "w-2" } }), "ok");
    check(json!({ "to": "x", "body": "Dear Zoë Ångström,", "_context": { "candidate_id": "w-2" } }), "ok");
    check(json!({ "to": "x", "body": "Dear Ann,", "_context": { "candidate_id": "w-2" } }), "Consistency");
    // Both contexts at once: the one beside counts.
    let twice = json!({ "to": "x", "body": "Hi Ann, y", "_context": { "candidate_id": "W-404" } });
    cases.check(&twice, Some(&json!({ "candidate_id": "W-1" })), "ok");
    cases.check(&twice, Some(&json!({})), "ok");
    cases.check(&twice, Some(&json!({ "candidate_id": "W-2" })), "Consistency");
}
