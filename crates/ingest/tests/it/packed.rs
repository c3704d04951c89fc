//! Files packed with gzip or zstd.

use std::io::Write;

use base::{ByteSize, Fault, Kind, Seams};
use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::{Config, Ingest};

use crate::lake::{Lake, request, show};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_packed_is_loaded_as_if_it_were_not() {
    let lake = Lake::open().await;
    for (number, text) in ["a,b\n1,x\n2,y\n", "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n"].into_iter().enumerate()
    {
        for (name, bytes) in [("gzip", gzip(text.as_bytes())), ("zstd", zstd(text.as_bytes()))] {
            let name = format!("{name}{number}");
            lake.load(&name, &bytes).await;
            assert_eq!(show(&lake.rows(&name).await), [["1", "x"], ["2", "y"]]);
            assert!(lake.load(&name, &bytes).await.existing);
            let half = gzip(&text.as_bytes()[..7]);
            let rest = gzip(&text.as_bytes()[7..]);
            assert!(!lake.load(&name, [half, rest].concat()).await.existing, "other bytes, the same rows");
            assert_eq!(show(&lake.rows(&name).await), [["1", "x"], ["2", "y"]]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_unpacked_leaves_nothing() {
    let lake = Lake::open().await;
    let before = lake.paths().await;
    let text = format!("a,b\n{}", "1,x\n".repeat(50_000));
    let packed = gzip(text.as_bytes());
    for bytes in [&packed[..packed.len() - 9], &[&packed[..], b"more"].concat(), &zstd(text.as_bytes())[..20]] {
        let error = lake.refused(request("t"), bytes).await;
        assert_eq!(error.code(), "ingest.bad_packing", "{error}");
    }
    assert_eq!(lake.refused(request("t"), gzip(&packed)).await.code(), "ingest.bad_format");
    let config = Config { max_decompressed_bytes: ByteSize(100_000), ..Config::default() };
    let small = Ingest::new(lake.catalog.clone(), &config, Seams::system());
    let small = Lake { ingest: small, ..lake };
    let error = small.refused(request("t"), &packed).await;
    assert_eq!((error.code(), error.kind()), ("ingest.unpacks_too_large", Kind::TooMuch));
    assert_eq!(small.paths().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_is_refused_before_it_goes_off() {
    let lake = Lake::open().await;
    // The same frame over and over is as long a bomb as anyone likes: this unpacks to ten gigabytes.
    let bomb = zstd(&b"{\"a\":1}\n".repeat((10 << 20) / 8)).repeat(1000);
    let refused = lake.refused(request("t"), &bomb).await;
    assert_eq!(refused.code(), "ingest.unpacks_too_large");
    assert!(refused.to_string().contains("512MiB and 200 times what was read of it"), "{refused}");
}
