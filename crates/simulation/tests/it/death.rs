//! A process dies at each call of the store, before it takes effect or after: what is left is the old state or the new,
//! never anything between. An operation is one line.

use std::collections::HashMap;

use base::{ByteSize, Span};
use catalog::{Caller, Catalog, Expiry};
use futures::future::BoxFuture;
use futures::stream;
use ingest::{Ingest, Progress, Request};
use simulation::deed::{Deed, name};
use storage::Store;
use testkit::Fickle;
use upkeep::{Compact, Upkeep};

use crate::lake::{
    Failure, Sight, config, content, furnished, item, look, open, perform, perform_by, seams, sweep, sweep_twice,
    vectors,
};

macro_rules! operations {
    ($($operation:ident($store:ident): $run:expr;)*) => {
        $(
            #[tokio::test]
            async fn $operation() {
                die_everywhere(|$store: Store| Box::pin(async move { $run.await })).await;
            }
        )*
    };
}

operations! {
    create_a_table(store): perform(&store, Deed::Append { table: "new", row: 6, keyed: false });
    append(store): perform(&store, Deed::Append { table: "t", row: 6, keyed: true });
    replace(store): perform(&store, Deed::Replace { table: "t", row: 6 });
    register(store): perform(&store, Deed::Register { table: "u", row: 20 });
    ingest(store): load(&store);
    drop_a_table(store): perform(&store, Deed::Drop { table: "t" });
    roll_back(store): perform(&store, Deed::RollBack { table: "t", to: 1 });
    undrop(store): perform(&store, Deed::RollBack { table: "gone", to: 5 });
    tag(store): perform(&store, Deed::Tag { tag: "b", version: None });
    move_a_tag(store): perform(&store, Deed::Tag { tag: "a", version: Some(1) });
    untag(store): perform(&store, Deed::Untag { tag: "a" });
    commit_from_outside(store): commit_outside(&store);
    append_from_outside(store): perform(&store, Deed::Commit { table: "t", row: 6, branch: false, keyed: false });
    append_to_a_branch(store): perform(&store, Deed::Commit { table: "t", row: 6, branch: true, keyed: false });
    fast_forward(store): perform(&store, Deed::FastForward { table: "u" });
    add_a_column(store): perform(&store, Deed::Evolve { table: "t", row: 6, column: "more" });
    rename_a_table(store): perform(&store, Deed::Rename { from: "t", to: "v" });
    classify(store): perform(&store, Deed::Classify { table: "t", class: Some(catalog::Pii::Email) });
    rewrite(store): perform(&store, Deed::Compact { table: "t" });
    compact_files(store): compact(&store);
    expire_versions(store): expire(&store);
    sweep_strays(store): sweep_once(&store);
    relocate_a_lake(store): relocate(&store);
    create_an_index(store): perform(&store, Deed::CreateIndex { index: "y" });
    add_to_an_index(store): add(&store);
    remove_from_an_index(store): remove(&store);
    seal_an_index(store): seal(&store);
    join_segments(store): join(&store);
    drop_an_index(store): perform(&store, Deed::DropIndex { index: "x" });
}

async fn load(store: &Store) -> Result<(), Failure> {
    let ingest = Ingest::new(open(store).await?, &ingest::Config::default(), seams());
    let request = Request { mode: catalog::Mode::Append, ..Request::new(name("t")) };
    let body = stream::iter([Ok(bytes::Bytes::from_static(b"id\n6\n7\n"))]);
    ingest.load(request, body, &Progress::default()).await?;
    Ok(())
}

async fn commit_outside(store: &Store) -> Result<(), Failure> {
    let changes = serde_json::json!({"updates": [{"action": "set-properties", "updates": {"owner": "somebody"}}]});
    let caller = Caller { author: "test".into(), idempotency_key: Some("once".into()), may_take_away: true };
    open(store).await?.commit_outside(&name("t"), serde_json::from_value(changes)?, caller).await?;
    Ok(())
}

async fn compact(store: &Store) -> Result<(), Failure> {
    let compact = Compact { name: None, target: ByteSize::mib(1), dry_run: false, author: "test".into() };
    Upkeep::new(open(store).await?, seams()).compact(&compact).await?;
    Ok(())
}

async fn expire(store: &Store) -> Result<(), Failure> {
    let linger = Span::millis(0);
    let expiry = Expiry { older_than: None, keep_last: Some(3), linger, author: "test".into() };
    open(store).await?.expire(&expiry).await?;
    Ok(())
}

async fn sweep_once(store: &Store) -> Result<(), Failure> {
    Upkeep::new(open(store).await?, seams()).sweep(&sweep()).await?;
    Ok(())
}

async fn relocate(store: &Store) -> Result<(), Failure> {
    Catalog::relocate(store.clone(), &config(), seams(), "test").await?;
    Ok(())
}

async fn add(store: &Store) -> Result<(), Failure> {
    let (indexes, _directory) = vectors(store).await?;
    indexes.add(&"x".parse()?, vec![item("second"), item("third")], None).await?;
    Ok(())
}

async fn seal(store: &Store) -> Result<(), Failure> {
    let (indexes, _directory) = vectors(store).await?;
    indexes.seal(&"x".parse()?, "test").await?;
    Ok(())
}

/// What the index holds stays the same, while its segments grow in number and become one.
async fn join(store: &Store) -> Result<(), Failure> {
    let (indexes, _directory) = vectors(store).await?;
    for _ in 0..4 {
        indexes.add(&"x".parse()?, vec![item("first")], None).await?;
        indexes.seal(&"x".parse()?, "test").await?;
    }
    indexes.keeper().round().await;
    Ok(())
}

async fn remove(store: &Store) -> Result<(), Failure> {
    let (indexes, _directory) = vectors(store).await?;
    indexes.remove(&"x".parse()?, vec!["first".into()]).await?;
    Ok(())
}

/// Runs an operation whole, then lets it die at every call, and looks at what is left each time.
async fn die_everywhere(run: impl Fn(Store) -> BoxFuture<'static, Result<(), Failure>>) {
    let start = furnished().await;
    let versions = open(&start.store()).await.unwrap().known_head().0;
    let before = look(&start.store(), versions).await;
    let whole = Fickle::over(start.fork(), usize::MAX, false);
    run(whole.store()).await.unwrap();
    let after = look(&whole.bucket().store(), versions).await;
    // Most calls only read, so that many deaths leave the very same content.
    let mut seen: HashMap<String, Sight> = HashMap::new();
    for (calls, lasting) in (1..=whole.calls()).flat_map(|calls| [(calls, false), (calls, true)]) {
        let dying = Fickle::over(start.fork(), calls, lasting);
        let told = run(dying.store()).await;
        let left = dying.bucket().store();
        let content = content(&left).await;
        if let Some(found) = seen.get(&content) {
            assert!(told.is_err() || *found == after, "dead after {calls} calls: acknowledged and lost");
            continue;
        }
        let found = look(&left, versions).await;
        let at = format!("dead after {calls} calls, the last one {}", if lasting { "done" } else { "not" });
        assert!(found == before || found == after, "{at}: {found:#?}");
        assert!(told.is_err() || found == after, "{at}: acknowledged and lost");
        goes_on(&left, &found).await;
        assert_eq!(sweep_twice(&left).await, [""; 0], "{at}");
        goes_on(&left, &look(&left, versions).await).await;
        seen.insert(content, found);
    }
}

/// Whatever was left behind, the next writer finds a lake that works.
async fn goes_on(store: &Store, found: &Sight) {
    let had = found.tables.as_ref().and_then(|tables| tables.get("u")).map_or(0, |table| table.rows.len());
    let row = 40 + i64::try_from(had).unwrap();
    perform_by(store, Deed::Append { table: "u", row, keyed: false }, testkit::seams(100 + row.unsigned_abs()))
        .await
        .unwrap();
    let has = look(store, 0).await.tables.unwrap()["u"].rows.len();
    assert_eq!(has, had + 1);
}
