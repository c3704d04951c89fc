//! A backup or a restore that dies on the way is never taken for a whole one.

use base::Seams;
use storage::Store;
use testkit::{Bucket, Fickle};
use upkeep::{Upkeep, restore};

use crate::lake::{Sight, furnished, look, open};

async fn restored(from: &Store) -> Option<Sight> {
    let target = Bucket::new(Seams::system());
    restore(from, &target.store()).await.ok()?;
    Some(look(&target.store(), 0).await)
}

#[tokio::test]
async fn back_up() {
    let start = furnished().await;
    let upkeep = Upkeep::new(open(&start.store()).await.unwrap(), Seams::system());
    let whole = Fickle::new();
    upkeep.back_up(&whole.store(), None).await.unwrap();
    let expected = restored(&whole.bucket().store()).await.unwrap();
    assert_eq!(expected.tables, look(&start.store(), 0).await.tables);
    let mut is_whole = false;
    for (calls, lasting) in (1..=whole.calls()).flat_map(|calls| [(calls, false), (calls, true)]) {
        let dying = Fickle::over(Bucket::new(Seams::system()), calls, lasting);
        let told = upkeep.back_up(&dying.store(), None).await;
        let found = restored(&dying.bucket().store()).await;
        assert!(found.is_none() || found.as_ref() == Some(&expected), "dead after {calls}: {found:#?}");
        assert!(told.is_err() || found.is_some(), "dead after {calls}: acknowledged and lost");
        assert!(found.is_some() || !is_whole, "dead after {calls}: whole one call earlier, and no more");
        is_whole = found.is_some();
    }
    assert!(is_whole, "the last call has left no whole backup, whatever its caller was told");
}

#[tokio::test]
async fn put_back() {
    let start = furnished().await;
    let backup = Bucket::new(Seams::system());
    let upkeep = Upkeep::new(open(&start.store()).await.unwrap(), Seams::system());
    upkeep.back_up(&backup.store(), None).await.unwrap();
    let whole = Fickle::new();
    restore(&backup.store(), &whole.store()).await.unwrap();
    let expected = look(&whole.bucket().store(), 0).await;
    for (calls, lasting) in (1..=whole.calls()).flat_map(|calls| [(calls, false), (calls, true)]) {
        let dying = Fickle::over(Bucket::new(Seams::system()), calls, lasting);
        let told = restore(&backup.store(), &dying.store()).await;
        let left = dying.bucket().store();
        // Half of a lake must not open as a lake; none of it may open as a new one.
        let opens = open(&left).await.ok();
        let is_whole = match &opens {
            Some(catalog) if catalog.known_head().0 > 0 => look(&left, 0).await == expected,
            _ => false,
        };
        let is_half = opens.is_some_and(|catalog| catalog.known_head().0 > 0) && !is_whole;
        assert!(!is_half, "dead after {calls}: half of a lake opens");
        assert!(told.is_err() || is_whole, "dead after {calls}: acknowledged and lost");
    }
}
