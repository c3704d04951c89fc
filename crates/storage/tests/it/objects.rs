//! What the users' key space must do on every store.

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use storage::{BodyError, Error, If, Key, Objects, Stored};
use tokio::sync::mpsc;

use crate::contract::Bench;
use crate::store::pattern;

const LARGE: usize = 8_500_000;

type Body = BoxStream<'static, Result<Bytes, BodyError>>;

fn key(text: &str) -> Key {
    text.parse().expect("a key")
}

fn body(bytes: Bytes) -> Body {
    let pieces: Vec<_> = bytes.chunks(70_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces).boxed()
}

/// A body that sends some bytes and then fails.
fn broken(bytes: Bytes) -> Body {
    let end = stream::once(async { Err(BodyError::Broken("the line was cut".into())) });
    body(bytes).chain(end).boxed()
}

async fn put(objects: &Objects, name: &str, condition: If, bytes: Bytes) -> Result<Stored, Error> {
    objects.put(&key(name), condition, Some(bytes.len() as u64), body(bytes)).await
}

async fn keys(objects: &Objects, prefix: &str) -> Vec<String> {
    let page = objects.list(prefix, None, 1000).await.expect("a list");
    page.entries.into_iter().map(|entry| entry.path).collect()
}

async fn content(objects: &Objects, name: &str) -> Bytes {
    let reading = objects.get(&key(name), None).await.expect("there");
    let pieces: Vec<Bytes> = reading.stream.try_collect().await.expect("pieces");
    pieces.concat().into()
}

pub async fn keys_come_back_exactly_as_they_were_put(bench: Bench) {
    let mut names = vec![
        "plain.csv",
        "with space/and \"quotes\"/'x'",
        "ünï/日本/🎈",
        "100%",
        "%41",
        "%2E%2E",
        "a+b&c=d?e#f",
        "./dot",
        "x/.",
        ".tmp/x",
        "...",
        "back\\slash",
        "~tilde",
        "{brace}[bracket]",
        "<tag>|*`^",
        "bell\u{7}",
        "del\u{7f}",
        "nbsp\u{a0}",
    ];
    let long = "y".repeat(255);
    names.push(&long);
    for name in &names {
        put(&bench.objects, name, If::Always, Bytes::from(name.to_string())).await.expect(name);
    }
    for name in &names {
        assert_eq!(content(&bench.objects, name).await, *name);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = bench.objects.list("", after.as_deref(), 3).await.expect("a page");
        seen.extend(page.entries.into_iter().map(|entry| entry.path));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    seen.sort();
    names.sort();
    assert_eq!(seen, names);
    for name in &names {
        bench.objects.delete(&key(name), None).await.expect(name);
    }
    assert_eq!(keys(&bench.objects, "").await, Vec::<String>::new());
}

pub async fn a_put_tells_what_it_stored(bench: Bench) {
    for length in [0, 3, LARGE] {
        let bytes = pattern(length);
        let name = format!("stored/{length}");
        let stored = put(&bench.objects, &name, If::Always, bytes.clone()).await.expect("put");
        assert_eq!((stored.key.as_str(), stored.size, stored.created), (name.as_str(), length as u64, true));
        assert_eq!(stored.sha256, hex::encode(Sha256::digest(&bytes)));
        assert_eq!(bench.objects.head(&key(&name)).await.expect("head").etag, stored.etag);
        let again = put(&bench.objects, &name, If::Always, bytes).await.expect("put again");
        assert!(!again.created);
    }
    let undeclared = bench.objects.put(&key("u"), If::Always, None, body(pattern(5))).await.expect("no length");
    assert_eq!(undeclared.size, 5);
}

pub async fn if_absent_holds_for_small_and_large(bench: Bench) {
    for length in [3, LARGE] {
        let name = format!("once/{length}");
        let stored = put(&bench.objects, &name, If::Absent, pattern(length)).await.expect("free");
        assert!(stored.created);
        let refused = put(&bench.objects, &name, If::Absent, pattern(length)).await;
        assert!(matches!(&refused, Err(Error::Precondition { path }) if *path == name), "{refused:?}");
        overtaken(&bench, &format!("overtaken/{length}"), If::Absent, length).await;
    }
}

pub async fn if_matches_holds_for_small_and_large(bench: Bench) {
    for length in [3, LARGE] {
        let name = format!("match/{length}");
        let matches = |etag: &str| If::Matches(etag.to_owned());
        let absent = put(&bench.objects, &name, matches("x"), pattern(length)).await;
        assert!(matches!(absent, Err(Error::Precondition { .. })), "{absent:?}");
        let first = put(&bench.objects, &name, If::Always, pattern(5)).await.expect("put");
        let second = put(&bench.objects, &name, matches(&first.etag), pattern(length)).await.expect("it matches");
        assert!(!second.created);
        let stale = put(&bench.objects, &name, matches(&first.etag), pattern(7)).await;
        assert!(matches!(stale, Err(Error::Precondition { .. })), "{stale:?}");
        assert!(content(&bench.objects, &name).await == pattern(length));
        overtaken(&bench, &name, matches(&second.etag), length).await;
    }
}

pub async fn a_delete_can_be_for_one_write_only(bench: Bench) {
    let absent = bench.objects.delete(&key("guarded"), Some("x")).await;
    assert!(matches!(&absent, Err(Error::Precondition { path }) if path == "guarded"), "{absent:?}");
    let first = put(&bench.objects, "guarded", If::Always, pattern(1)).await.expect("put");
    let second = put(&bench.objects, "guarded", If::Always, pattern(2)).await.expect("put");
    let stale = bench.objects.delete(&key("guarded"), Some(&first.etag)).await;
    assert!(matches!(&stale, Err(Error::Precondition { path }) if path == "guarded"), "{stale:?}");
    assert_eq!(content(&bench.objects, "guarded").await, pattern(2));
    bench.objects.delete(&key("guarded"), Some(&second.etag)).await.expect("it matches");
    assert_eq!(keys(&bench.objects, "").await, Vec::<String>::new());
}

/// The condition holds when the put begins and no longer when it ends.
async fn overtaken(bench: &Bench, name: &str, condition: If, length: usize) {
    let (sender, mut receiver) = mpsc::channel(1);
    let body = stream::poll_fn(move |context| receiver.poll_recv(context));
    let (objects, name) = (bench.objects.clone(), key(name));
    let slow = {
        let name = name.clone();
        storage::task::spawn("slow put", async move { objects.put(&name, condition, None, body).await })
    };
    sender.send(Ok(pattern(length))).await.expect("the put reads");
    sender.send(Ok(Bytes::new())).await.expect("the put reads");
    put(&bench.objects, name.as_str(), If::Always, Bytes::from_static(b"winner")).await.expect("overtakes");
    drop(sender);
    let refused = slow.await.expect("no panic");
    assert!(matches!(refused, Err(Error::Precondition { .. })), "{refused:?}");
    assert_eq!(content(&bench.objects, name.as_str()).await, "winner");
}

pub async fn a_key_that_is_a_prefix_of_another_is_refused(bench: Bench) {
    put(&bench.objects, "a/b/c", If::Always, pattern(1)).await.expect("put");
    for name in ["a", "a/b", "a/b/c/d", "a/b/c/d/e"] {
        for length in [1, LARGE] {
            let refused = put(&bench.objects, name, If::Always, pattern(length)).await;
            assert!(matches!(&refused, Err(Error::KeyIsPrefix { path }) if path == name), "{name}: {refused:?}");
        }
        let refused = put(&bench.objects, name, If::Absent, pattern(1)).await;
        assert!(matches!(refused, Err(Error::KeyIsPrefix { .. })), "{name}: {refused:?}");
    }
    for name in ["a/b/cc", "a/bb", "a/b/c.d", "aa"] {
        put(&bench.objects, name, If::Always, pattern(1)).await.expect(name);
    }
    put(&bench.objects, "a/b/c", If::Always, pattern(2)).await.expect("the key itself");
}

pub async fn a_removed_key_gives_way(bench: Bench) {
    put(&bench.objects, "x/y/z", If::Always, pattern(1)).await.expect("put");
    bench.objects.delete(&key("x/y/z"), None).await.expect("delete");
    put(&bench.objects, "x", If::Absent, pattern(1)).await.expect("what lay below is gone");
    bench.objects.delete(&key("x"), None).await.expect("delete");
    put(&bench.objects, "x/y", If::Always, pattern(1)).await.expect("what lay above is gone");
    assert_eq!(keys(&bench.objects, "").await, ["x/y"]);
}

pub async fn bounds_of_lists_are_texts_among_the_keys_that_are_listed(bench: Bench) {
    for name in ["A", "b/c", "u"] {
        put(&bench.objects, name, If::Always, pattern(1)).await.expect(name);
    }
    bench.store.put("tables/t/f", pattern(1)).await.expect("the lake writes");
    let check = async |prefix: &str, after: &str, expected: &[&str]| {
        let page = bench.objects.list(prefix, Some(after), 1000).await.expect("a list");
        let found: Vec<_> = page.entries.into_iter().map(|entry| entry.path).collect();
        assert_eq!(found, expected, "{prefix:?} after {after:?}");
    };
    check("", "tables/zzz", &["u"]).await;
    check("", "_lake/x", &["b/c", "u"]).await;
    check("", "b/", &["b/c", "u"]).await;
    check("", "b/c/", &["u"]).await;
    check("/", "", &[]).await;
    check("tables/", "A", &["tables/t/f"]).await;
    check("tables/", "u", &[]).await;
    for bad in ["a\0", "a\n", "a\r", "a\t", &"k".repeat(1025)] {
        for (prefix, after) in [(bad, None), ("", Some(bad))] {
            let refused = bench.objects.list(prefix, after, 10).await;
            assert!(matches!(refused, Err(Error::InvalidKey { .. })), "{bad:?}: {refused:?}");
        }
    }
    assert!(bench.objects.list(&"k".repeat(1024), Some(&"/".repeat(1024)), 10).await.is_ok());
}

pub async fn caps_hold_before_and_while_streaming(bench: Bench) {
    let limit = bench.config.object_limit.0;
    let never = stream::once(async { panic!("a body that is declared too large is not read") });
    let declared = bench.objects.put(&key("cap"), If::Always, Some(limit + 1), never.boxed()).await;
    assert!(matches!(declared, Err(Error::TooLarge { .. })), "{declared:?}");
    let piece = pattern(1 << 20);
    let pieces = move |count: u64| {
        stream::iter((0..count).map({
            let piece = piece.clone();
            move |_| Ok(piece.clone())
        }))
    };
    let exact = bench.objects.put(&key("cap/exact"), If::Always, None, pieces(limit >> 20)).await;
    assert_eq!(exact.expect("as large as allowed").size, limit);
    let streamed = bench.objects.put(&key("cap/over"), If::Always, None, pieces((limit >> 20) + 1)).await;
    assert!(matches!(streamed, Err(Error::TooLarge { .. })), "{streamed:?}");
    let vectors = bench.objects.put(&key("_vectors/over"), If::Always, None, pieces((limit >> 20) + 1)).await;
    assert_eq!(vectors.expect("vectors have a cap of their own").size, limit + (1 << 20));
    assert_eq!(keys(&bench.objects, "").await, ["_vectors/over", "cap/exact"]);
}

pub async fn a_body_that_breaks_off_leaves_nothing(bench: Bench) {
    for length in [100, LARGE] {
        let torn = bench.objects.put(&key("torn"), If::Always, None, broken(pattern(length))).await;
        assert!(matches!(torn, Err(Error::Body(BodyError::Broken(_)))), "{torn:?}");
        let short = bench.objects.put(&key("torn"), If::Always, Some(length as u64 + 1), body(pattern(length))).await;
        assert!(matches!(short, Err(Error::Body(_))), "{short:?}");
    }
    put(&bench.objects, "kept", If::Always, pattern(5)).await.expect("put");
    let torn = bench.objects.put(&key("kept"), If::Always, None, broken(pattern(LARGE))).await;
    assert!(torn.is_err());
    assert_eq!(content(&bench.objects, "kept").await, pattern(5), "what was there stays");
    assert_eq!(keys(&bench.objects, "").await, ["kept"]);
}

pub async fn the_fifth_put_at_once_is_refused(bench: Bench) {
    let mut open = Vec::new();
    for name in 0..4 {
        let (sender, mut receiver) = mpsc::channel(1);
        let body = stream::poll_fn(move |context| receiver.poll_recv(context));
        let (objects, name) = (bench.objects.clone(), key(&format!("slot/{name}")));
        let put = async move { objects.put(&name, If::Always, None, body).await };
        let put = storage::task::spawn("slow put", put);
        sender.send(Ok(pattern(1))).await.expect("the put reads");
        sender.send(Ok(pattern(1))).await.expect("the put has its slot");
        open.push((sender, put));
    }
    let fifth = put(&bench.objects, "slot/fifth", If::Always, pattern(1)).await;
    assert!(matches!(fifth, Err(Error::Busy { retry_after: 5 })), "{fifth:?}");
    assert_eq!(keys(&bench.objects, "").await, Vec::<String>::new());
    for (sender, put) in open {
        drop(sender);
        assert_eq!(put.await.expect("no panic").expect("stored").size, 2);
    }
    put(&bench.objects, "slot/fifth", If::Always, pattern(1)).await.expect("the slots are free again");
}

pub async fn the_lakes_own_files_can_only_be_read(bench: Bench) {
    for name in ["_lake/log/1", "tables/t/data/f", "indexes/i", "runs/r"] {
        bench.store.put(name, pattern(9)).await.expect("the lake writes");
        assert_eq!(content(&bench.objects, name).await, pattern(9));
        let refused = put(&bench.objects, name, If::Always, pattern(1)).await;
        assert!(matches!(refused, Err(Error::Reserved { .. })), "{refused:?}");
        let refused = bench.objects.delete(&key(name), None).await;
        assert!(matches!(refused, Err(Error::Reserved { .. })), "{refused:?}");
        assert_eq!(content(&bench.objects, name).await, pattern(9));
    }
    put(&bench.objects, "tables", If::Always, pattern(1)).await.expect("only what is below is the lake's");
    assert_eq!(keys(&bench.objects, "").await, ["tables"], "a list of all keys holds the users' only");
    assert_eq!(keys(&bench.objects, "tables/").await, ["tables/t/data/f"]);
}
