//! Renames: a table stays what it is under another name, in what is told of it and on the way back.

use base::{AsOf, DatasetName, Fault, Kind, Span, Version};
use catalog::{Became, Caller, Catalog, Classify, Error, Expiry, Mode, Pii};
use testkit::TestLake;

use crate::support::{ids, load, open, publication, stage};

fn name(name: &str) -> DatasetName {
    name.parse().unwrap()
}

fn version(number: u64) -> AsOf {
    AsOf::Version(Version(number))
}

async fn rename(catalog: &Catalog, from: &str, to: &str) {
    let caller = Caller { author: "test".into(), idempotency_key: None, may_take_away: true };
    catalog.rename(&name(from), &name(to), caller).await.unwrap();
}

/// What became of tables since a version: name, what, former name, rows that came and went.
async fn differences(catalog: &Catalog, from: u64) -> Vec<(String, Became, Option<String>, u64, u64)> {
    let newest = catalog.pin_fresh().await.unwrap().version();
    let diff = catalog.diff(Some(&version(from)), &AsOf::Version(newest)).await.unwrap();
    let told = diff.tables.into_iter().map(|table| {
        let former = table.renamed_from.map(|from| from.to_string());
        (table.name.to_string(), table.change, former, table.rows_added.unwrap(), table.rows_removed.unwrap())
    });
    told.collect()
}

fn told(name: &str, change: Became, from: Option<&str>, rows: [u64; 2]) -> (String, Became, Option<String>, u64, u64) {
    (name.to_owned(), change, from.map(str::to_owned), rows[0], rows[1])
}

#[tokio::test]
async fn a_renamed_table_is_as_old_as_it_was_and_the_same_one() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Append, &[1, 2]).await.unwrap();
    let created = catalog.pin(None).await.unwrap().entry(&name("t")).unwrap().created_at;
    rename(&catalog, "t", "u").await;
    load(&catalog, "u", Mode::Append, &[3]).await.unwrap();
    for catalog in [&catalog, &open(&lake.reopen().await).await] {
        let pin = catalog.pin(None).await.unwrap();
        assert_eq!(pin.entry(&name("u")).unwrap().created_at, created);
        assert_eq!(differences(catalog, 1).await, [told("u", Became::Renamed, Some("t"), [1, 0])]);
        assert_eq!(differences(catalog, 2).await, [told("u", Became::Changed, None, [1, 0])]);
    }
}

#[tokio::test]
async fn names_may_be_exchanged_given_anew_and_taken_over() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "a", Mode::Append, &[1]).await.unwrap();
    load(&catalog, "b", Mode::Append, &[2, 3]).await.unwrap();
    for (from, to) in [("a", "c"), ("b", "a"), ("c", "b")] {
        rename(&catalog, from, to).await;
    }
    let exchanged = [told("a", Became::Renamed, Some("b"), [0, 0]), told("b", Became::Renamed, Some("a"), [0, 0])];
    assert_eq!(differences(&catalog, 2).await, exchanged);
    rename(&catalog, "a", "c").await;
    load(&catalog, "a", Mode::Append, &[4]).await.unwrap();
    let anew = [told("a", Became::Created, None, [1, 0]), told("c", Became::Renamed, Some("a"), [0, 0])];
    assert_eq!(differences(&catalog, 5).await, anew);
    catalog.drop_dataset(&name("a"), "test").await.unwrap();
    rename(&catalog, "c", "a").await;
    let taken = [told("a", Became::Dropped, None, [0, 1]), told("a", Became::Renamed, Some("c"), [0, 0])];
    assert_eq!(differences(&catalog, 7).await, taken);
}

#[tokio::test]
async fn the_way_back_leads_to_the_table_and_not_to_its_name() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let first = load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
    rename(&catalog, "t", "u").await;
    let refused = catalog.roll_back(&name("t"), &version(1), "test").await.unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (Kind::Conflict, "catalog.renamed"));
    assert_eq!(refused.to_string(), "t was renamed: its table at version 1 is u today, so roll u back");
    let back = catalog.roll_back(&name("u"), &version(1), "test").await.unwrap();
    assert_eq!(back.table.table_id(), first.table.table_id());
    assert_eq!(ids(&catalog, "u").await, [1]);
    let unknown = catalog.roll_back(&name("v"), &version(1), "test").await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no dataset v at version 1");
    let other = load(&catalog, "t", Mode::Append, &[9]).await.unwrap();
    assert_eq!(catalog.roll_back(&name("t"), &version(1), "test").await.unwrap_err().code(), "catalog.renamed");
    catalog.drop_dataset(&name("u"), "test").await.unwrap();
    let back = catalog.roll_back(&name("t"), &version(2), "test").await.unwrap();
    assert_eq!(back.table.table_id(), first.table.table_id(), "nobody else has it now");
    assert_ne!(back.table.table_id(), other.table.table_id());
    assert_eq!(ids(&catalog, "t").await, [1, 2]);
}

#[tokio::test]
async fn what_was_said_about_personal_data_outlives_a_drop() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    load(&catalog, "other", Mode::Append, &[1]).await.unwrap();
    let classify =
        |kind| Classify { name: name("t"), columns: [("name".to_owned(), kind)].into(), author: "test".into() };
    catalog.classify(classify(Some(Pii::Ssn))).await.unwrap();
    catalog.drop_dataset(&name("t"), "test").await.unwrap();
    load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
    let back = catalog.roll_back(&name("t"), &version(1), "test").await.unwrap();
    let kinds: Vec<_> = back.table.columns().iter().map(|column| column.pii).collect();
    assert_eq!(kinds, [None, Some(Pii::Ssn)]);
    assert_eq!(ids(&catalog, "t").await, [1]);
}

#[tokio::test]
async fn nor_does_it_end_with_the_versions_between() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    catalog.put_tag(&"first".parse().unwrap(), None, "test").await.unwrap();
    let columns = [("name".to_owned(), Some(Pii::Ssn))].into();
    catalog.classify(Classify { name: name("t"), columns, author: "test".into() }).await.unwrap();
    load(&catalog, "other", Mode::Append, &[1]).await.unwrap();
    let expiry = Expiry { older_than: None, keep_last: Some(1), linger: Span::secs(0), author: "test".into() };
    catalog.expire(&expiry).await.unwrap();
    catalog.drop_dataset(&name("t"), "test").await.unwrap();
    let back = catalog.roll_back(&name("t"), &version(1), "test").await.unwrap();
    assert_eq!(back.table.columns()[1].pii, Some(Pii::Ssn));
}

#[tokio::test]
async fn files_written_for_a_table_are_not_taken_by_another_that_has_its_name_now() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let draft = load(&catalog, "t", Mode::Append, &[1]).await.unwrap().table.draft();
    let file = stage(&catalog, &draft, &[2]).await.unwrap();
    rename(&catalog, "t", "u").await;
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    let late = publication(draft, Mode::Append, vec![file.clone()], "late");
    assert!(matches!(catalog.publish(late).await, Err(Error::Moved { .. })));
    assert_eq!((ids(&catalog, "t").await, ids(&catalog, "u").await), (vec![3], vec![1]));
    assert!(!lake.store.exists(&file.path).await.unwrap(), "nobody needs it");
}
