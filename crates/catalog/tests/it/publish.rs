//! Publications: what a reader sees after one.

use base::{DatasetName, Fault, Kind, Version};
use catalog::{ColumnType, Error, Mode};
use testkit::TestLake;

use crate::support::{
    column, columns, fingerprint_of, ids, load, load_keyed, open, paths, publication, put_object, registration, stage,
};

#[tokio::test]
async fn a_new_table_is_there_the_moment_publish_returns() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let published = load(&catalog, "workers", Mode::Replace, &[1, 2, 3]).await.unwrap();
    assert!(!published.existing);
    assert_eq!(published.version, Version(1));
    let name: DatasetName = "workers".parse().unwrap();
    let pin = catalog.pin(None).await.unwrap();
    let manifest = catalog.manifest(&pin, &name).await.unwrap();
    assert_eq!(manifest.dataset_id.to_string(), published.table.dataset_id().to_string());
    assert_eq!(manifest.row_count, 3);
    assert_eq!(manifest.schema_fingerprint, fingerprint_of(&columns()));
    assert_eq!(manifest.objects.len(), 1);
    assert!(manifest.objects[0].key.starts_with("tables/workers-"));
    assert_eq!(
        manifest.schema.fields.iter().map(|f| (f.id, f.ty.as_str())).collect::<Vec<_>>(),
        [(1, "int64"), (2, "string")]
    );
    assert_eq!(ids(&catalog, "workers").await, [1, 2, 3]);
}

#[tokio::test]
async fn replace_swaps_the_rows_and_append_adds_to_them() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Replace, &[1, 2]).await.unwrap();
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3]);
    let last = load(&catalog, "t", Mode::Replace, &[9]).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [9]);
    assert_eq!(last.version, Version(3));
    let pin = catalog.pin(None).await.unwrap();
    let history = catalog.history(&pin, &"t".parse().unwrap(), 2, None).await.unwrap();
    let lines: Vec<_> = history.items.iter().map(|line| (line.version, line.row_count, line.added_rows)).collect();
    assert_eq!(lines, [(Some(Version(3)), 1, 1), (Some(Version(2)), 3, 1)]);
    assert_eq!(history.next, Some(Version(2)));
    let rest = catalog.history(&pin, &"t".parse().unwrap(), 2, history.next).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
}

#[tokio::test]
async fn the_same_source_replacing_itself_makes_no_version_and_leaves_no_file() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let first = load(&catalog, "t", Mode::Replace, &[1, 2]).await.unwrap();
    let files = paths(&lake.store, "tables/").await;
    let again = load(&catalog, "t", Mode::Replace, &[1, 2]).await.unwrap();
    assert!(again.existing);
    assert_eq!((again.version, again.table.snapshot_id()), (first.version, first.table.snapshot_id()));
    assert_eq!(paths(&lake.store, "tables/").await, files);
    // An append of the same bytes is a second append, and then the replacement is none of itself.
    assert!(!load(&catalog, "t", Mode::Append, &[1, 2]).await.unwrap().existing);
    assert!(!load(&catalog, "t", Mode::Replace, &[1, 2]).await.unwrap().existing);
    assert_eq!(ids(&catalog, "t").await, [1, 2]);
}

#[tokio::test]
async fn a_retried_key_answers_the_first_outcome_and_refuses_another_request() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    let first = load_keyed(&catalog, "t", Mode::Append, &[2], Some("k")).await.unwrap();
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    let again = load_keyed(&catalog, "t", Mode::Append, &[2], Some("k")).await.unwrap();
    assert_eq!((again.version, again.existing, again.table.row_count()), (first.version, false, 2));
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3]);
    let other = load_keyed(&catalog, "t", Mode::Append, &[4], Some("k")).await.unwrap_err();
    assert_eq!(other.code(), "catalog.key_reused");
    // The key outlives the process.
    let reopened = open(&lake.reopen().await).await;
    let again = load_keyed(&reopened, "t", Mode::Append, &[2], Some("k")).await.unwrap();
    assert_eq!(again.version, first.version);
}

#[tokio::test]
async fn a_table_of_another_shape_is_moved_and_the_files_are_gone() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let name: DatasetName = "t".parse().unwrap();
    let other = catalog.draft(&name, &[column("id", ColumnType::Int64), column("name", ColumnType::String)]).unwrap();
    let draft = catalog.draft(&name, &[column("n", ColumnType::Int64), column("name", ColumnType::String)]).unwrap();
    let file = stage(&catalog, &other, &[1]).await.unwrap();
    catalog.publish(publication(other, Mode::Replace, vec![file], "a")).await.unwrap();
    let before = paths(&lake.store, "tables/").await;
    let file = stage(&catalog, &draft, &[1]).await.unwrap();
    let error = catalog.publish(publication(draft, Mode::Replace, vec![file], "b")).await.unwrap_err();
    assert!(matches!(error, Error::Moved { .. }));
    assert_eq!(paths(&lake.store, "tables/").await, before);
}

#[tokio::test]
async fn a_table_without_rows_has_a_snapshot_and_no_files() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let draft = catalog.draft(&"empty".parse().unwrap(), &columns()).unwrap();
    let published = catalog.publish(publication(draft, Mode::Replace, vec![], "none")).await.unwrap();
    assert_eq!(published.table.row_count(), 0);
    assert!(published.table.snapshot_id().is_some());
    assert!(published.table.files().await.unwrap().is_empty());
    load(&catalog, "empty", Mode::Append, &[5]).await.unwrap();
    assert_eq!(ids(&catalog, "empty").await, [5]);
}

#[tokio::test]
async fn many_appends_merge_their_manifests_and_lose_nothing() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    for id in 0..70 {
        load(&catalog, "t", Mode::Append, &[id]).await.unwrap();
    }
    assert_eq!(ids(&catalog, "t").await, (0..70).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_unknown_name_is_refused_with_near_ones() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "workers", Mode::Replace, &[1]).await.unwrap();
    let pin = catalog.pin(None).await.unwrap();
    let error = catalog.table(&pin, &"worker".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no dataset worker at version 1; did you mean workers?");
}

#[tokio::test]
async fn bounds_and_counts_of_files_are_those_of_the_rows() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let published = load(&catalog, "t", Mode::Replace, &[7, -3, 12]).await.unwrap();
    let files = published.table.files().await.unwrap();
    let [file] = files.as_ref() else { panic!("one file") };
    assert_eq!((file.rows, file.exact), (3, true));
    assert_eq!((&file.lower[&1], &file.upper[&1]), (&catalog::Bound::Long(-3), &catalog::Bound::Long(12)));
    assert_eq!(file.lower[&2], catalog::Bound::String("worker -3".into()));
    assert_eq!(file.nulls[&1], 0);
}

#[tokio::test]
async fn one_broken_table_hides_no_other() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    for name in ["a", "b", "c"] {
        load(&catalog, name, Mode::Replace, &[1]).await.unwrap();
    }
    let pin = catalog.pin(None).await.unwrap();
    let metadata = pin.entry(&"b".parse().unwrap()).unwrap().metadata.clone();
    lake.store.put(&metadata, "garbage".into()).await.unwrap();
    let reopened = open(&lake.reopen().await).await;
    let pin = reopened.pin(None).await.unwrap();
    let list = reopened.list(&pin).await.unwrap();
    let seen: Vec<_> = list.iter().map(|m| (m.name.to_string(), m.error.is_some(), m.row_count)).collect();
    assert_eq!(seen, [("a".into(), false, 1), ("b".into(), true, 1), ("c".into(), false, 1)]);
    assert_eq!(list[1].error.as_ref().unwrap().code, "catalog.damaged");
    assert!(!list[1].error.as_ref().unwrap().detail.contains('/'));
    lake.store.delete(&metadata).await.unwrap();
    let third = open(&lake.reopen().await).await;
    assert_eq!(third.list(&third.pin(None).await.unwrap()).await.unwrap().len(), 3);
    load(&third, "c", Mode::Replace, &[2]).await.unwrap();
}

#[tokio::test]
async fn the_systems_own_namespaces_are_no_place_for_datasets() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    put_object(&lake.store, "a", &[1]).await;
    for name in ["information_schema.x", "Information_Schema.x", "runs.sessions"] {
        let refused = load(&catalog, name, Mode::Replace, &[1]).await.unwrap_err();
        assert_eq!((refused.code(), refused.kind()), ("catalog.reserved_name", Kind::Denied), "{name}");
        let refused = catalog.register(registration(name, &["a"], 1)).await.unwrap_err();
        assert_eq!(refused.code(), "catalog.reserved_name", "{name}");
    }
    load(&catalog, "runs", Mode::Replace, &[1]).await.unwrap();
    assert_eq!(paths(&lake.store, "_lake/log/").await.len(), 1);
}
