//! The end of a stream, and what comes behind a fragment, wherever the lines lie by then.

use base::{ByteSize, Fault, Kind, Seams};
use evidence::{Evidence, Tail};
use testkit::TestLake;

use crate::{line, stream};

fn numbers(tail: &Tail) -> Vec<u64> {
    tail.lines.iter().map(|line| line["n"].as_u64().unwrap()).collect()
}

/// Three lines in each of 300 fragments, so that the first 256 can lie in one bundle.
async fn filled(lake: &TestLake) -> Evidence {
    let evidence = Evidence::new(lake.store.clone(), Seams::system());
    for number in 0..300 {
        let lines = (0..3).map(|more| line(number * 3 + more)).collect();
        evidence.append(&stream("runs"), lines).await.unwrap();
    }
    evidence
}

#[tokio::test]
async fn a_stream_that_is_longer_than_there_is_room_for_is_refused_unread() {
    let lake = TestLake::open().await;
    let evidence = Evidence::new(lake.store.clone(), Seams::system());
    evidence.append(&stream("runs"), (0..9).map(line).collect()).await.unwrap();
    assert_eq!(evidence.read_within(&stream("runs"), ByteSize(1_000)).await.unwrap().lines.len(), 9);
    let refused = evidence.read_within(&stream("runs"), ByteSize(50)).await.unwrap_err();
    assert_eq!((refused.code(), refused.kind()), ("evidence.stream_too_long", Kind::TooMuch), "{refused}");
}

#[tokio::test]
async fn the_end_and_the_rest_are_the_same_before_and_after_bundling() {
    let lake = TestLake::open().await;
    let evidence = filled(&lake).await;
    for bundled in [false, true] {
        if bundled {
            evidence.tidy(&stream("runs")).await.unwrap();
        }
        let end = evidence.last(&stream("runs"), 4).await.unwrap();
        assert_eq!((numbers(&end), end.fragment), (vec![896, 897, 898, 899], 300), "bundled: {bundled}");
        let wide = evidence.last(&stream("runs"), 600).await.unwrap();
        assert_eq!(numbers(&wide), (300..900).collect::<Vec<_>>(), "bundled: {bundled}");
        for behind in [0, 1, 255, 256, 257, 299, 300, 999] {
            let rest = evidence.after(&stream("runs"), behind).await.unwrap();
            assert_eq!(
                numbers(&rest),
                (behind.min(300) * 3..900).collect::<Vec<_>>(),
                "behind {behind}, bundled: {bundled}"
            );
            assert_eq!(rest.fragment, behind.max(300));
        }
    }
}

#[tokio::test]
async fn nothing_is_the_end_of_nothing() {
    let lake = TestLake::open().await;
    let evidence = Evidence::new(lake.store.clone(), Seams::system());
    let nothing = Tail { lines: Vec::new(), fragment: 0 };
    assert_eq!(evidence.last(&stream("runs"), 20).await.unwrap(), nothing);
    assert_eq!(evidence.after(&stream("runs"), 0).await.unwrap(), nothing);
}
