//! Multipart uploads, good and bad.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use http::Method;

use crate::stack::{Answer, Stack, UPLOAD_LIMIT, get, request, send, sql};

const TYPE: &str = "multipart/form-data; boundary=B";

async fn upload(gateway: &Router, body: impl Into<Body>) -> Answer {
    send(gateway, request(Method::POST, "/v1/ingest?name=people", &[("content-type", TYPE)], body)).await
}

fn part(name: &str, content: &str) -> String {
    format!(
        "--B\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x.csv\"\r\nContent-Type: text/csv\r\n\r\n{content}\r\n"
    )
}

#[tokio::test]
async fn the_field_file_becomes_a_table() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let body = part("file", "id,name\n1,Alice\n2,Bob\n") + "--B--\r\n";
    let loaded = upload(&gateway, body.clone()).await;
    assert_eq!(loaded.status, 200, "{}", loaded.text());
    let outcome = loaded.json();
    assert_eq!(outcome["row_count"], 2);
    assert_eq!(outcome["existing"], false);
    assert!(outcome["snapshot_id"].is_string());
    assert_eq!(loaded.header("x-lakehouse-version"), outcome["version"].to_string());
    assert_eq!(upload(&gateway, body).await.json()["existing"], true);
    let rows = sql(&gateway, "SELECT name FROM people ORDER BY id").await.json()["rows"].clone();
    assert_eq!(rows, serde_json::json!([["Alice"], ["Bob"]]));
}

#[tokio::test]
async fn a_body_in_single_bytes_is_the_same_file() {
    let stack = Stack::open().await;
    let whole = part("file", "id,name\n1,\"--B\r\n\"\n") + "--B--\r\n";
    let bytes: Vec<Result<Bytes, std::io::Error>> =
        whole.bytes().map(|byte| Ok(Bytes::copy_from_slice(&[byte]))).collect();
    let gateway = stack.gateway();
    let loaded = upload(&gateway, Body::from_stream(futures::stream::iter(bytes))).await;
    assert_eq!(loaded.status, 200, "{}", loaded.text());
    let rows = sql(&gateway, "SELECT id, name FROM people").await.json()["rows"].clone();
    assert_eq!(rows, serde_json::json!([[1, "--B\r\n"]]), "what looks like a boundary is data");
}

#[tokio::test]
async fn everything_else_is_refused_and_leaves_nothing() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let csv = "id,name\n1,Alice\n";
    for (what, body, code) in [
        ("empty", String::new(), "api.bad_multipart"),
        ("no parts", "--B--\r\n".to_owned(), "api.bad_field"),
        ("another field", part("upload", csv) + "--B--\r\n", "api.bad_field"),
        ("a nameless field", "--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--\r\n".to_owned(), "api.bad_field"),
        ("a field in front", part("comment", "x") + &part("file", csv) + "--B--\r\n", "api.bad_field"),
        ("a field behind", part("file", csv) + &part("comment", "x") + "--B--\r\n", "api.bad_field"),
        ("two files", part("file", csv) + &part("file", csv) + "--B--\r\n", "api.bad_field"),
        ("cut in the data", part("file", csv), "api.bad_multipart"),
        ("cut in the header", "--B\r\nContent-Disposition: form-data; na".to_owned(), "api.bad_multipart"),
        ("another boundary", part("file", csv).replace("--B", "--C") + "--C--\r\n", "api.bad_multipart"),
        ("plain text", "id,name\n1,Alice\n".to_owned(), "api.bad_multipart"),
    ] {
        let refused = upload(&gateway, body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, code), "{what}: {}", refused.text());
    }
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    let endless = futures::stream::iter(0..).map(move |number| {
        let piece = if number == 0 { "--B\r\nX: ".to_owned() } else { "x".repeat(64 << 10) };
        counted.fetch_add(piece.len(), Ordering::SeqCst);
        Ok::<_, std::io::Error>(Bytes::from(piece))
    });
    let refused = upload(&gateway, Body::from_stream(endless)).await;
    assert_eq!(refused.code(), "api.bad_multipart", "an endless header");
    assert!(taken.load(Ordering::SeqCst) < 2 << 20, "an endless header is not collected");
    let without = request(Method::POST, "/v1/ingest?name=people", &[("content-type", "multipart/form-data")], "x");
    assert_eq!(send(&gateway, without).await.code(), "api.bad_multipart");
    assert_eq!(get(&gateway, "/v1/catalog/list").await.text(), r#"{"datasets":[]}"#);
}

#[tokio::test]
async fn the_cap_is_413_by_declared_length_and_while_streaming() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    let path = "/v1/ingest?name=people";
    let large = UPLOAD_LIMIT + (1 << 17);
    for media in [TYPE, "text/csv"] {
        let length = large.to_string();
        let headers = [("content-type", media), ("content-length", length.as_str())];
        let untouched = Body::from_stream(futures::stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
                panic!("the declared length decides before the body is read")
            },
        ));
        let declared = send(&gateway, request(Method::POST, path, &headers, untouched)).await;
        assert_eq!((declared.status.as_u16(), declared.code().as_str()), (413, "api.body_too_large"), "{media}");
        assert_eq!(declared.json()["limit"], UPLOAD_LIMIT);
    }
    let rows = "1,x\n".repeat(usize::try_from(large).unwrap() / 4);
    for (media, body) in [(TYPE, part("file", &rows) + "--B--\r\n"), ("text/csv", rows.clone())] {
        let chunks: Vec<Result<Bytes, std::io::Error>> =
            body.as_bytes().chunks(64 << 10).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let streamed = Body::from_stream(futures::stream::iter(chunks));
        let refused = send(&gateway, request(Method::POST, path, &[("content-type", media)], streamed)).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (413, "api.body_too_large"), "{media}");
    }
    assert_eq!(get(&gateway, "/v1/catalog/list").await.text(), r#"{"datasets":[]}"#);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let stack = Stack::open().await;
    let gateway = stack.gateway();
    for (media, start) in [("text/csv", "id,name\n1,Alice\n".to_owned()), (TYPE, part("file", "id,name\n1,Alice\n"))] {
        let pieces = [Ok(Bytes::from(start)), Err(std::io::Error::other("the client went away"))];
        let body = Body::from_stream(futures::stream::iter(pieces));
        let refused =
            send(&gateway, request(Method::POST, "/v1/ingest?name=people", &[("content-type", media)], body)).await;
        assert_eq!(refused.status, 400, "{media}: {}", refused.text());
    }
    assert_eq!(get(&gateway, "/v1/catalog/list").await.text(), r#"{"datasets":[]}"#);
    assert_eq!(get(&gateway, "/v1/catalog/versions").await.json()["versions"], serde_json::json!([]));
}
