//! Several processes on one lake see each other's items.

use base::{Distance, Seams};
use futures::future::join_all;
use storage::Store;

use crate::lake::{Process, index, item, name, nearest, open};

const ROUNDS: usize = 20;

/// What one process adds and deletes becomes visible to the next read of the other; what both add at once is all there.
async fn check(stores: [Store; 3]) {
    let [first, second, third] = stores;
    let processes = [open(&first).await, open(&second).await];
    processes[0].vectors.create(index("found", 1, Distance::Euclidean)).await.unwrap();
    take_turns(&processes).await;
    let added = processes.iter().enumerate().map(|(n, process)| add_many(process, n));
    join_all(added).await;
    for process in processes.iter().chain([&open(&third).await]) {
        let ids = nearest(&process.vectors, &[0.0], 1000).await;
        assert_eq!(ids.len(), 2 * ROUNDS, "{ids:?}");
    }
}

async fn take_turns(processes: &[Process; 2]) {
    for round in 0..4 {
        let (writer, reader) = (&processes[round % 2].vectors, &processes[1 - round % 2].vectors);
        let added = writer.add(&name("found"), vec![item("turn", &[round as f32])], None).await.unwrap();
        assert_eq!(nearest(reader, &[0.0], 9).await, ["turn"]);
        assert_eq!(reader.item(&name("found"), "turn", None).await.unwrap().vector, [round as f32]);
        let removed = reader.remove(&name("found"), vec!["turn".into()]).await.unwrap();
        assert_eq!((removed.deleted, removed.fragment), (1, added.fragment + 1));
        assert!(nearest(writer, &[0.0], 9).await.is_empty());
    }
}

async fn add_many(process: &Process, writer: usize) {
    for round in 0..ROUNDS {
        let item = item(&format!("{writer}-{round}"), &[round as f32]);
        process.vectors.add(&name("found"), vec![item], None).await.unwrap();
    }
}

#[tokio::test]
async fn on_a_directory() {
    let lake = testkit::TestLake::open().await;
    check([lake.store.clone(), lake.reopen().await, lake.reopen().await]).await;
}

#[tokio::test]
async fn on_s3() {
    let Some(server) = testkit::S3Server::start("vectors::processes::on_s3") else { return };
    let open = async || Store::open(&server.location("vectors"), &server.config(), Seams::system()).await.unwrap();
    check([open().await, open().await, open().await]).await;
}
