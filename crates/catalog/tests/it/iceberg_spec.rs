//! What other engines read: the metadata we write, judged by the Iceberg library itself.

use std::collections::BTreeSet;

use catalog::{Catalog, Mode};
use iceberg::spec::{FormatVersion, ManifestContentType, ManifestList, TableMetadata};
use testkit::TestLake;

use crate::support::{ids, load, open, put_object, registration};

async fn metadata(catalog: &Catalog, name: &str) -> TableMetadata {
    let pin = catalog.pin(None).await.unwrap();
    let path = &pin.entry(&name.parse().unwrap()).unwrap().metadata;
    assert!(path.ends_with(".gz.metadata.json"));
    let packed = catalog.store().get(path).await.unwrap();
    serde_json::from_reader(flate2::read::GzDecoder::new(&packed[..])).unwrap()
}

#[tokio::test]
async fn metadata_is_to_the_specification() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Replace, &[1, 2]).await.unwrap();
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    load(&catalog, "t", Mode::Replace, &[4]).await.unwrap();
    let metadata = metadata(&catalog, "t").await;
    assert_eq!(metadata.format_version(), FormatVersion::V2);
    assert_eq!(metadata.properties()["gc.enabled"], "false");
    assert!(metadata.location().starts_with(&format!("{}/tables/t-", lake.store.uri())));
    assert!(metadata.current_schema().as_struct().fields().iter().all(|field| !field.required));
    assert_eq!(metadata.uuid().get_version_num(), 4);
    assert_eq!((metadata.snapshots().len(), metadata.metadata_log().len(), metadata.history().len()), (3, 2, 3));
    assert_eq!(metadata.last_sequence_number(), 3);
    let mut snapshots: Vec<_> = metadata.snapshots().collect();
    snapshots.sort_by_key(|snapshot| snapshot.sequence_number());
    let operations: Vec<_> = snapshots.iter().map(|snapshot| snapshot.summary().operation.as_str()).collect();
    assert_eq!(operations, ["append", "append", "overwrite"]);
    let parents: Vec<_> = snapshots.iter().map(|snapshot| snapshot.parent_snapshot_id()).collect();
    assert_eq!(parents, [None, Some(snapshots[0].snapshot_id()), Some(snapshots[1].snapshot_id())]);
    let summary = &snapshots[2].summary().additional_properties;
    let stated = |key: &str| summary.get(key).map(String::as_str);
    assert_eq!((stated("total-records"), stated("total-data-files")), (Some("1"), Some("1")));
    assert_eq!((stated("added-records"), stated("deleted-records")), (Some("1"), Some("3")));
    assert_eq!(stated("deleted-data-files"), Some("2"));
}

#[tokio::test]
async fn manifests_list_what_was_added_removed_and_kept() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    load(&catalog, "t", Mode::Replace, &[1, 2]).await.unwrap();
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    load(&catalog, "t", Mode::Replace, &[4]).await.unwrap();
    let metadata = metadata(&catalog, "t").await;
    let list = metadata.current_snapshot().unwrap().manifest_list();
    let path = list.strip_prefix(lake.store.uri()).unwrap().trim_start_matches('/');
    let list = ManifestList::parse_with_version(&lake.store.get(path).await.unwrap(), FormatVersion::V2).unwrap();
    assert!(list.entries().iter().all(|manifest| manifest.content == ManifestContentType::Data));
    let counts: BTreeSet<_> =
        list.entries().iter().map(|manifest| (manifest.added_files_count, manifest.deleted_files_count)).collect();
    assert_eq!(counts, BTreeSet::from([(Some(1), Some(0)), (Some(0), Some(2))]));
    for manifest in list.entries() {
        assert_eq!(manifest.sequence_number, 3);
        let path = manifest.manifest_path.strip_prefix(lake.store.uri()).unwrap().trim_start_matches('/');
        assert_eq!(lake.store.head(path).await.unwrap().size, u64::try_from(manifest.manifest_length).unwrap());
    }
}

#[tokio::test]
async fn the_library_itself_reads_our_tables() {
    use iceberg::io::FileIO;
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    put_object(&lake.store, "a", &[1, 2]).await;
    catalog.register(registration("t", &["a"], 2)).await.unwrap();
    load(&catalog, "t", Mode::Append, &[3]).await.unwrap();
    let pin = catalog.pin(None).await.unwrap();
    let location = format!("{}/{}", lake.store.uri(), pin.entry(&"t".parse().unwrap()).unwrap().metadata);
    let io = FileIO::new_with_fs();
    let metadata = TableMetadata::read_from(&io, &location).await.unwrap();
    let table = iceberg::table::Table::builder()
        .file_io(io)
        .metadata(metadata)
        .metadata_location(location)
        .identifier(iceberg::TableIdent::from_strs(["default", "t"]).unwrap())
        .runtime(iceberg::Runtime::try_current().unwrap())
        .build()
        .unwrap();
    let batches: Vec<arrow::array::RecordBatch> = {
        use futures::TryStreamExt;
        table.scan().build().unwrap().to_arrow().await.unwrap().try_collect().await.unwrap()
    };
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 3);
    let named = batches.iter().all(|batch| batch.column_by_name("name").unwrap().null_count() == 0);
    assert!(named, "the name mapping resolves registered files");
    assert_eq!(ids(&catalog, "t").await, [1, 2, 3]);
}
