//! Temporary files outside the lake.

use std::fs;
use std::io::Read;

use sha2::{Digest, Sha256};
use storage::Spool;

use crate::store::pattern;

#[tokio::test]
async fn a_spool_reads_back_any_number_of_times_and_vanishes() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("spool");
    for length in [0, 1, 262_144, 1_000_001] {
        let mut spool = Spool::create(&dir).await.expect("a spool");
        let bytes = pattern(length);
        for piece in [0..length / 3, length / 3..length / 2, length / 2..length] {
            spool.append(&bytes.slice(piece)).await.expect("append");
        }
        let file = spool.finish().await.expect("finish");
        assert_eq!((file.len, &file.sha256), (length as u64, &hex::encode(Sha256::digest(&bytes))));
        let clone = file.clone();
        drop(file);
        for _ in 0..2 {
            let mut read = Vec::new();
            clone.open().expect("open").read_to_end(&mut read).expect("read");
            assert!(read == bytes);
        }
        drop(clone);
        assert_eq!(fs::read_dir(&dir).expect("there").count(), 0);
    }
}

#[tokio::test]
async fn an_abandoned_spool_vanishes() {
    let home = tempfile::tempdir().expect("a directory");
    let mut spool = Spool::create(home.path()).await.expect("a spool");
    spool.append(&pattern(1_000_000)).await.expect("append");
    drop(spool);
    assert_eq!(fs::read_dir(home.path()).expect("there").count(), 0);
}
