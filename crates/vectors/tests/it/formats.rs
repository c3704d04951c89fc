//! Stored formats: indexes that an earlier release sealed answer for ever, wherever their lake was copied to.

use std::path::{Path, PathBuf};

use base::{Distance, Seams, Timestamp, Version};
use catalog::{Catalog, IndexEntry, IndexSettings};
use storage::Store;
use uuid::Uuid;
use vectors::stored::StoredFile;
use vectors::{By, Item, Search, Vectors};

use crate::lake::{index, item, name, nearest, open, round, with_metadata};
use crate::sealing::ids_at;

/// Where a lake of an earlier release lies.
fn at(lake: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/formats/v4").join(lake)
}

#[tokio::test]
async fn a_file_of_a_newer_release_says_which_format_of_its_kind_is_known() {
    let store = testkit::lake::memory().await;
    let settings = IndexSettings { dimension: 1, distance: Distance::Euclidean, m: 16, ef_search: None, model: None };
    let (created_at, version) = (Timestamp::from_micros(0), Version(1));
    let (index_id, location) = (Uuid::nil(), "indexes/found".to_owned());
    let entry = IndexEntry { index_id, location, settings, sealed: None, created_at, version };
    let path = "indexes/found/newer.lhve";
    store.put(path, [&b"LHVE"[..], &2_u32.to_le_bytes(), &[0; 24]].concat().into()).await.unwrap();
    let refused = StoredFile { name: &name("found"), index: &entry, path }.checksums(&store).await.unwrap_err();
    let told = "the file newer.lhve of found has format 2, and this program reads formats up to 1: use a newer release";
    assert_eq!(refused.to_string(), told);
}

/// The life of a lake whose items have no texts.
async fn live(store: &Store) {
    let vectors = open(store).await.vectors;
    let found = name("found");
    vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
    vectors.add(&found, vec![with_metadata("a", &[1.0], round(1)), item("b", &[2.0])], None).await.unwrap();
    vectors.seal(&found, "test").await.unwrap();
    vectors.add(&found, vec![item("a", &[5.0]), item("c", &[3.0])], None).await.unwrap();
    vectors.remove(&found, vec!["b".into()]).await.unwrap();
    vectors.seal(&found, "test").await.unwrap();
    vectors.add(&found, vec![item("d", &[4.0])], None).await.unwrap();
}

async fn assert_lived(vectors: &Vectors) {
    assert_eq!(ids_at(vectors, 2).await, ["a", "b"]);
    assert_eq!(ids_at(vectors, 3).await, ["c", "a"]);
    assert_eq!(nearest(vectors, &[0.0], 9).await, ["c", "d", "a"]);
    let kept = vectors.item(&name("found"), "a", None).await.unwrap();
    assert_eq!((kept.vector, kept.metadata["round"].as_u64()), (vec![5.0], Some(1)));
}

#[tokio::test]
async fn an_index_that_was_sealed_answers_and_goes_on_under_another_root() {
    let lake = testkit::lake::kept(&at("sealed"), live).await;
    let store = &lake.store;
    assert_lived(&open(store).await.vectors).await;
    Catalog::relocate(store.clone(), &catalog::Config::default(), Seams::system(), "test").await.unwrap();
    let vectors = open(store).await.vectors;
    assert_lived(&vectors).await;
    vectors.remove(&name("found"), vec!["c".into()]).await.unwrap();
    let sealed = vectors.seal(&name("found"), "test").await.unwrap();
    assert_eq!(ids_at(&vectors, sealed.version.0).await, ["d", "a"]);
}

fn saying(id: &str, place: f32, text: &str) -> Item {
    Item { text: Some(text.into()), ..item(id, &[place]) }
}

/// The life of a lake whose items have texts, in a segment and in a fragment.
async fn live_with_texts(store: &Store) {
    let (vectors, found) = (open(store).await.vectors, name("found"));
    vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
    let items =
        vec![saying("a", 1.0, "Drives a forklift in Århus"), item("b", &[2.0]), saying("c", 3.0, "Welds pipes")];
    vectors.add(&found, items, None).await.unwrap();
    vectors.seal(&found, "test").await.unwrap();
    vectors.add(&found, vec![saying("d", 4.0, "Drives a truck")], None).await.unwrap();
}

#[tokio::test]
async fn an_index_that_kept_texts_is_searched_by_their_words() {
    let lake = testkit::lake::kept(&at("texts"), live_with_texts).await;
    let (vectors, found) = (open(&lake.store).await.vectors, name("found"));
    let text = async |id: &str| vectors.item(&found, id, None).await.unwrap().text;
    assert_eq!(text("a").await.as_deref(), Some("Drives a forklift in Århus"));
    assert_eq!(text("b").await, None);
    for (words, wanted) in [("arhus forklifts", vec!["a"]), ("drives", vec!["d", "a"]), ("pipe", vec!["c"])] {
        let said = vectors.search(&found, Search::new(By::Words(words.to_owned()), 9), None).await.unwrap();
        let ids: Vec<String> = said.results.into_iter().map(|hit| hit.id).collect();
        assert_eq!(ids, wanted, "{words}");
    }
    vectors.seal(&found, "test").await.unwrap();
    assert_eq!(nearest(&vectors, &[0.0], 9).await, ["a", "b", "c", "d"]);
    assert_eq!(text("d").await.as_deref(), Some("Drives a truck"));
}
