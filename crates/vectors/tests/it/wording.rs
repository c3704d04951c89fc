//! Searches by words: what holds them is found wherever its text lies, and scores depend on nothing else.

use std::ops::Range;

use base::{AsOf, Distance, Fault};
use serde_json::json;
use vectors::{By, Filter, Found, Hit, Item, Nearness, Search, Vectors};

use crate::lake::{found, index, item, name, open, with_metadata};

const TEXTS: [&str; 8] = [
    "drives a forklift",
    "drives a truck",
    "a truck, a forklift and a big truck",
    "draws blood",
    "",
    "Forklifts!",
    "drives a forklift",
    "kneads dough",
];

fn said(ids: Range<usize>) -> Vec<Item> {
    ids.map(|n| Item { text: Some(TEXTS[n % 8].into()), ..item(&format!("{n:04}"), &[n as f32, 1.0]) }).collect()
}

fn words(text: &str, k: usize) -> Search {
    Search::new(By::Words(text.into()), k)
}

async fn searched(vectors: &Vectors, search: Search, as_of: Option<&AsOf>) -> Found {
    vectors.search(&name("found"), search, as_of).await.unwrap()
}

fn ids(found: &Found) -> Vec<&str> {
    found.results.iter().map(|hit| hit.id.as_str()).collect()
}

#[tokio::test]
async fn the_same_texts_have_the_same_scores_however_they_lie() {
    let lake = testkit::TestLake::open().await;
    let mut answers = Vec::new();
    let process = open(&lake.store).await;
    let vectors = &process.vectors;
    let create = |name| vectors.create(index(name, 2, Distance::Euclidean));
    // One index gets all at once, one in parts that are sealed between, and with others that come and go.
    create("once").await.unwrap();
    vectors.add(&name("once"), said(0..400), None).await.unwrap();
    create("parts").await.unwrap();
    for part in [0..90, 90..100, 100..101, 101..400] {
        let others =
            (0..20).map(|n| Item { text: Some("forklift blood".into()), ..item(&format!("other {n}"), &[0.0, 0.0]) });
        vectors.add(&name("parts"), others.chain(said(part)).collect(), None).await.unwrap();
        vectors.seal(&name("parts"), "test").await.unwrap();
    }
    vectors.add(&name("parts"), vec![Item { text: Some("blood".into()), ..said(7..8).remove(0) }], None).await.unwrap();
    vectors.add(&name("parts"), said(7..8), None).await.unwrap();
    vectors.remove(&name("parts"), (0..20).map(|n| format!("other {n}")).collect()).await.unwrap();
    let reopened = open(&lake.reopen().await).await;
    for (vectors, of) in [(vectors, "once"), (vectors, "parts"), (&reopened.vectors, "parts")] {
        let found = vectors.search(&name(of), words("a forklift DRIVERS blood", 999), None).await.unwrap();
        let scored = found.results.into_iter().map(|hit| (hit.id, hit.score.unwrap().to_bits()));
        answers.push(scored.collect::<Vec<_>>());
    }
    assert_eq!(answers[0].len(), 300, "texts 0, 1, 2, 3, 5 and 6 of eight hold one of the words");
    assert!(answers[0] == answers[1] && answers[1] == answers[2]);
}

#[tokio::test]
async fn the_best_come_first_and_a_text_that_goes_is_found_no_more() {
    let process = found(2, Distance::Euclidean).await;
    let (vectors, name) = (&process.vectors, name("found"));
    vectors.add(&name, said(0..8), None).await.unwrap();
    assert_eq!(ids(&searched(vectors, words("forklift", 9), None).await), ["0005", "0000", "0006", "0002"]);
    assert_eq!(ids(&searched(vectors, words("forklift", 2), None).await), ["0005", "0000"]);
    assert_eq!(ids(&searched(vectors, words("truck", 9), None).await), ["0001", "0002"]);
    assert_eq!(ids(&searched(vectors, words("§ …", 9), None).await), [""; 0]);
    let sealed = AsOf::Version(vectors.seal(&name, "test").await.unwrap().version);
    // Another text, a vector without one, and a deletion.
    vectors.add(&name, vec![Item { text: Some("truck".into()), ..item("0005", &[5.0, 1.0]) }], None).await.unwrap();
    vectors.add(&name, vec![item("0000", &[0.0, 1.0])], None).await.unwrap();
    vectors.remove(&name, vec!["0006".into()]).await.unwrap();
    assert_eq!(ids(&searched(vectors, words("forklift", 9), None).await), ["0002"]);
    assert_eq!(ids(&searched(vectors, words("forklift", 9), Some(&sealed)).await), ["0005", "0000", "0006", "0002"]);
    assert_eq!(vectors.item(&name, "0005", None).await.unwrap().text.as_deref(), Some("truck"));
    assert_eq!(vectors.item(&name, "0000", None).await.unwrap().text, None);
    assert_eq!(vectors.item(&name, "0005", Some(&sealed)).await.unwrap().text.as_deref(), Some("Forklifts!"));
}

#[tokio::test]
async fn both_lists_count_and_filters_hold_in_both() {
    let process = found(2, Distance::Euclidean).await;
    let (vectors, name) = (&process.vectors, name("found"));
    let with = |item: Item, parity: usize| Item {
        metadata: with_metadata("", &[0.0], json!({ "odd": parity % 2 == 1 })).metadata,
        ..item
    };
    vectors.add(&name, said(0..200).into_iter().zip(0..).map(|(item, n)| with(item, n)).collect(), None).await.unwrap();
    let dough = || By::Both("dough".into(), Nearness::to(vec![7.2, 1.0]));
    let both = |filter: Option<Filter>| Search { filter, ..Search::new(dough(), 3) };
    // 0007 is the nearest and among the best; the nearest of the others have one list only.
    let found = searched(vectors, both(None), None).await;
    assert_eq!(ids(&found), ["0007", "0015", "0023"]);
    let first = &found.results[0];
    assert_eq!(first.ranks.map(|ranks| (ranks.vector, ranks.keyword)), Some((Some(1), Some(1))));
    assert!((first.score.unwrap() - 2.0 / 61.0).abs() < 1e-12 && (first.distance.unwrap() - 0.2).abs() < 1e-5);
    let even = Filter::parse(json!({ "odd": false }).as_object().unwrap()).unwrap();
    let found = searched(vectors, both(Some(even)), None).await;
    assert_eq!(ids(&found), ["0008", "0006", "0010"], "no text that fits holds the word");
    assert!(found.results.iter().all(|hit| hit.ranks.is_some_and(|ranks| ranks.keyword.is_none())));
}

#[tokio::test]
async fn a_merge_takes_the_texts_along() {
    let process = found(2, Distance::Euclidean).await;
    let vectors = &process.vectors;
    vectors.create(index("source", 2, Distance::Euclidean)).await.unwrap();
    vectors.add(&name("source"), said(0..8), None).await.unwrap();
    let merged = vectors.merge(&name("source"), &name("found"), true).await.unwrap();
    assert_eq!((merged.added, merged.removed), (8, 8));
    assert_eq!(ids(&searched(vectors, words("dough", 9), None).await), ["0007"]);
}

#[tokio::test]
async fn more_words_than_a_search_may_have_are_refused() {
    let process = found(2, Distance::Euclidean).await;
    process.vectors.add(&name("found"), said(0..1), None).await.unwrap();
    let many = |count: usize| (0..count).map(|n| format!("w{n} FORKLIFT ")).collect::<String>();
    assert_eq!(ids(&searched(&process.vectors, words(&many(1023), 1), None).await), ["0000"]);
    let refused = process.vectors.search(&name("found"), words(&many(1024), 1), None).await.unwrap_err();
    assert_eq!(refused.code(), "vectors.bad_query");
    assert!(refused.to_string().starts_with("the text has more than 1024 different words"), "{refused}");
}

#[tokio::test]
async fn a_long_text_is_refused_however_few_words_it_repeats() {
    let process = found(2, Distance::Euclidean).await;
    process.vectors.add(&name("found"), said(0..8), None).await.unwrap();
    let search = |times: usize| {
        let search = words(&"dough ".repeat(times), 9);
        async { process.vectors.search(&name("found"), search, None).await }
    };
    assert_eq!(ids(&search(10_000).await.unwrap()), ["0007"]);
    let refused = search(11_000).await.unwrap_err();
    assert_eq!(refused.code(), "vectors.bad_query");
    assert!(refused.to_string().contains("longer than 64 KiB"), "{refused}");
}

#[tokio::test]
async fn a_hit_tells_what_the_search_was_by_and_its_text_where_that_is_wanted() {
    let process = found(2, Distance::Euclidean).await;
    process.vectors.add(&name("found"), said(0..8), None).await.unwrap();
    let (text, place) = ("dough", || Nearness::to(vec![7.0, 1.0]));
    for (by, told) in [
        (By::Near(place()), json!({ "id": "0007", "distance": 0.0, "metadata": {} })),
        (By::Words(text.into()), json!({ "id": "0007", "score": 1.0, "metadata": {} })),
        (By::Both(text.into(), place()), json!({ "id": "0007", "score": 1.0, "distance": 0.0, "metadata": {} })),
    ] {
        for with_texts in [false, true] {
            let search = Search { with_texts, ..Search::new(by.clone(), 1) };
            let hit = searched(&process.vectors, search, None).await.results.remove(0);
            assert_eq!(hit.text.as_deref(), with_texts.then_some("kneads dough"));
            let scored = hit.score.map(|_| 1.0);
            let hit = Hit { score: scored, ranks: None, ..hit };
            assert_eq!(serde_json::to_value(&hit).unwrap(), told);
        }
    }
}
