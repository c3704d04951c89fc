//! Stored formats: streams that an earlier release wrote are read, and appended to, for ever.

use std::path::{Path, PathBuf};

use base::Seams;
use evidence::Evidence;
use testkit::TestLake;

use crate::{line, numbers, stream};

/// Where the files of a stream of format 1 lie: a bundle, and two fragments.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/formats/v4/streams")
}

#[expect(clippy::disallowed_methods, reason = "files are copied as an operator would")]
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// `UPDATE_FORMATS=1` writes the stream anew, which only a new format may need.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the switch that writes the kept stream is for developers")]
async fn streams_of_format_1_still_read() {
    if std::env::var_os("UPDATE_FORMATS").is_some() {
        let fresh = TestLake::open().await;
        let evidence = Evidence::new(fresh.store.clone(), Seams::system());
        for number in 1..=258 {
            evidence.append(&stream("runs"), vec![line(number)]).await.unwrap();
        }
        evidence.tidy(&stream("runs")).await.unwrap();
        copy(&fresh.path().join("streams/runs"), &kept());
    }
    let lake = TestLake::open().await;
    copy(&kept(), &lake.path().join("streams/runs"));
    let evidence = Evidence::new(lake.store.clone(), Seams::system());
    assert_eq!(numbers(&evidence, "runs").await, (1..=258).collect::<Vec<_>>());
    let appended = evidence.append(&stream("runs"), vec![line(259)]).await.unwrap();
    assert_eq!((appended.fragment, numbers(&evidence, "runs").await.len()), (259, 259));
}
