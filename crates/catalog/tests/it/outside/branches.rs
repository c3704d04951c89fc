//! An engine that commits to other branches than `main`.

use std::time::{Duration, SystemTime};

use base::{Seams, Timestamp};
use iceberg::spec::{Snapshot, SnapshotReference, SnapshotRetention, TableMetadata};
use serde_json::json;
use testkit::TestLake;

use super::engine::{Engine, manifests, snapshot};
use crate::support::{ids, open, paths};

/// The table as an engine sees it that works on its branch `audit`.
async fn checked_out(engine: &Engine<'_>) -> TableMetadata {
    let metadata = engine.metadata().await;
    let Some(head) = metadata.snapshot_for_ref("audit").map(|head| head.snapshot_id()) else { return metadata };
    let main = SnapshotReference::new(head, SnapshotRetention::branch(None, None, None));
    metadata.into_builder(None).set_ref("main", main).unwrap().build().unwrap().metadata
}

async fn append_to_branch(engine: &Engine<'_>, ids: &[i64]) -> catalog::Result<Snapshot> {
    let seen = checked_out(engine).await;
    let file = engine.file(&seen, ids).await;
    let (added, mut updates) = snapshot(&seen, manifests(&seen).await, vec![file]).await;
    updates[1]["ref-name"] = json!("audit");
    engine.update(updates).await?;
    Ok(engine.metadata().await.snapshot_by_id(added.snapshot_id()).unwrap().as_ref().clone())
}

#[expect(clippy::disallowed_methods, reason = "only the system can make files old")]
async fn make_old(lake: &TestLake) {
    for path in paths(&lake.store, "tables/").await {
        let file = std::fs::File::options().write(true).open(lake.path().join(path)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
    }
}

#[tokio::test]
async fn a_branch_goes_on_after_a_sweep_and_its_files_count_once() {
    let lake = TestLake::open().await;
    let catalog = open(&lake.store).await;
    let engine = Engine::create(&catalog, "t").await;
    engine.append(&[1]).await.unwrap();
    append_to_branch(&engine, &[2]).await.unwrap();
    make_old(&lake).await;
    let hour_ago = Timestamp::from_micros(Seams::system().now().micros() - 3_600_000_000);
    catalog.announce_sweep(hour_ago, "test").await.unwrap();
    let head = append_to_branch(&engine, &[3]).await.unwrap();
    let metadata = engine.metadata().await;
    assert_eq!(metadata.snapshot_for_ref("audit").unwrap().snapshot_id(), head.snapshot_id());
    let stated = |key: &str| head.summary().additional_properties[key].parse::<u64>().unwrap();
    let size = catalog.store().head(&data_file(&lake).await).await.unwrap().size;
    let totals = ["total-records", "total-data-files", "total-files-size"].map(stated);
    assert_eq!(totals, [3, 3, 3 * size], "every file holds one row of the same length");
    assert_eq!(ids(&catalog, "t").await, [1], "main is where it was");
}

async fn data_file(lake: &TestLake) -> String {
    paths(&lake.store, "tables/").await.into_iter().find(|path| path.ends_with(".parquet")).unwrap()
}
