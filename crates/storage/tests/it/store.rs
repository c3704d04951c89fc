//! What every store must do.

use bytes::Bytes;
use futures::TryStreamExt;
use storage::{Error, Store};
use tokio::io::AsyncWriteExt;

use crate::contract::Bench;

/// Bytes that differ from place to place, so that a shifted piece is noticed: a block of prime length, repeated.
pub fn pattern(length: usize) -> Bytes {
    let block: Vec<u8> = (0..65_521_usize).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut bytes = block.repeat(length / block.len() + 1);
    bytes.truncate(length);
    bytes.into()
}

async fn paths(store: &Store, prefix: &str) -> Vec<String> {
    let page = store.list(prefix, None, 1000).await.expect("a list");
    page.entries.into_iter().map(|entry| entry.path).collect()
}

pub async fn bytes_come_back_as_they_were_put(bench: Bench) {
    for length in [0, 1, 1 << 20, (1 << 20) + 1, 3_000_000] {
        let (path, bytes) = (format!("sizes/{length}"), pattern(length));
        let written = bench.store.put(&path, bytes.clone()).await.expect("put");
        assert_eq!(bench.store.get(&path).await.expect("get"), bytes);
        let head = bench.store.head(&path).await.expect("head");
        assert_eq!((head.size, &head.etag, &head.path), (length as u64, &written.etag, &path));
        assert!(!head.etag.is_empty() && !head.etag.contains('"'));
        let reading = bench.store.read(&path, None).await.expect("read");
        assert_eq!((reading.range, &reading.entry.etag), (0..length as u64, &written.etag));
        let pieces: Vec<Bytes> = reading.stream.try_collect().await.expect("pieces");
        assert_eq!(pieces.concat(), bytes);
    }
}

pub async fn ranges_are_cut_at_the_end(bench: Bench) {
    let bytes = pattern(2_500_000);
    bench.store.put("ranged", bytes.clone()).await.expect("put");
    for range in [0..1, 10..20, 0..2_500_000, 1_000_000..2_400_001, 2_499_999..9_000_000, 5..5] {
        let cut = range.start as usize..(range.end as usize).min(bytes.len());
        let read = bench.store.get_range("ranged", range.clone()).await;
        assert_eq!(read.expect("a range"), bytes.slice(cut), "{range:?}");
    }
    let reading = bench.store.read("ranged", Some(2_499_990..9_000_000)).await.expect("read");
    assert_eq!(reading.range, 2_499_990..2_500_000);
    for range in [2_500_000..2_500_001, 9_000_000..9_000_001] {
        let refused = bench.store.get_range("ranged", range).await;
        assert!(matches!(refused, Err(Error::Range { size: 2_500_000 })), "{refused:?}");
    }
    let absent = bench.store.get_range("absent", 0..1).await;
    assert!(matches!(absent, Err(Error::NotFound { .. })), "{absent:?}");
}

pub async fn absent_objects_are_not_found(bench: Bench) {
    bench.store.put("a/b", Bytes::from_static(b"x")).await.expect("put");
    for path in ["absent", "a", "a/c", "a/b/c"] {
        let found = bench.store.get(path).await;
        assert!(matches!(&found, Err(Error::NotFound { path: named }) if named == path), "{path}: {found:?}");
        assert!(matches!(bench.store.head(path).await, Err(Error::NotFound { .. })), "{path}");
        assert!(!bench.store.exists(path).await.expect("an answer"));
        bench.store.delete(path).await.expect("what is absent is deleted");
    }
    assert!(bench.store.exists("a/b").await.expect("an answer"), "deleting around it removed it");
    assert!(matches!(bench.store.get("a//b").await, Err(Error::InvalidKey { .. })));
}

pub async fn a_create_never_replaces(bench: Bench) {
    let (first, second) = (Bytes::from_static(b"first"), Bytes::from_static(b"second"));
    bench.store.create("deep/down/mark", first.clone()).await.expect("created");
    let refused = bench.store.create("deep/down/mark", second.clone()).await;
    assert!(matches!(refused, Err(Error::AlreadyExists { .. })), "{refused:?}");
    assert_eq!(bench.store.get("deep/down/mark").await.expect("get"), first);
    bench.store.delete("deep/down/mark").await.expect("delete");
    bench.store.create("deep/down/mark", second).await.expect("a removed name can be created again");
}

pub async fn of_racing_creators_one_wins(bench: Bench) {
    bench.store.probe().await.expect("in sequence");
    for _ in 0..5 {
        bench.store.probe_race(16).await.expect("in a race");
    }
    assert_eq!(paths(&bench.store, "").await, Vec::<String>::new(), "the probes removed their marks");
}

pub async fn a_put_replaces_and_changes_the_etag(bench: Bench) {
    let mut seen = std::collections::HashSet::new();
    for round in 0..6 {
        let bytes = Bytes::from(format!("round {round}"));
        let written = bench.store.put("again", bytes.clone()).await.expect("put");
        assert_eq!(bench.store.get("again").await.expect("get"), bytes);
        assert!(seen.insert(written.etag), "an ETag came back");
    }
}

pub async fn a_copy_outlives_its_source(bench: Bench) {
    let bytes = pattern(1_500_000);
    bench.store.put("from/here", bytes.clone()).await.expect("put");
    let copied = bench.store.copy("from/here", "to/there").await.expect("copy");
    assert_eq!((copied.path.as_str(), copied.size), ("to/there", 1_500_000));
    bench.store.put("from/here", Bytes::from_static(b"other")).await.expect("replace");
    bench.store.delete("from/here").await.expect("delete");
    assert_eq!(bench.store.get("to/there").await.expect("get"), bytes);
    let absent = bench.store.copy("absent", "to/there").await;
    assert!(matches!(absent, Err(Error::NotFound { .. })), "{absent:?}");
}

pub async fn lists_are_sorted_and_paged(bench: Bench) {
    // `a!b` and `a.b` sort before `a/b`, `a0` after it: full paths are compared, not directories and files apart.
    let sorted = ["a!b", "a.b", "a/b", "a/b!", "a/c/d", "a/c/e/f", "a/c0", "a0", "b", "ü"];
    for path in sorted.iter().rev() {
        bench.store.put(path, Bytes::from_static(b"x")).await.expect("put");
    }
    assert_eq!(paths(&bench.store, "").await, sorted);
    for limit in 1..=sorted.len() + 1 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = bench.store.list("", after.as_deref(), limit).await.expect("a page");
            assert!(page.entries.len() <= limit);
            seen.extend(page.entries.into_iter().map(|entry| entry.path));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, sorted, "pages of {limit}");
    }
    let page = bench.store.list("", Some("a/c"), 2).await.expect("after what is no object");
    assert_eq!(page.entries.iter().map(|entry| entry.path.as_str()).collect::<Vec<_>>(), ["a/c/d", "a/c/e/f"]);
    assert_eq!(page.next.as_deref(), Some("a/c/e/f"));
}

pub async fn lists_may_begin_after_any_text(bench: Bench) {
    // In the order of their stored forms: `%07`, `%252E` and `%2E` stand for the bell and for what follows it here.
    let sorted = ["%", "\u{7}", "%2E/q", "./a", "%zz", "Z", "a!", "a/b", "a/c/d", "a0"];
    for path in sorted.iter().rev() {
        bench.store.put(path, Bytes::from_static(b"x")).await.expect("put");
    }
    assert_eq!(paths(&bench.store, "").await, sorted);
    let check = async |after: &str, first: Option<&str>| {
        let page = bench.store.list("", Some(after), 1000).await.expect("a list");
        let found: Vec<_> = page.entries.into_iter().map(|entry| entry.path).collect();
        let expected =
            first.map_or(sorted.len(), |first| sorted.iter().position(|path| *path == first).expect("known"));
        assert_eq!(found, sorted[expected..], "{after:?}");
    };
    check("a/", Some("a/b")).await;
    check("a//", Some("a/b")).await;
    check("a//b", Some("a/b")).await;
    check("a/b/", Some("a/c/d")).await;
    check("a/c/d/e//f", Some("a0")).await;
    check("/", Some("Z")).await;
    check("/a", Some("Z")).await;
    check(&format!("a/{}", "z".repeat(900)), Some("a0")).await;
    check("%2E/q", Some("./a")).await;
    check(".", Some("./a")).await;
    check("./a", Some("%zz")).await;
    check("zzz", None).await;
    for prefix in ["/", "//", "a//", "/a", &"y".repeat(300), &format!("{}/", "y".repeat(300))] {
        assert_eq!(paths(&bench.store, prefix).await, Vec::<String>::new(), "{prefix:?}");
    }
}

pub async fn lists_begin_with_any_text(bench: Bench) {
    let all =
        ["day/.", "day/..x", "day/2026-11-21", "day/2026-11-22/a", "day/2026-11-3", "day/50%", "day/50%41", "days"];
    for path in all {
        bench.store.put(path, Bytes::from_static(b"x")).await.expect("put");
    }
    let check = async |prefix: &str, expected: &[&str]| {
        let mut found = paths(&bench.store, prefix).await;
        found.sort();
        assert_eq!(found, expected, "{prefix:?}");
    };
    check("day", &all).await;
    check("day/", &all[..7]).await;
    check("day/2026-11-2", &all[2..4]).await;
    check("day/2026-11-22", &all[3..4]).await;
    check("day/2026-11-22/", &all[3..4]).await;
    check("day/.", &all[..2]).await;
    check("day/..", &all[1..2]).await;
    check("day/50%", &all[5..7]).await;
    check("day/50%4", &all[6..7]).await;
    check("day/50%41", &all[6..7]).await;
    check("days", &all[7..]).await;
    check("nothing", &[]).await;
    check("day/2026-11-21/", &[]).await;
}

pub async fn a_large_object_is_written_in_pieces(bench: Bench) {
    let bytes = pattern(19_000_001);
    bench.store.put("large", Bytes::from_static(b"before")).await.expect("put");
    let mut writer = bench.store.writer("large").await.expect("a writer");
    let mut rest = bytes.clone();
    for size in [1, 5_000_000, 9_000_000, 3].into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        writer.append(rest.split_to(size.min(rest.len()))).await.expect("append");
    }
    assert_eq!(bench.store.get("large").await.expect("get"), "before", "nothing is visible before the end");
    let entry = writer.finish().await.expect("finish");
    assert_eq!(entry.size, 19_000_001);
    assert_eq!(bench.store.head("large").await.expect("head").etag, entry.etag);
    assert!(bench.store.get("large").await.expect("get") == bytes);
}

pub async fn a_dropped_writer_leaves_nothing(bench: Bench) {
    for length in [10, 9_000_000] {
        let mut writer = bench.store.writer("abandoned/object").await.expect("a writer");
        writer.append(pattern(length)).await.expect("append");
        drop(writer);
    }
    assert_eq!(paths(&bench.store, "").await, Vec::<String>::new());
}

pub async fn bytes_can_be_written_through_async_write(bench: Bench) {
    let bytes = pattern(9_500_000);
    let mut writer = bench.store.writer("poured").await.expect("a writer");
    tokio::io::copy(&mut bytes.as_ref(), &mut writer).await.expect("poured");
    writer.shutdown().await.expect("no part left");
    assert!(!bench.store.exists("poured").await.expect("an answer"), "only finish makes it visible");
    assert_eq!(writer.finish().await.expect("finish").size, 9_500_000);
    assert!(bench.store.get("poured").await.expect("get") == bytes);
}
