//! Filters: a search finds the nearest of those items of which a filter holds, however few they are.

use base::{AsOf, Distance};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use vectors::{Filter, Item, Search, Vectors};

use crate::lake::{Process, code, found, index, item, name, near, object, open, with_metadata};

fn filter(value: &Value) -> Filter {
    Filter::parse(value.as_object().unwrap()).unwrap()
}

fn filtered(vector: &[f32], k: usize, value: &Value) -> Search {
    Search { filter: Some(filter(value)), ..near(vector, k) }
}

async fn ids(vectors: &Vectors, search: Search, as_of: Option<&AsOf>) -> Vec<String> {
    let found = vectors.search(&name("found"), search, as_of).await.unwrap();
    found.results.into_iter().map(|hit| hit.id).collect()
}

/// Whether a filter holds, in the plainest words.
fn holds(filter: &Map<String, Value>, metadata: &Map<String, Value>) -> bool {
    filter.iter().all(|(path, wanted)| fits(at(metadata, path), wanted))
}

fn at<'a>(metadata: &'a Map<String, Value>, path: &str) -> &'a Value {
    if let Some(value) = metadata.get(path) {
        return value;
    }
    let Some((outer, inner)) = path.split_once('.') else { return &Value::Null };
    metadata.get(outer).and_then(Value::as_object).map_or(&Value::Null, |members| at(members, inner))
}

fn fits(value: &Value, wanted: &Value) -> bool {
    if let Value::Array(elements) = value {
        return elements.iter().any(|element| !element.is_null() && fits(element, wanted));
    }
    match wanted {
        Value::Array(any) => any.iter().any(|one| fits(value, one)),
        Value::Object(operators) => operators.iter().all(|(operator, bound)| compares(value, operator, bound)),
        Value::Null => value.is_null(),
        scalar if scalar.is_number() && value.is_number() => value.as_f64() == scalar.as_f64(),
        scalar => value == scalar,
    }
}

fn compares(value: &Value, operator: &str, bound: &Value) -> bool {
    let order = match (value, bound) {
        (Value::Number(value), Value::Number(bound)) => value.as_f64().partial_cmp(&bound.as_f64()),
        (Value::String(value), Value::String(bound)) => value.partial_cmp(bound),
        _ => None,
    };
    let begins = || value.as_str().is_some_and(|text| text.starts_with(bound.as_str().unwrap()));
    order.is_some_and(|order| match operator {
        "gte" => order.is_ge(),
        "gt" => order.is_gt(),
        "lte" => order.is_le(),
        "lt" => order.is_lt(),
        _ => begins(),
    })
}

fn scalar() -> impl Strategy<Value = Value> {
    let texts = prop::sample::select(vec!["", "A", "An", "Ana", "Anb", "B", "Ä"]);
    let numbers = prop::sample::select(vec!["-1", "0", "0.0", "0.5", "1", "1.0", "2", "18446744073709551615"]);
    prop_oneof![
        texts.prop_map(Value::from),
        numbers.prop_map(|text| serde_json::from_str(text).unwrap()),
        any::<bool>().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let list = prop::collection::vec(prop_oneof![4 => scalar(), 1 => Just(Value::Null)], 0..3).prop_map(Value::from);
    let leaf = prop_oneof![6 => scalar(), 1 => Just(Value::Null), 1 => list];
    leaf.prop_recursive(1, 4, 2, |inner| {
        prop::collection::hash_map(field(), inner, 0..3)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    })
}

fn field() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "a.b"]).prop_map(str::to_owned)
}

fn metadata() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::hash_map(field(), value(), 0..4).prop_map(|members| members.into_iter().collect())
}

fn condition() -> impl Strategy<Value = Value> {
    let texts = || prop::sample::select(vec!["", "A", "An", "B"]).prop_map(Value::from);
    let numbers =
        || prop::sample::select(vec!["0", "0.5", "1.0", "1"]).prop_map(|text| serde_json::from_str(text).unwrap());
    let lower = || prop::sample::select(vec!["gte", "gt"]);
    let upper = || prop::sample::select(vec!["lte", "lt"]);
    let range = |bound: BoxedStrategy<Value>| {
        let ends = (lower(), bound.clone(), upper(), bound, 0..3);
        ends.prop_map(|(lower, from, upper, to, which)| match which {
            0 => json!({ lower: from }),
            1 => json!({ upper: to }),
            _ => json!({ lower: from, upper: to }),
        })
    };
    prop_oneof![
        scalar(),
        Just(Value::Null),
        prop::collection::vec(prop_oneof![5 => scalar(), 1 => Just(Value::Null)], 0..4).prop_map(Value::from),
        range(texts().boxed()),
        range(numbers().boxed()),
        texts().prop_map(|text| json!({ "prefix": text })),
        (texts(), texts()).prop_map(|(prefix, from)| json!({ "prefix": prefix, "gte": from })),
    ]
}

fn filters() -> impl Strategy<Value = Map<String, Value>> {
    let path = prop::sample::select(vec!["a", "b", "a.b", "b.a", "a.b.a"]).prop_map(str::to_owned);
    prop::collection::hash_map(path, condition(), 0..3).prop_map(|members| members.into_iter().collect())
}

#[derive(Debug, Clone)]
struct Case {
    /// The metadata of each item, from the nearest on, and whether the item is replaced and deleted afterwards.
    items: Vec<(Map<String, Value>, bool, bool)>,
    /// The items after so many are sealed.
    sealed: usize,
    filters: Vec<Map<String, Value>>,
    k: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    let items = prop::collection::vec((metadata(), prop::bool::weighted(0.2), prop::bool::weighted(0.2)), 0..90);
    (items, 0..90_usize, prop::collection::vec(filters(), 1..8), 1..60_usize)
        .prop_map(|(items, sealed, filters, k)| Case { items, sealed, filters, k })
}

/// The item that is the nth nearest to nothing, with its own metadata or that of the one before.
fn nth(case: &Case, n: usize, replaced: bool) -> Item {
    let from = if replaced { (n + 1) % case.items.len() } else { n };
    let metadata = Value::Object(case.items[from].0.clone());
    with_metadata(&format!("{n:03}"), &[n as f32], metadata)
}

async fn filled(case: &Case) -> Process {
    let process = found(1, Distance::Euclidean).await;
    let (vectors, name) = (&process.vectors, name("found"));
    let items: Vec<Item> = (0..case.items.len()).map(|n| nth(case, n, false)).collect();
    let (sealed, fresh) = items.split_at(case.sealed.min(items.len()));
    for batch in sealed.chunks(40) {
        vectors.add(&name, batch.to_vec(), None).await.unwrap();
    }
    vectors.seal(&name, "test").await.unwrap();
    for batch in fresh.chunks(7) {
        vectors.add(&name, batch.to_vec(), None).await.unwrap();
    }
    // Read before anything changes, so that what a filter has read once must not be held against the changes.
    for filter in &case.filters {
        ids(vectors, filtered(&[0.0], case.k, &Value::Object(filter.clone())), None).await;
    }
    let replaced = (0..case.items.len()).filter(|n| case.items[*n].1).map(|n| nth(case, n, true)).collect::<Vec<_>>();
    if !replaced.is_empty() {
        vectors.add(&name, replaced, None).await.unwrap();
    }
    let deleted = (0..case.items.len()).filter(|n| case.items[*n].2).map(|n| format!("{n:03}")).collect::<Vec<_>>();
    if !deleted.is_empty() {
        vectors.remove(&name, deleted).await.unwrap();
    }
    process
}

async fn check(case: Case) -> Result<(), TestCaseError> {
    let process = filled(&case).await;
    for filter in &case.filters {
        let of = |n: usize| if case.items[n].1 { (n + 1) % case.items.len() } else { n };
        let living = (0..case.items.len()).filter(|n| !case.items[*n].2);
        let wanted = living.filter(|n| holds(filter, &case.items[of(*n)].0)).map(|n| format!("{n:03}"));
        let wanted: Vec<String> = wanted.take(case.k).collect();
        let asked = Value::Object(filter.clone());
        prop_assert_eq!(ids(&process.vectors, filtered(&[0.0], case.k, &asked), None).await, wanted, "{}", asked);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_filtered_search_finds_what_looking_at_every_item_finds(case in cases()) {
        Runtime::new().unwrap().block_on(check(case))?;
    }
}

/// Thousands of rows of which few or most fit, so that strides are passed over, read row by row, and read whole.
#[tokio::test]
async fn k_items_are_found_at_every_selectivity() {
    const ROWS: usize = 20_000;
    let process = found(2, Distance::Euclidean).await;
    let (vectors, name) = (&process.vectors, name("found"));
    let shuffled = |n: usize| n * 7919 % ROWS;
    let row = |n: usize| with_metadata(&format!("{n:05}"), &[n as f32, 1.0], json!({ "rank": shuffled(n) }));
    for part in (0..ROWS).collect::<Vec<_>>().chunks(ROWS / 4) {
        vectors.add(&name, part.iter().map(|n| row(*n)).collect(), None).await.unwrap();
        if part[0] < ROWS / 2 {
            vectors.seal(&name, "test").await.unwrap();
        }
    }
    for fitting in [0, 1, 9, 20, 200, 2_000, 10_000, ROWS] {
        let wanted = (0..ROWS).filter(|n| shuffled(*n) < fitting).take(10).map(|n| format!("{n:05}"));
        let asked = json!({ "rank": { "lt": fitting } });
        assert_eq!(
            ids(vectors, filtered(&[0.0, 1.0], 10, &asked), None).await,
            wanted.collect::<Vec<_>>(),
            "{fitting}"
        );
    }
}

#[tokio::test]
async fn a_version_is_searched_by_what_its_items_said_then() {
    let process = found(1, Distance::Euclidean).await;
    let (vectors, name) = (&process.vectors, name("found"));
    let city = |city: &str| json!({ "city": city });
    vectors
        .add(&name, vec![with_metadata("a", &[1.0], city("Toledo")), with_metadata("b", &[2.0], city("Gary"))], None)
        .await
        .unwrap();
    let sealed = AsOf::Version(vectors.seal(&name, "test").await.unwrap().version);
    vectors.add(&name, vec![with_metadata("a", &[1.0], city("Gary"))], None).await.unwrap();
    for (place, then, now) in [("Toledo", vec!["a"], vec![]), ("Gary", vec!["b"], vec!["a", "b"])] {
        let asked = || filtered(&[0.0], 9, &city(place));
        assert_eq!(ids(vectors, asked(), Some(&sealed)).await, then, "{place}");
        assert_eq!(ids(vectors, asked(), None).await, now, "{place}");
    }
}

#[tokio::test]
async fn a_filter_deletes_what_fits_and_nothing_else() {
    let lake = testkit::TestLake::open().await;
    let process = open(&lake.store).await;
    let (vectors, name) = (&process.vectors, name("found"));
    vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
    let items = (0..300).map(|n| with_metadata(&format!("{n:03}"), &[n as f32], json!({ "third": n % 3 })));
    vectors.add(&name, items.collect(), None).await.unwrap();
    vectors.seal(&name, "test").await.unwrap();
    vectors
        .add(&name, vec![with_metadata("300", &[300.0], json!({ "third": 1 })), item("301", &[301.0])], None)
        .await
        .unwrap();
    let removed = vectors.remove_matching(&name, filter(&json!({ "third": 1 }))).await.unwrap();
    assert_eq!((removed.deleted, removed.missing, removed.length), (101, 0, 201));
    let again = vectors.remove_matching(&name, filter(&json!({ "third": 1 }))).await.unwrap();
    assert_eq!((again.deleted, again.length, again.fragment), (0, 201, removed.fragment));
    assert_eq!(code(vectors.remove_matching(&name, filter(&json!({}))).await), "vectors.bad_filter");
    for reopened in [process, open(&lake.reopen().await).await] {
        let left = ids(&reopened.vectors, near(&[0.0], 999), None).await;
        assert_eq!(left.len(), 201);
        assert!(left.iter().all(|id| id.parse::<u32>().unwrap() % 3 != 1 || id == "301"), "{left:?}");
    }
}

/// What an item says when the deletion takes effect decides, and not what it said when the deletion was asked for.
#[tokio::test]
async fn a_deletion_by_filter_takes_no_item_that_changed_before_it() {
    let process = found(1, Distance::Euclidean).await;
    let (vectors, name) = (&process.vectors, name("found"));
    let state = |ids: std::ops::Range<u32>, state: &str| {
        ids.map(|n| with_metadata(&format!("{n:03}"), &[n as f32], json!({ "state": state }))).collect::<Vec<_>>()
    };
    for round in 0..20 {
        vectors.add(&name, state(0..100, "closed"), None).await.unwrap();
        let reopened = vectors.add(&name, state(0..50, "open"), None);
        let removed = vectors.remove_matching(&name, filter(&json!({ "state": "closed" })));
        let (reopened, removed) = tokio::join!(reopened, removed);
        let (reopened, removed) = (reopened.unwrap(), removed.unwrap());
        let wanted = if removed.fragment < reopened.fragment { 100 } else { 50 };
        assert_eq!((removed.deleted, removed.missing), (wanted, 0), "round {round}");
        let open = ids(vectors, filtered(&[0.0], 999, &json!({ "state": "open" })), None).await;
        assert_eq!((open.len(), removed.length), (50, 100 - wanted), "round {round}");
    }
}

#[tokio::test]
async fn an_empty_filter_asks_nothing_and_a_large_k_is_counted_after_it() {
    let process = found(1, Distance::Euclidean).await;
    let (vectors, name) = (&process.vectors, name("found"));
    vectors.add(&name, vec![item("a", &[1.0]), with_metadata("b", &[2.0], json!({ "x": null }))], None).await.unwrap();
    for asked in [json!({}), json!({ "x": null }), json!({ "x": [null, 1] })] {
        assert_eq!(ids(vectors, filtered(&[0.0], usize::MAX, &asked), None).await, ["a", "b"], "{asked}");
    }
    let refused = Filter::parse(&object(json!({ "x": { "regex": "." } })));
    assert!(refused.unwrap_err().to_string().contains("regex"));
}
