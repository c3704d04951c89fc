//! Bytes flow through, they do not pile up: measured by the pieces that are alive at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::Limits;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use http::Method;
use tower::ServiceExt;

use crate::stack::{Split, Stack, UPLOAD_LIMIT, limits, request, send};

const PIECE: usize = 16 << 10;

/// Counts the bytes of the pieces that nobody has let go yet.
#[derive(Clone, Default)]
struct Alive(Arc<Counts>);

#[derive(Default)]
struct Counts {
    now: AtomicUsize,
    most: AtomicUsize,
}

struct Piece {
    bytes: Vec<u8>,
    alive: Alive,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.alive.0.now.fetch_sub(self.bytes.len(), Ordering::SeqCst);
    }
}

impl Alive {
    fn piece(&self, bytes: Vec<u8>) -> Bytes {
        let now = self.0.now.fetch_add(bytes.len(), Ordering::SeqCst) + bytes.len();
        self.0.most.fetch_max(now, Ordering::SeqCst);
        Bytes::from_owner(Piece { bytes, alive: self.clone() })
    }

    fn body(&self, head: String, pieces: usize, piece: Vec<u8>, tail: &'static str) -> Body {
        let alive = self.clone();
        let first = futures::stream::iter([Bytes::from(head)]);
        let middle = futures::stream::iter(0..pieces).map(move |_| alive.piece(piece.clone()));
        let last = futures::stream::iter([Bytes::from_static(tail.as_bytes())]);
        Body::from_stream(first.chain(middle).chain(last).map(Ok::<_, std::io::Error>))
    }

    fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }
}

async fn doors() -> (Stack, Router, Split) {
    let stack = Stack::with(Limits { ..limits() }).await;
    let (here, split) = (stack.gateway(), stack.split());
    (stack, here, split)
}

#[tokio::test]
async fn an_object_is_never_held_whole() {
    let (_stack, here, split) = doors().await;
    for gateway in [here, split.gateway.clone()] {
        let alive = Alive::default();
        let body = alive.body(String::new(), 60, vec![7; PIECE], "");
        let answer = send(&gateway, request(Method::PUT, "/v1/storage/objects/big", &[], body)).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        assert_eq!(answer.json()["size"], 60 * PIECE);
        assert!(alive.most() <= 32 * PIECE, "{} bytes were alive at once", alive.most());
    }
}

#[tokio::test]
async fn an_upload_is_never_held_whole() {
    let (_stack, here, split) = doors().await;
    let piece = "1234567,x\n".repeat(PIECE / 10).into_bytes();
    let pieces = usize::try_from(UPLOAD_LIMIT).unwrap() / PIECE - 2;
    let part = "--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nid,name\n";
    for gateway in [here, split.gateway.clone()] {
        for (media, head, tail) in
            [("text/csv", "id,name\n", ""), ("multipart/form-data; boundary=B", part, "\r\n--B--\r\n")]
        {
            let alive = Alive::default();
            let body = alive.body(head.to_owned(), pieces, piece.clone(), tail);
            let headers = [("content-type", media)];
            let answer = send(&gateway, request(Method::POST, "/v1/ingest?name=big", &headers, body)).await;
            assert_eq!(answer.status, 200, "{media}: {}", answer.text());
            assert!(alive.most() <= 32 * PIECE, "{media}: {} bytes were alive at once", alive.most());
        }
    }
}

#[tokio::test]
async fn a_reader_that_stops_reading_stops_the_stream() {
    let (_stack, here, split) = doors().await;
    for gateway in [here, split.gateway.clone()] {
        let body = r#"{"sql":"SELECT * FROM generate_series(1, 100000000000)"}"#;
        let headers = [("content-type", "application/json"), ("accept", "text/csv")];
        let answer = gateway.clone().oneshot(request(Method::POST, "/v1/sql", &headers, body)).await.unwrap();
        let id = answer.headers()["x-lakehouse-query-id"].to_str().unwrap().to_owned();
        let mut pieces = answer.into_body().into_data_stream();
        assert!(!pieces.next().await.unwrap().unwrap().is_empty());
        drop(pieces);
        // The query ends with its reader; from then on nobody knows it.
        let path = format!("/v1/sql/{id}");
        while send(&gateway, request(Method::DELETE, &path, &[], Body::empty())).await.status == 204 {
            tokio::task::yield_now().await;
        }
    }
}
