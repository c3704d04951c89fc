//! Small files become large ones, and nobody can tell from the rows.

use base::{AsOf, ByteSize, Fault, Version};
use catalog::{Classify, Mode, Pii};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::PageIndexPolicy;
use testkit::TestLake;
use upkeep::{Compact, Upkeep};

use crate::support::{answers, compact_all, files, ids, load, open, upkeep};

async fn appended(lake: &TestLake, name: &str, count: i64) -> (catalog::Catalog, Upkeep) {
    let catalog = open(&lake.store).await;
    for id in 0..count {
        load(&catalog, name, Mode::Append, &[id, id + 100]).await.unwrap();
    }
    let upkeep = upkeep(&catalog);
    (catalog, upkeep)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_files_become_one_and_every_version_answers_as_before() {
    let lake = TestLake::open().await;
    let (catalog, upkeep) = appended(&lake, "t", 40).await;
    let before = answers(&catalog).await;
    let [done] = upkeep.compact(&compact_all()).await.unwrap().try_into().unwrap();
    assert_eq!((done.files, done.rows, done.files_after), (40, 80, 1));
    assert_eq!(done.version, Some(Version(41)));
    assert_eq!(files(&catalog, "t").await, 1);
    let mut expected = before.clone();
    expected.insert(Version(41), before[&Version(40)].clone());
    assert_eq!(answers(&catalog).await, expected);
    assert_eq!(answers(&open(&lake.store).await).await, expected, "to another process too");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_compact_stays_as_it_is() {
    let lake = TestLake::open().await;
    let (catalog, upkeep) = appended(&lake, "t", 3).await;
    upkeep.compact(&compact_all()).await.unwrap();
    let [again] = upkeep.compact(&compact_all()).await.unwrap().try_into().unwrap();
    assert_eq!((again.files, again.version, again.left_alone), (0, None, None));
    assert_eq!(catalog.pin_fresh().await.unwrap().version(), Version(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_and_changes_nothing() {
    let lake = TestLake::open().await;
    let (catalog, upkeep) = appended(&lake, "t", 3).await;
    let [planned] = upkeep.compact(&Compact { dry_run: true, ..compact_all() }).await.unwrap().try_into().unwrap();
    assert_eq!((planned.files, planned.rows, planned.files_after, planned.version), (3, 6, 1, None));
    assert_eq!((files(&catalog, "t").await, catalog.known_head()), (3, Version(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_half_the_target_are_left_alone() {
    let lake = TestLake::open().await;
    let (catalog, upkeep) = appended(&lake, "t", 2).await;
    let many: Vec<i64> = (0..20_000).collect();
    load(&catalog, "t", Mode::Append, &many).await.unwrap();
    let target = ByteSize(100_000);
    let [done] = upkeep.compact(&Compact { target, ..compact_all() }).await.unwrap().try_into().unwrap();
    assert_eq!((done.files, done.rows), (2, 4));
    assert_eq!(files(&catalog, "t").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_by_the_same_rows_is_still_known_after_compaction() {
    let lake = TestLake::open().await;
    let (catalog, upkeep) = appended(&lake, "t", 1).await;
    let rows = [5, 6, 7];
    load(&catalog, "t", Mode::Replace, &rows).await.unwrap();
    load(&catalog, "u", Mode::Append, &[1]).await.unwrap();
    load(&catalog, "u", Mode::Append, &[2]).await.unwrap();
    let done = upkeep.compact(&compact_all()).await.unwrap();
    assert_eq!(done.iter().map(|done| done.files).collect::<Vec<_>>(), [0, 2]);
    assert!(load(&catalog, "t", Mode::Replace, &rows).await.unwrap().existing);
    assert_eq!(ids(&catalog, "u").await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_says_what_happened() {
    let lake = TestLake::open().await;
    let (catalog, upkeep) = appended(&lake, "t", 2).await;
    upkeep.compact(&compact_all()).await.unwrap();
    load(&catalog, "t", Mode::Append, &[9]).await.unwrap();
    let pin = catalog.pin(None).await.unwrap();
    let lines = catalog.history(&pin, &"t".parse().unwrap(), 10, None).await.unwrap().items;
    let lines: Vec<_> = lines.iter().map(|line| (line.operation.as_str(), line.row_count)).collect();
    assert_eq!(lines, [("append", 5), ("replace", 4), ("append", 4), ("append", 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_damaged_stops_its_table_and_no_other() {
    let lake = TestLake::open().await;
    let (catalog, upkeep) = appended(&lake, "bad", 4).await;
    for id in [1, 2] {
        load(&catalog, "good", Mode::Append, &[id]).await.unwrap();
    }
    let pin = catalog.pin(None).await.unwrap();
    let table = catalog.table(&pin, &"bad".parse().unwrap()).await.unwrap();
    let listed = table.files().await.unwrap();
    let (file, other) = (&listed[1], lake.store.get(&listed[2].path).await.unwrap());
    assert_eq!(file.size, other.len() as u64);
    let before = crate::support::paths(&lake.store, "tables/bad").await;
    let only = Compact { name: Some("bad".parse().unwrap()), ..compact_all() };
    // Cut, gone, and with other values in as many rows and bytes.
    for damage in [Some(other.slice(..50)), None, Some(other)] {
        match damage {
            Some(bytes) => drop(lake.store.put(&file.path, bytes).await.unwrap()),
            None => lake.store.delete(&file.path).await.unwrap(),
        }
        assert_eq!(upkeep.compact(&only).await.unwrap_err().code(), "upkeep.unreadable");
    }
    lake.store.put(&file.path, vec![0; file.size as usize].into()).await.unwrap();
    let done = upkeep.compact(&compact_all()).await.unwrap();
    let told = format!("the data file {} of bad cannot be read", file.path);
    assert_eq!(done[0].left_alone.as_deref(), Some(told.as_str()));
    assert_eq!((done[1].files, files(&catalog, "good").await), (2, 1));
    assert_eq!(crate::support::paths(&lake.store, "tables/bad").await, before, "nothing is left behind");
    let past = catalog.pin(Some(&AsOf::Version(Version(6)))).await.unwrap();
    assert_eq!(crate::support::ids_at(&catalog, &past, "good").await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bounds_of_a_column_that_was_called_personal_are_listed_no_more() {
    let lake = TestLake::open().await;
    let (catalog, upkeep) = appended(&lake, "t", 2).await;
    let columns = [("name".to_owned(), Some(Pii::Name))].into();
    catalog.classify(Classify { name: "t".parse().unwrap(), columns, author: "test".into() }).await.unwrap();
    let before = crate::support::paths(&lake.store, "tables/").await;
    upkeep.compact(&compact_all()).await.unwrap();
    let mut manifests = (0, 0);
    for path in crate::support::paths(&lake.store, "tables/").await.iter().filter(|path| path.ends_with(".avro")) {
        let is_told = lake.store.get(path).await.unwrap().windows(6).any(|bytes| bytes == b"worker");
        if before.contains(path) { manifests.0 += usize::from(is_told) } else { manifests.1 += usize::from(is_told) }
    }
    assert_eq!(manifests, (1, 0), "only what was listed before it was called personal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_that_changed_is_neither_merged_nor_backed_up() {
    let lake = TestLake::open().await;
    let (catalog, upkeep) = appended(&lake, "t", 2).await;
    upkeep.compact(&compact_all()).await.unwrap();
    load(&catalog, "t", Mode::Append, &[9]).await.unwrap();
    let pin = catalog.pin(None).await.unwrap();
    let listed = catalog.table(&pin, &"t".parse().unwrap()).await.unwrap().files().await.unwrap();
    let path = &listed.iter().max_by_key(|file| file.rows).unwrap().path;
    let sound = lake.store.get(path).await.unwrap();
    for at in [8, 50, sound.len() - 100] {
        let mut bytes = sound.to_vec();
        bytes[at] ^= 1;
        lake.store.put(path, bytes.into()).await.unwrap();
        let told = upkeep.compact(&compact_all()).await.unwrap().remove(0).left_alone;
        assert_eq!(told, Some(format!("the data file {path} of t cannot be read")), "{at}");
        let refused = upkeep.back_up(&testkit::lake::memory().await, None).await.unwrap_err();
        assert_eq!((refused.code(), refused.to_string()), ("catalog.damaged", format!("{path} is damaged")), "{at}");
    }
    lake.store.put(path, sound).await.unwrap();
    upkeep.back_up(&testkit::lake::memory().await, None).await.unwrap();
    assert_eq!(upkeep.compact(&compact_all()).await.unwrap().remove(0).rows, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_of_a_manifest_that_changed_is_told_as_its_own_damage() {
    let lake = TestLake::open().await;
    drop(appended(&lake, "t", 2).await);
    let (all, mut damages) = (crate::support::paths(&lake.store, "tables/").await, 0);
    for path in all.iter().filter(|path| path.ends_with(".avro")) {
        let sound = lake.store.get(path).await.unwrap();
        let mut bytes = sound.to_vec();
        bytes[sound.len() - 40] ^= 4;
        lake.store.put(path, bytes.into()).await.unwrap();
        let catalog = open(&lake.store).await;
        let upkeep = upkeep(&catalog);
        if let Err(refused) = upkeep.back_up(&testkit::lake::memory().await, None).await {
            let kind = if path.contains("/snap-") { "manifest list" } else { "manifest" };
            let told = format!("the {kind} {path} of t is damaged");
            assert_eq!((refused.code(), refused.to_string()), ("catalog.damaged", told.clone()));
            assert_eq!(upkeep.compact(&compact_all()).await.unwrap().remove(0).left_alone, Some(told));
            damages += 1;
        }
        lake.store.put(path, sound).await.unwrap();
    }
    assert_eq!(damages, 3, "two manifests and the newest list of them");
    upkeep(&open(&lake.store).await).back_up(&testkit::lake::memory().await, None).await.unwrap();
}

/// Whether a data file of `t` holds the text of a value outside its pages.
async fn tells(catalog: &catalog::Catalog) -> Vec<bool> {
    let pin = catalog.pin_fresh().await.unwrap();
    let files = catalog.table(&pin, &"t".parse().unwrap()).await.unwrap().files().await.unwrap();
    let mut told = Vec::new();
    for file in files.iter() {
        let bytes = catalog.store().get(&file.path).await.unwrap();
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let read = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes.clone(), options).unwrap();
        let pages: usize = read.metadata().row_groups()[0].compressed_size() as usize;
        told.push(bytes[4 + pages..].windows(6).any(|bytes| bytes == b"worker"));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_that_does_not_read_keeps_no_others_from_being_written_anew() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let many: Vec<i64> = (0..20_000).collect();
    for ids in [&[1][..], &[2], &many] {
        load(&catalog, "t", Mode::Append, ids).await.unwrap();
    }
    let columns = [("name".to_owned(), Some(Pii::Name))].into();
    catalog.classify(Classify { name: "t".parse().unwrap(), columns, author: "test".into() }).await.unwrap();
    let pin = catalog.pin(None).await.unwrap();
    let listed = catalog.table(&pin, &"t".parse().unwrap()).await.unwrap().files().await.unwrap();
    let large = listed.iter().max_by_key(|file| file.rows).unwrap();
    lake.store.put(&large.path, vec![0; large.size as usize].into()).await.unwrap();
    let compact = Compact { name: Some("t".parse().unwrap()), target: ByteSize(4000), ..compact_all() };
    let [done] = upkeep(&catalog).compact(&compact).await.unwrap().try_into().unwrap();
    assert_eq!((done.files, done.rows, done.left_alone), (2, 2, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_or_large_file_is_written_anew_once_it_tells_of_what_is_personal() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let upkeep = upkeep(&catalog);
    load(&catalog, "t", Mode::Append, &[1]).await.unwrap();
    let many: Vec<i64> = (0..20_000).collect();
    load(&catalog, "t", Mode::Append, &many).await.unwrap();
    let compact = Compact { target: ByteSize(2000), ..compact_all() };
    let [done] = upkeep.compact(&compact).await.unwrap().try_into().unwrap();
    assert_eq!((done.files, tells(&catalog).await), (0, vec![true, true]));
    let columns = [("name".to_owned(), Some(Pii::Name))].into();
    catalog.classify(Classify { name: "t".parse().unwrap(), columns, author: "test".into() }).await.unwrap();
    let before = ids(&catalog, "t").await;
    let [planned] = upkeep.compact(&Compact { dry_run: true, ..compact.clone() }).await.unwrap().try_into().unwrap();
    let [done] = upkeep.compact(&compact).await.unwrap().try_into().unwrap();
    assert_eq!((planned.files, done.files, done.rows), (2, 2, 20_001));
    assert!(tells(&catalog).await.iter().all(|tells| !tells));
    assert_eq!(ids(&catalog, "t").await, before);
    let [again] = upkeep.compact(&compact).await.unwrap().try_into().unwrap();
    assert_eq!((again.files, again.version), (0, None));
}
