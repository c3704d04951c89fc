//! Fragments that are lost at the end of an index, or all of them, are missed.

use std::time::Duration;

use base::Distance;
use serde_json::Value;
use storage::Store;

use crate::lake::{code, index, item, name, nearest, open};

/// A lake with an index of three fragments, and the note of them.
async fn three(store: &Store) -> String {
    let process = open(store).await;
    process.vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
    for n in 0..3 {
        process.vectors.add(&name("found"), vec![item(&n.to_string(), &[n as f32])], None).await.unwrap();
    }
    drop(process);
    noted(store, 3).await
}

/// Waits until the note says that the index has reached so far; where the note stands.
async fn noted(store: &Store, fragment: u64) -> String {
    let noting = async {
        loop {
            for entry in store.list("_lake/indexes/", None, 9).await.unwrap().entries {
                let note: Value = serde_json::from_slice(&store.get(&entry.path).await.unwrap()).unwrap();
                if note["fragment"] == fragment {
                    return entry.path;
                }
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), noting).await.unwrap()
}

async fn fragments(store: &Store) -> Vec<String> {
    let page = store.list("indexes/", None, 99).await.unwrap();
    page.entries.into_iter().map(|entry| entry.path).collect()
}

#[tokio::test]
async fn the_loss_of_the_newest_fragment_or_of_all_is_damage_until_they_are_back() {
    let store = testkit::lake::memory().await;
    three(&store).await;
    let paths = fragments(&store).await;
    for lost in [&paths[2..], &paths[1..], &paths[..]] {
        let mut kept = Vec::new();
        for path in lost {
            kept.push((path, store.get(path).await.unwrap()));
            store.delete(path).await.unwrap();
        }
        let process = open(&store).await;
        assert_eq!(code(process.vectors.describe(&name("found"), None).await), "vectors.damaged");
        assert_eq!(code(process.vectors.add(&name("found"), vec![item("x", &[9.0])], None).await), "vectors.damaged");
        assert_eq!(process.vectors.list(None, 9, None).await.unwrap().indexes[0].error, Some("vectors.damaged"));
        for (path, bytes) in kept {
            store.put(path, bytes).await.unwrap();
        }
        assert_eq!(nearest(&process.vectors, &[0.0], 9).await, ["0", "1", "2"]);
    }
}

#[tokio::test]
async fn a_note_that_is_absent_or_says_nothing_hinders_nobody() {
    let store = testkit::lake::memory().await;
    let note = three(&store).await;
    for text in ["", "{", r#"{"format":2,"index":"00000000-0000-0000-0000-000000000000","fragment":9}"#] {
        store.put(&note, text.as_bytes().to_vec().into()).await.unwrap();
        assert_eq!(nearest(&open(&store).await.vectors, &[0.0], 9).await, ["0", "1", "2"]);
    }
    store.delete(&note).await.unwrap();
    let process = open(&store).await;
    assert_eq!(nearest(&process.vectors, &[0.0], 9).await, ["0", "1", "2"]);
    process.vectors.add(&name("found"), vec![item("3", &[3.0])], None).await.unwrap();
    assert_eq!(noted(&store, 4).await, note);
}
