//! Tags and drops: names for versions, and datasets that only the past still holds.

use base::{AsOf, Fault, Tag, Version};
use catalog::{Catalog, Mode};
use futures::future::join_all;
use testkit::TestLake;

use crate::support::{ids, ids_at, load, open};

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

fn version(number: u64) -> AsOf {
    AsOf::Version(Version(number))
}

async fn tags(catalog: &Catalog) -> Vec<(String, u64)> {
    let pin = catalog.pin_fresh().await.unwrap();
    pin.tags().map(|(tag, version)| (tag.to_string(), version.0)).collect()
}

#[tokio::test]
async fn a_tag_names_a_version_until_it_is_moved_or_dropped() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
    let put = catalog.put_tag(&tag("monday"), Some(&version(1)), "test").await.unwrap();
    assert_eq!((put.version, put.moved_from, put.at), (Version(1), None, Version(3)));
    let newest = catalog.put_tag(&tag("now"), None, "test").await.unwrap();
    assert_eq!((newest.version, newest.at), (Version(3), Version(4)));
    let pin = catalog.pin(Some(&AsOf::Tag(tag("monday")))).await.unwrap();
    assert_eq!(ids_at(&catalog, &pin, "t").await, [1]);
    let moved = catalog.put_tag(&tag("monday"), Some(&version(2)), "test").await.unwrap();
    assert_eq!((moved.version, moved.moved_from, moved.at), (Version(2), Some(Version(1)), Version(5)));
    let again = catalog.put_tag(&tag("monday"), Some(&version(2)), "test").await.unwrap();
    assert_eq!((again.moved_from, again.at), (None, Version(5)), "a tag that stays makes no version");
    let by_tag = catalog.put_tag(&tag("copy"), Some(&AsOf::Tag(tag("monday"))), "test").await.unwrap();
    assert_eq!(by_tag.version, Version(2));
    for catalog in [&catalog, &open(&lake.reopen().await).await] {
        assert_eq!(tags(catalog).await, [("copy".into(), 2), ("monday".into(), 2), ("now".into(), 3)]);
        assert_eq!(catalog.tag(&tag("now")).await.unwrap(), (Version(3), Version(6)));
    }
    assert_eq!(catalog.drop_tag(&tag("monday"), "test").await.unwrap(), Version(7));
    assert_eq!(catalog.pin(Some(&AsOf::Tag(tag("monday")))).await.unwrap_err().code(), "catalog.unknown_tag");
}

#[tokio::test]
async fn a_tag_of_nothing_is_refused_with_what_there_is() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let empty = catalog.put_tag(&tag("early"), None, "test").await.unwrap_err();
    assert_eq!(empty.code(), "catalog.unknown_version", "an empty lake has no version to name");
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    for unknown in ["0", "2", "2026-01-01T00:00:00Z"] {
        let refused = catalog.put_tag(&tag("x"), Some(&unknown.parse().unwrap()), "test").await.unwrap_err();
        assert_eq!(refused.code(), "catalog.unknown_version", "{unknown}");
        assert_eq!((refused.facts()["oldest"].as_u64(), refused.facts()["newest"].as_u64()), (Some(1), Some(1)));
    }
    catalog.put_tag(&tag("release"), None, "test").await.unwrap();
    let mistyped = AsOf::Tag(tag("relase"));
    for refused in [
        catalog.drop_tag(&tag("relase"), "test").await.err(),
        catalog.tag(&tag("relase")).await.err(),
        catalog.pin(Some(&mistyped)).await.err(),
        catalog.put_tag(&tag("x"), Some(&mistyped), "test").await.err(),
    ] {
        let refused = refused.unwrap();
        assert_eq!(refused.code(), "catalog.unknown_tag");
        assert_eq!(refused.to_string(), "there is no tag relase; did you mean release?");
    }
    assert_eq!(catalog.pin_fresh().await.unwrap().version(), Version(2), "refusals make no version");
}

#[tokio::test]
async fn a_tag_names_a_version_that_another_process_has_just_made() {
    let lake = TestLake::open().await;
    let (one, other) = (open(&lake.store).await, open(&lake.reopen().await).await);
    load(&other, "t", Mode::Append, &[1]).await.unwrap();
    assert_eq!(one.put_tag(&tag("theirs"), Some(&version(1)), "test").await.unwrap().version, Version(1));
    load(&other, "t", Mode::Append, &[2]).await.unwrap();
    let newest = one.put_tag(&tag("newest"), None, "test").await.unwrap();
    assert_eq!((newest.version, newest.at), (Version(3), Version(4)), "the newest of the lake, not of this process");
    assert_eq!(other.tag(&tag("newest")).await.unwrap().0, Version(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_tag_at_once_in_one_history() {
    let lake = TestLake::open().await;
    let catalogs = [open(&lake.store).await, open(&lake.reopen().await).await];
    load(&catalogs[0], "t", Mode::Append, &[1]).await.unwrap();
    let puts = (0..40_usize).map(|number| {
        let catalog = catalogs[number % 2].clone();
        storage::task::spawn("test", async move {
            catalog.put_tag(&tag(&format!("t{number}")), Some(&version(1)), "test").await.unwrap();
            catalog.put_tag(&tag("shared"), None, "test").await.unwrap()
        })
    });
    let mut moves = Vec::new();
    for done in join_all(puts).await {
        moves.push(done.unwrap());
    }
    let fresh = open(&lake.reopen().await).await;
    assert_eq!(tags(&fresh).await.len(), 41);
    let records = fresh.versions(None, 1000).await.unwrap();
    assert_eq!(
        records.iter().rev().map(|record| record.version.0).collect::<Vec<_>>(),
        (1..=records.len() as u64).collect::<Vec<_>>()
    );
    // Each move of the shared tag starts where an earlier one ended, so none was lost.
    for moved in &moves {
        let from_known = moved.moved_from.is_none_or(|from| moves.iter().any(|other| other.version == from));
        assert!(from_known && moved.version < moved.at);
    }
    let last = moves.iter().map(|moved| moved.version).max().unwrap();
    assert_eq!(fresh.tag(&tag("shared")).await.unwrap().0, last);
}

#[tokio::test]
async fn a_dropped_dataset_is_read_from_the_past_alone() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "sales.t", Mode::Append, &[1]).await.unwrap();
    let name = "sales.t".parse().unwrap();
    assert_eq!(catalog.drop_dataset(&name, "test").await.unwrap(), Version(2));
    let error = catalog.drop_dataset(&name, "test").await.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("catalog.unknown_dataset", "there is no dataset sales.t at version 2")
    );
    let pin = catalog.pin(None).await.unwrap();
    assert_eq!((pin.names().count(), pin.version()), (0, Version(2)));
    let before = catalog.pin(Some(&version(1))).await.unwrap();
    let first = catalog.table(&before, &name).await.unwrap().table_id();
    load(&catalog, "sales.t", Mode::Append, &[7]).await.unwrap();
    assert_eq!(ids(&catalog, "sales.t").await, [7]);
    assert_eq!(ids_at(&catalog, &before, "sales.t").await, [1]);
    let pin = catalog.pin(None).await.unwrap();
    assert_ne!(catalog.table(&pin, &name).await.unwrap().table_id(), first, "made anew, it is another table");
}
