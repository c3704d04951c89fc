//! The typed client, in this process and over the network: the same verbs, the same answers.

use bytes::Bytes;
use client::{
    Ask, Body, Client, Embed, Error, Format, Load, NewIndex, Register, RegisterObject, TextBatch, TextItem,
    VectorBatch, VectorItem,
};
use futures::{StreamExt, TryStreamExt};

use crate::stack::{Split, Stack};
use crate::words;

fn both(stack: &Stack) -> (Split, [Client; 2]) {
    let split = stack.split();
    let remote = Client::remote(&format!("http://{}", split.address)).unwrap();
    (split, [Client::local(stack.gateway()), remote])
}

fn csv(text: &'static str) -> Body {
    Body::stream(futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(text.as_bytes()))]))
}

#[tokio::test]
async fn every_verb_works_both_ways() {
    for way in [0, 1] {
        let stack = Stack::open().await;
        let (_split, clients) = both(&stack);
        let client = &clients[way];
        assert_eq!(client.health().await.unwrap().service, "gateway");
        client.ready().await.unwrap();

        let key = "a b/./ü%2F.csv";
        let stored = client.put_object(key, csv("hello"), Some(5)).await.unwrap();
        assert_eq!((stored.key.as_str(), stored.size), (key, 5));
        let read = client.get_object(key, None).await.unwrap();
        assert_eq!((read.size, read.body.bytes().await.unwrap()), (Some(5), Bytes::from_static(b"hello")));
        assert_eq!(client.get_object(key, Some((1, 2))).await.unwrap().body.bytes().await.unwrap(), "el");
        assert_eq!(client.list_objects("a b/", None, Some(10)).await.unwrap().objects[0].key, key);
        client.delete_object(key).await.unwrap();

        let load = Load { name: "people".to_owned(), ..Load::default() };
        let loaded = client.ingest(&load, csv("id,name\n1,Alice\n"), Some(16)).await.unwrap();
        assert_eq!((loaded.row_count, loaded.existing, loaded.rejected), (1, false, 0));
        let skipping = Load { name: "bad".to_owned(), on_error: Some("skip".to_owned()), ..Load::default() };
        let skipped = client.ingest(&skipping, csv("id\n1\n2,3\n"), None).await.unwrap();
        assert_eq!((skipped.rejected, skipped.rejected_rows[0].line), (1, 3));

        let ask = Ask { sql: "SELECT name FROM people".to_owned(), ..Ask::default() };
        let rows = client.sql(&ask).await.unwrap();
        assert_eq!((rows.rows, rows.columns[0].ty.as_str()), (vec![vec!["Alice".into()]], "VARCHAR"));
        let stream = client.sql_stream(&ask, Format::Csv).await.unwrap();
        assert!(stream.version.is_some() && stream.query_id.is_some());
        let pieces: Vec<Bytes> = stream.into_stream().try_collect().await.unwrap();
        assert_eq!(pieces.concat(), b"name\nAlice\n");

        let manifest = client.manifest("people", None).await.unwrap();
        assert_eq!(client.list(None).await.unwrap().datasets[1], manifest);
        assert_eq!(client.history("people", None, None).await.unwrap().snapshots.len(), 1);
        assert_eq!(client.versions(None, Some(1)).await.unwrap().versions.len(), 1);
        assert_eq!(client.version(loaded.version).await.unwrap()["version"], loaded.version.0);
        let register = Register {
            name: "copy".to_owned(),
            schema_fingerprint: manifest.schema_fingerprint.clone(),
            objects: vec![RegisterObject { key: manifest.objects[0].key.clone() }],
            row_count: 1,
        };
        let registered = client.register(&register).await.unwrap();
        assert!(!registered.existing);
        assert!(client.register(&register).await.unwrap().existing);
    }
}

#[tokio::test]
async fn a_refusal_is_the_services_own_problem() {
    let stack = Stack::open().await;
    let (_split, clients) = both(&stack);
    for client in clients {
        let refused = client.manifest("absent", None).await.unwrap_err();
        let problem = refused.problem().expect("a problem");
        assert_eq!((problem.status, problem.code.as_str()), (404, "catalog.unknown_dataset"));
        assert_eq!(problem.request_id.len(), 32);
        assert!(refused.to_string().contains("absent"));
        let drift = Load { name: "t".to_owned(), ..Load::default() };
        client.ingest(&drift, csv("a\n1\n"), None).await.unwrap();
        let refused = client.ingest(&drift, csv("b\n1\n"), None).await.unwrap_err();
        assert!(refused.problem().unwrap().facts.contains_key("diff"), "{refused:?}");
    }
    let nobody = Client::remote("http://127.0.0.1:1").unwrap();
    assert!(matches!(nobody.health().await, Err(Error::Unreachable { .. })));
}

#[tokio::test]
async fn an_upload_that_fails_here_never_ends_cleanly_there() {
    let stack = Stack::open().await;
    let (_split, clients) = both(&stack);
    for client in clients {
        let pieces = [Ok(Bytes::from_static(b"id\n1\n")), Err(std::io::Error::other("the disk failed"))];
        let load = Load { name: "broken".to_owned(), ..Load::default() };
        assert!(client.ingest(&load, Body::stream(futures::stream::iter(pieces)), None).await.is_err());
        assert!(client.list(None).await.unwrap().datasets.is_empty());
    }
}

#[tokio::test]
async fn a_large_upload_that_is_refused_is_told_why() {
    let stack = Stack::open().await;
    let (_split, clients) = both(&stack);
    for client in clients {
        let size = 32 << 20;
        let piece = Bytes::from(vec![b'x'; 1 << 20]);
        let pieces = futures::stream::iter(std::iter::repeat_n(piece, 32)).map(Ok::<_, std::io::Error>);
        let refused = client.put_object("big", Body::stream(pieces), Some(size)).await.unwrap_err();
        assert_eq!(refused.problem().map(|problem| problem.status), Some(413), "{refused:?}");
    }
}

#[tokio::test]
async fn texts_and_vectors_work_both_ways() {
    for way in [0, 1] {
        let stack = Stack::open().await;
        let (_split, clients) = both(&stack);
        let client = clients[way].clone().with_token("any").unwrap();
        let embed = Embed { texts: vec!["bread".to_owned(), "nurse".to_owned()], ..Embed::default() };
        let embedded = client.embed(&embed).await.unwrap();
        assert_eq!((embedded.dimension, embedded.vectors[0].as_slice()), (4, &words::vector("bread")[..]));
        assert_eq!(embedded.fingerprint.as_ref().map(String::len), Some(64));
        assert_eq!(client.embed_stats().await.unwrap().misses, 2);
        assert!(!client.embed_models().await.unwrap().models.is_empty());

        let (name, dimension, model) = ("jobs".to_owned(), 4, Some(words::MODEL.to_owned()));
        let made = client.create_index(&NewIndex { name, dimension, model, ..NewIndex::default() }).await.unwrap();
        assert_eq!(made.fingerprint, embedded.fingerprint);
        let id = "a/b ü.".to_owned();
        let text = TextItem { id: id.clone(), text: "forklift".to_owned(), metadata: None };
        let batch = TextBatch { items: vec![text], overflow: None, ..TextBatch::default() };
        assert_eq!(client.add_texts("jobs", &batch).await.unwrap().added, 1);
        let vector = VectorItem { id: "v".to_owned(), vector: embedded.vectors[1].clone(), metadata: None };
        let batch = VectorBatch { items: vec![vector], fingerprint: embedded.fingerprint.clone() };
        assert_eq!(client.add_vectors("jobs", &batch).await.unwrap().length, 2);
        assert_eq!(client.index("jobs").await.unwrap().length, Some(2));
        assert_eq!(client.indexes(None, None).await.unwrap().indexes.len(), 1);
        assert!(client.indexes(Some("jobs"), Some(1)).await.unwrap().indexes.is_empty());

        assert_eq!(client.search_text("jobs", "pallets", 1).await.unwrap().results[0].id, id);
        let nearest = client.search_vectors("jobs", embedded.vectors[1].clone(), 2).await.unwrap().results;
        assert_eq!((nearest[0].id.as_str(), nearest.len()), ("v", 2));
        assert_eq!(client.item("jobs", &id).await.unwrap().vector, words::vector("forklift"));
        client.remove_item("jobs", &id).await.unwrap();
        assert_eq!(client.item("jobs", &id).await.unwrap_err().problem().unwrap().status, 404);
        let removed = client.remove_items("jobs", vec![id, "v".to_owned()]).await.unwrap();
        assert_eq!((removed.deleted, removed.missing, removed.length), (1, 1, 0));
        client.delete_index("jobs").await.unwrap();
        assert!(client.indexes(None, None).await.unwrap().indexes.is_empty());
    }
}
