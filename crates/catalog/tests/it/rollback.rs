//! Rollbacks: what a dataset was it can be again, and other engines see one more snapshot.

use base::{AsOf, Fault, Tag, Version};
use catalog::{Catalog, ColumnType, Mode, NewFile, Published};
use iceberg::spec::TableMetadata;
use testkit::TestLake;

use crate::support::{column, ids, ids_at, load, open, paths, publication, put_object, registration};

fn version(number: u64) -> AsOf {
    AsOf::Version(Version(number))
}

async fn roll_back(catalog: &Catalog, to: u64) -> Published {
    catalog.roll_back(&"t".parse().unwrap(), &version(to), "test").await.unwrap()
}

async fn metadata(catalog: &Catalog) -> TableMetadata {
    let pin = catalog.pin(None).await.unwrap();
    let packed = catalog.store().get(&pin.entry(&"t".parse().unwrap()).unwrap().metadata).await.unwrap();
    serde_json::from_reader(flate2::read::GzDecoder::new(&packed[..])).unwrap()
}

/// The history of `t`, newest first: mode, rows, rows added, rows removed.
async fn history(catalog: &Catalog) -> Vec<(String, u64, u64, u64)> {
    let pin = catalog.pin(None).await.unwrap();
    let page = catalog.history(&pin, &"t".parse().unwrap(), 100, None).await.unwrap();
    let line = |line: catalog::SnapshotLine| (line.mode.unwrap(), line.row_count, line.added_rows, line.removed_rows);
    page.items.into_iter().map(line).collect()
}

fn line(mode: &str, rows: u64, added: u64, removed: u64) -> (String, u64, u64, u64) {
    (mode.to_owned(), rows, added, removed)
}

#[tokio::test]
async fn rows_come_back_and_history_goes_on() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Replace, &[1, 2]).await.unwrap();
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    load(&catalog, "t", Mode::Replace, &[4]).await.unwrap();
    let back = roll_back(&catalog, 2).await;
    assert!(!back.existing);
    assert_eq!((back.version, back.table.row_count()), (Version(4), 3));
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3]);
    let again = roll_back(&catalog, 2).await;
    assert!(again.existing, "it is so already");
    assert_eq!(again.version, Version(4));
    assert!(roll_back(&catalog, 4).await.existing, "a rollback to a rollback is one to the same rows");
    load(&catalog, "t", Mode::Append, &[5]).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3, 5]);
    roll_back(&catalog, 3).await;
    let reopened = open(&lake.reopen().await).await;
    assert_eq!(ids(&reopened, "t").await, [4], "what was rolled back can be had again");
    let expected = [
        line("rollback", 1, 1, 4),
        line("append", 4, 1, 0),
        line("rollback", 3, 3, 1),
        line("replace", 1, 1, 3),
        line("append", 3, 1, 0),
        line("replace", 2, 2, 0),
    ];
    assert_eq!(history(&reopened).await, expected);
    for (number, rows) in [(1, vec![1, 2]), (2, vec![1, 2, 3]), (3, vec![4]), (4, vec![1, 2, 3]), (6, vec![4])] {
        let pin = reopened.pin(Some(&version(number))).await.unwrap();
        assert_eq!(ids_at(&reopened, &pin, "t").await, rows, "version {number}");
    }
}

#[tokio::test]
async fn outside_readers_see_a_sound_lineage() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Replace, &[1]).await.unwrap();
    load(&catalog, "t", Mode::Replace, &[2]).await.unwrap();
    let before = metadata(&catalog).await;
    roll_back(&catalog, 1).await;
    let after = metadata(&catalog).await;
    assert_eq!(after.uuid(), before.uuid());
    assert_eq!(after.last_sequence_number(), before.last_sequence_number() + 1);
    assert!(after.last_updated_ms() >= before.last_updated_ms());
    assert_eq!((after.snapshots().len(), after.history().len(), after.metadata_log().len()), (3, 3, 2));
    let snapshot = after.current_snapshot().unwrap();
    assert_eq!(snapshot.parent_snapshot_id(), before.current_snapshot_id());
    assert_eq!(snapshot.summary().operation.as_str(), "overwrite");
    let stated = |key: &str| snapshot.summary().additional_properties.get(key).map(String::as_str);
    assert_eq!(
        (stated("total-records"), stated("added-records"), stated("deleted-records")),
        (Some("1"), Some("1"), Some("1"))
    );
    let first = before.history()[0].snapshot_id.to_string();
    assert_eq!(stated("lakehouse.rolled-back-to"), Some(first.as_str()));
}

#[tokio::test]
async fn columns_come_back_with_their_ids() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let first = load(&catalog, "t", Mode::Replace, &[1]).await.unwrap();
    let mut draft = first.table.draft();
    draft.extend(&[column("city", ColumnType::String)]);
    catalog.publish(publication(draft, Mode::Append, Vec::<NewFile>::new(), "wider")).await.unwrap();
    let wider = catalog.pin(None).await.unwrap();
    let wider = catalog.table(&wider, &"t".parse().unwrap()).await.unwrap();
    assert_eq!(wider.columns().len(), 3);
    let back = roll_back(&catalog, 1).await;
    assert_eq!(back.table.columns(), first.table.columns());
    assert_eq!(back.table.fingerprint(), first.table.fingerprint());
    assert_eq!(metadata(&catalog).await.last_column_id(), 3, "an id that was given is never given again");
    let forth = roll_back(&catalog, 2).await;
    assert_eq!(forth.table.columns(), wider.columns());
    assert_eq!(ids(&catalog, "t").await, [1]);
}

#[tokio::test]
async fn a_dropped_table_comes_back_and_a_new_one_gives_way() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let name = "t".parse().unwrap();
    let first = load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    load(&catalog, "t", Mode::Append, &[2]).await.unwrap();
    catalog.drop_dataset(&name, "test").await.unwrap();
    let at_drop = catalog.roll_back(&name, &version(3), "test").await.unwrap_err();
    assert_eq!(at_drop.to_string(), "there is no dataset t at version 3");
    let back = roll_back(&catalog, 2).await;
    assert_eq!((back.existing, back.table.table_id()), (false, first.table.table_id()));
    assert_eq!(ids(&catalog, "t").await, [1, 2]);
    catalog.drop_dataset(&name, "test").await.unwrap();
    let other = load(&catalog, "t", Mode::Append, &[9]).await.unwrap();
    assert_ne!(other.table.table_id(), first.table.table_id());
    assert_eq!(roll_back(&catalog, 1).await.table.table_id(), first.table.table_id());
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1, 3]);
    assert_eq!(roll_back(&catalog, 6).await.table.table_id(), other.table.table_id());
    assert_eq!(ids(&catalog, "t").await, [9]);
}

#[tokio::test]
async fn to_a_time_or_a_tag() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let name = "t".parse().unwrap();
    load(&catalog, "t", Mode::Replace, &[1]).await.unwrap();
    let tag: Tag = "good".parse().unwrap();
    catalog.put_tag(&tag, None, "test").await.unwrap();
    let at = catalog.version(Version(1)).await.unwrap().at;
    load(&catalog, "t", Mode::Replace, &[2]).await.unwrap();
    catalog.roll_back(&name, &AsOf::Tag(tag), "test").await.unwrap();
    assert_eq!(ids(&catalog, "t").await, [1]);
    assert_eq!(catalog.version(Version(4)).await.unwrap().commits[0].message, "roll t back to version 1");
    load(&catalog, "t", Mode::Replace, &[3]).await.unwrap();
    let to_time = catalog.roll_back(&name, &AsOf::Time(at), "test").await;
    // Versions 1 and 2 may share one microsecond; both hold the same rows.
    assert_eq!(to_time.unwrap().table.row_count(), 1);
    assert_eq!(ids(&catalog, "t").await, [1]);
    for (unknown, code) in [("99", "version"), ("no-such-tag", "tag"), ("2020-01-01T00:00:00Z", "version")] {
        let refused = catalog.roll_back(&name, &unknown.parse().unwrap(), "test").await.unwrap_err();
        assert_eq!(refused.code(), format!("catalog.unknown_{code}"));
    }
    let unknown = catalog.roll_back(&"nobody".parse().unwrap(), &version(1), "test").await.unwrap_err();
    assert_eq!(unknown.code(), "catalog.unknown_dataset");
}

#[tokio::test]
async fn what_the_rows_were_made_from_is_true_again() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Replace, &[1]).await.unwrap();
    load(&catalog, "t", Mode::Replace, &[2]).await.unwrap();
    roll_back(&catalog, 1).await;
    assert!(load(&catalog, "t", Mode::Replace, &[1]).await.unwrap().existing, "the same bytes again");
    assert!(!load(&catalog, "t", Mode::Replace, &[2]).await.unwrap().existing);
    put_object(&lake.store, "a", &[5]).await;
    catalog.register(registration("r", &["a"], 1)).await.unwrap();
    load(&catalog, "r", Mode::Append, &[6]).await.unwrap();
    catalog.roll_back(&"r".parse().unwrap(), &version(5), "test").await.unwrap();
    assert_eq!(ids(&catalog, "r").await, [5]);
    let head = catalog.known_head();
    assert!(catalog.register(registration("r", &["a"], 1)).await.unwrap().existing);
    assert_eq!(catalog.known_head(), head, "the same objects again make no version");
}

#[tokio::test]
async fn far_back_is_as_good_as_near() {
    let store = testkit::lake::memory().await;
    let catalog = open(&store).await;
    for id in 1..=200 {
        load(&catalog, "t", Mode::Replace, &[id]).await.unwrap();
    }
    assert_eq!(roll_back(&catalog, 3).await.table.row_count(), 1);
    assert_eq!(ids(&catalog, "t").await, [3], "its snapshot is in no recent metadata file");
    assert!(roll_back(&catalog, 3).await.existing);
    let modes = history(&catalog).await;
    assert_eq!((modes.len(), &modes[0]), (100, &line("rollback", 1, 1, 1)));
}

#[tokio::test]
async fn rollbacks_race_with_appends_in_one_history() {
    let lake = TestLake::open().await;
    let catalogs = [open(&lake.store).await, open(&lake.reopen().await).await];
    load(&catalogs[0], "t", Mode::Append, &[0]).await.unwrap();
    let appends = async {
        for id in 1..=10 {
            load(&catalogs[0], "t", Mode::Append, &[id]).await.unwrap();
        }
    };
    let rollbacks = async {
        for _ in 0..5 {
            roll_back(&catalogs[1], 1).await;
        }
    };
    tokio::join!(appends, rollbacks);
    // Replayed in the order of the log, every record did what it says.
    let mut model: Vec<i64> = Vec::new();
    let mut appended = 0..;
    let records = catalogs[0].versions(None, 1000).await.unwrap();
    for record in records.iter().rev() {
        for commit in &record.commits {
            match commit.message.starts_with("append") {
                true => model.extend(appended.next()),
                false => model = vec![0],
            }
        }
        let pin = catalogs[1].pin(Some(&version(record.version.0))).await.unwrap();
        assert_eq!(ids_at(&catalogs[1], &pin, "t").await, model, "version {}", record.version);
    }
    let pinned = records.iter().flat_map(|record| &record.commits).count();
    let metadata = paths(&lake.store, "tables/").await.into_iter().filter(|path| path.ends_with(".metadata.json"));
    assert_eq!(metadata.count(), pinned, "what a race made needless is gone");
}
