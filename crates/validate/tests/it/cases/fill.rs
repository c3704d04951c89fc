//! Fills: lists of proposed workers against contracts, and what a second reading of the rules says of each pair.

use serde_json::{Value, json};
use validate::Kind;

use super::{Cases, LEAST, counts, empty_texts, no_texts, object, says};

/// A worker of the roster of these tests, as a plain line; none is what the roster does not know.
struct Line {
    id: &'static str,
    name: Option<&'static str>,
    is_active: bool,
    city: Option<&'static str>,
    /// State and role are known together.
    place: Option<(&'static str, &'static str)>,
    blacklist: Option<&'static [&'static str]>,
}

const ANN: Line = Line {
    id: "W-1",
    name: Some("Ann Poe"),
    is_active: true,
    city: Some("Toledo"),
    place: Some(("OH", "Welder")),
    blacklist: Some(&["C-7", "C-8"]),
};

/// The roster of `crate::roster`; who stands there twice with different values is active nowhere.
const LINES: [Line; 7] = [
    ANN,
    Line { id: "W-2", name: Some("Zoë Ångström"), blacklist: Some(&[]), ..ANN },
    Line { id: "W-3", is_active: false, ..ANN },
    Line { id: "W-4", city: None, place: None, blacklist: None, ..ANN },
    Line { id: "W-5", is_active: false, ..ANN },
    Line { id: "W-6", is_active: false, ..ANN },
    Line { id: "Ж-7", name: None, ..ANN },
];

fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// What the rules say of a fill with its contract, read once more.
fn expected(artifact: &Value) -> String {
    let Some(fills) = artifact.get("fills").and_then(Value::as_array) else { return "Schema fills".to_owned() };
    for (at, entry) in fills.iter().enumerate() {
        if !entry.is_object() {
            return format!("Schema fills[{at}]");
        }
        for member in ["candidate_id", "name"] {
            if !says(entry.get(member)) {
                return format!("Schema fills[{at}].{member}");
            }
        }
    }
    let contract = match artifact.get("_context") {
        None | Some(Value::Null) => json!({}),
        Some(given) if given.is_object() => given.clone(),
        Some(_) => return "Schema _context".to_owned(),
    };
    let Some(target) = counts(contract.get("target_count")) else { return "Schema _context.target_count".to_owned() };
    for member in ["city", "state", "role", "client_id"] {
        let given = contract.get(member).filter(|given| !given.is_null());
        if given.is_some() && !says(given) {
            return format!("Schema _context.{member}");
        }
    }
    if fills.len() as u64 != target { "Completeness".to_owned() } else { weighed(fills, &contract) }
}

/// What the roster says of fills that have the right form and number.
fn weighed(fills: &[Value], contract: &Value) -> String {
    let ids: Vec<String> = fills.iter().map(|fill| fill["candidate_id"].as_str().unwrap().to_lowercase()).collect();
    let twice = ids.iter().enumerate().any(|(at, id)| ids[..at].contains(id));
    let lines: Option<Vec<&Line>> =
        ids.iter().map(|id| LINES.iter().find(|line| line.id.to_lowercase() == *id)).collect();
    let Some(lines) = lines.filter(|lines| !twice && lines.iter().all(|line| line.is_active)) else {
        return "Consistency".to_owned();
    };
    let mut noticed = Vec::new();
    for member in ["city", "state", "role"] {
        let Some(wanted) = contract.get(member).and_then(Value::as_str) else { continue };
        for (at, line) in lines.iter().enumerate() {
            let has = match member {
                "city" => line.city,
                "state" => line.place.map(|(state, _)| state),
                _ => line.place.map(|(_, role)| role),
            };
            match has {
                None => noticed.push(format!("fills[{at}].candidate_id")),
                Some(has) if same(has, wanted) => {}
                Some(_) => return "Consistency".to_owned(),
            }
        }
    }
    if let Some(client) = contract.get("client_id").and_then(Value::as_str) {
        for (at, line) in lines.iter().enumerate() {
            match line.blacklist {
                None => noticed.push(format!("fills[{at}].candidate_id")),
                Some(listed) if listed.iter().any(|listed| same(listed, client)) => return "Policy".to_owned(),
                Some(_) => {}
            }
        }
    }
    for (at, (fill, line)) in fills.iter().zip(lines).enumerate() {
        if line.name.is_some_and(|name| !same(name, fill["name"].as_str().unwrap())) {
            noticed.push(format!("fills[{at}].name"));
        }
    }
    format!("ok {}", noticed.join(" ")).trim_end().to_owned()
}

fn fills(proposed: &[(&str, &str)]) -> Value {
    proposed.iter().map(|(id, name)| json!({ "candidate_id": id, "name": name })).collect()
}

/// Lists that have the form of fills, and some that do not.
fn lists() -> Vec<Option<Value>> {
    let (ann, zoe, nameless) = (("W-1", "Ann Poe"), ("w-2", "zoë ångström"), ("ж-7", "Anybody"));
    let mut lists: Vec<Option<Value>> = [
        &[][..],
        &[ann],
        &[zoe],
        &[nameless],
        &[("W-3", "Ann Poe")],
        &[("W-4", "Ann Poe")],
        &[("W-5", "Ann Poe")],
        &[("w-6", "Ann Poe")],
        &[("W-9", "Nobody")],
        &[("1", "Ann Poe")],
        &[("W-1 ", "Ann Poe")],
        &[("W-1", "Annabel Poe")],
        &[ann, zoe],
        &[zoe, nameless],
        &[ann, ann],
        &[ann, ("w-1", "Ann Poe")],
        &[("Ж-7", "x"), nameless],
        &[ann, ("W-9", "Nobody")],
        &[("W-3", "Ann Poe"), ("W-9", "Nobody")],
        &[ann, zoe, ("W-4", "Bob")],
    ]
    .into_iter()
    .map(|proposed| Some(fills(proposed)))
    .collect();
    lists.extend(no_texts().into_iter().filter(|value| value.as_ref().is_none_or(|value| !value.is_array())));
    lists.extend([json!([["W-1"]]), json!([null]), json!(["W-1"]), json!([7])].map(Some));
    for wrong in no_texts().into_iter().chain(empty_texts().map(Some)) {
        let unnamed = object([("candidate_id", Some(json!("W-1"))), ("name", wrong.clone())]);
        let nobody = object([("candidate_id", wrong), ("name", Some(json!("Ann Poe")))]);
        lists.extend([json!([unnamed]), json!([nobody]), json!([fills(&[ann])[0], nobody])].map(Some));
    }
    lists
}

fn contracts() -> Vec<Option<Value>> {
    let mut contracts = no_texts();
    let targets =
        [json!(0), json!(1), json!(2), json!(3), json!(-1), json!(0.5), json!(1.0), json!("1"), json!(u64::MAX)];
    contracts.extend(targets.map(|target| Some(json!({ "target_count": target }))));
    for (member, values) in [
        ("city", ["Toledo", "TOLEDO ", "Lima"]),
        ("state", ["OH", "oh", "MI"]),
        ("role", ["Welder", "welder", "Baker"]),
        ("client_id", ["C-7", "c-8", "C-9"]),
    ] {
        for value in values.map(|value| json!(value)).into_iter().chain([json!(""), json!(7), Value::Null]) {
            contracts.push(Some(object([("target_count", Some(json!(1))), (member, Some(value.clone()))])));
            contracts.push(Some(object([("target_count", Some(json!(2))), (member, Some(value))])));
        }
    }
    contracts.push(Some(
        json!({ "target_count": 1, "city": "Toledo", "state": "OH", "role": "Welder", "client_id": "C-1" }),
    ));
    contracts
}

#[test]
fn every_list_of_workers_meets_every_contract() {
    let mut cases = Cases::of(Kind::Fill);
    for list in lists() {
        for contract in contracts() {
            let artifact = object([("fills", list.clone()), ("_context", contract.clone())]);
            cases.check(&artifact, None, &expected(&artifact));
            // Given beside the artifact it says the same, whatever stands inside.
            if let Some(beside @ Value::Object(_)) = contract {
                let inside = object([("fills", list.clone()), ("_context", Some(json!({ "target_count": "none" })))]);
                cases.check(&inside, Some(&beside), &expected(&artifact));
            }
        }
    }
    assert!(cases.count() >= LEAST, "{} cases", cases.count());
}

#[test]
fn fills_by_hand() {
    let mut cases = Cases::of(Kind::Fill);
    let mut check = |proposed: &[(&str, &str)], contract: Value, expected: &str| {
        cases.check(&json!({ "fills": fills(proposed), "_context": contract }), None, expected);
    };
    let one = json!({ "target_count": 1 });
    check(&[("W-2", "ZOË ÅNGSTRÖM")], one.clone(), "ok");
    check(&[("W-2", "Zoe Angstrom")], one.clone(), "ok fills[0].name");
    // The same letters, written with marks of their own.
    check(&[("W-2", "Zoe\u{308} A\u{30a}ngstro\u{308}m")], one.clone(), "ok");
    check(&[("Ж-7", "東京 太郎")], one.clone(), "ok");
    check(&[("W-1\u{200b}", "Ann Poe")], one.clone(), "Consistency");
    check(&[("Ｗ-1", "Ann Poe")], one.clone(), "Consistency");
    check(&[("W-1", "Ann Poe"), ("w-1", "ann poe")], json!({ "target_count": 2 }), "Consistency");
    check(&[("ж-7", "a"), ("Ж-7", "b")], json!({ "target_count": 2 }), "Consistency");
    check(&[("W-1", "Ann Poe"), ("w-1", "ann poe")], one, "Completeness");
    check(&[], json!({ "target_count": 0, "city": "Toledo" }), "ok");
    check(&[], json!({ "target_count": 1 }), "Completeness");
    check(&[("W-1", "Ann Poe")], json!({ "target_count": 0 }), "Completeness");
    check(&[("W-1", "Ann Poe")], json!({ "target_count": 18_446_744_073_709_551_615_u64 }), "Completeness");
    check(&[("W-1", "Ann Poe")], json!({ "target_count": 1e0 }), "Schema _context.target_count");
    check(&[("W-1", "Ann Poe")], json!({ "target_count": "1" }), "Schema _context.target_count");
    check(&[("W-1", "Ann Poe")], json!({ "target_count": 1, "city": "Toledo\n" }), "ok");
    check(&[("W-1", "Ann Poe")], json!({ "target_count": 1, "city": " " }), "Schema _context.city");
    check(
        &[("W-4", "Ann Poe")],
        json!({ "target_count": 1, "city": "Lima", "role": "Baker" }),
        "ok fills[0].candidate_id fills[0].candidate_id",
    );
    check(&[("W-1", "Ann Poe")], json!({ "target_count": 1, "client_id": "C-7;C-8" }), "ok");
    check(&[("W-1", "Ann Poe")], json!({ "target_count": 1, "client_id": " c-8 " }), "Policy");
    check(&[("W-1", "Ann Poe")], json!({ "target_count": 1, "CITY": "Lima", "more": [1] }), "ok");
    // Both contexts at once: the one beside counts, as a whole.
    let twice = json!({ "fills": fills(&[("W-1", "Ann Poe")]), "_context": { "target_count": 1, "city": "Lima" } });
    cases.check(&twice, None, "Consistency");
    cases.check(&twice, Some(&json!({ "target_count": 1 })), "ok");
    cases.check(&twice, Some(&json!({ "city": "Toledo" })), "Schema _context.target_count");
    cases.check(&twice, Some(&json!({})), "Schema _context.target_count");
    // A context inside the context is nobody's.
    let nested = json!({ "fills": fills(&[("W-1", "Ann Poe")]), "_context": { "target_count": 1, "_context": { "city": "Lima" } } });
    cases.check(&nested, None, "ok");
    cases.check(
        &json!({ "fills": fills(&[("W-1", "Ann Poe")]), "target_count": 1 }),
        None,
        "Schema _context.target_count",
    );
    assert!(cases.count() >= 25, "{} cases", cases.count());
}
