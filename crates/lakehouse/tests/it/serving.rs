//! Starting, answering, ending.

use std::path::Path;

use anyhow::Context;
use rustix::process::Signal;
use serde_json::{Value, json};
use smokes::held::hold;
use smokes::probe::{Probe, soon};
use smokes::stack::{Ground, Site};

use crate::command::{BINARY, Desk};

#[tokio::test]
async fn the_ready_file_and_the_line_name_what_answers() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let arguments = ["serve", "--lake", "lake", "--set", "gateway.bind=127.0.0.1:0", "--ready-file", "ready.json"];
    let mut child = desk.command(Path::new(BINARY)).args(arguments).spawn()?;
    let mut line = String::new();
    let out = child.stdout.take().context("standard output")?;
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)?;
    let ready: Value = serde_json::from_slice(&tokio::fs::read(desk.path().join("ready.json")).await?)?;
    assert_eq!(ready, json!({ "gateway": line.trim_end(), "roles": {}, "pid": child.id() }));
    let health = Probe::of(line.trim_end())?.get("/health").await?.expect(200)?;
    assert_eq!(health.body, r#"{"status":"ok","service":"gateway"}"#);
    child.kill()?;
    child.wait()?;
    Ok(())
}

#[tokio::test]
async fn a_busy_port_ends_the_start_at_once() -> anyhow::Result<()> {
    let holder = std::net::TcpListener::bind("127.0.0.1:0")?;
    let bind = format!("gateway.bind={}", holder.local_addr()?);
    let desk = Desk::new()?;
    let refused = desk.run(&["serve", "--lake", "lake", "--set", &bind])?;
    assert_ne!(refused.code, 0);
    assert!(!desk.path().join("lake").exists(), "the lake was opened before the port was had");
    Ok(())
}

#[test]
fn refused_starts_name_what_is_wrong() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let said = |arguments: &[&str]| -> anyhow::Result<String> {
        let ran = desk.run(&[&["serve", "--lake", "lake"], arguments].concat())?;
        anyhow::ensure!(ran.code != 0, "it started");
        Ok(ran.err)
    };
    let open = said(&["--set", "gateway.bind=0.0.0.0:0"])?;
    for part in ["0.0.0.0:0", "gateway", "LH_GATEWAY_ALLOW_NONLOOPBACK"] {
        assert!(open.contains(part), "{part} is missing in {open}");
    }
    assert!(said(&["--set", "upstreams.queryd=127.0.0.1:3214"])?.contains("upstreams.queryd"));
    assert!(said(&["--roles", "cookd"])?.contains("cookd"));
    Ok(())
}

#[tokio::test]
async fn each_role_answers_on_its_own_port() -> anyhow::Result<()> {
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start_roles(&["catalogd", "queryd"], &[]).await?;
    assert_eq!(stack.ready.gateway, None);
    assert_eq!(stack.ready.roles.keys().collect::<Vec<_>>(), ["catalogd", "queryd"]);
    let catalogd = Probe::of(&stack.ready.roles["catalogd"])?;
    catalogd.get("/catalog/list").await?.expect(200)?;
    catalogd.get("/v1/catalog/list").await?.expect(404)?;
    stack.stop().await
}

#[tokio::test]
async fn a_link_named_after_a_role_serves_it() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.run(&["links", "bin"])?.ended(0)?;
    desk.run(&["links", "bin"])?.ended(0).context("a second time")?;
    let link = desk.path().join("bin/storaged");
    let arguments = ["--lake", "lake", "--set", "storaged.bind=127.0.0.1:0", "--ready-file", "ready.json"];
    let mut child = desk.command(&link).args(arguments).spawn()?;
    let mut line = String::new();
    let out = child.stdout.take().context("standard output")?;
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)?;
    let health = Probe::of(line.trim_end())?.get("/health").await?.expect(200)?;
    assert_eq!(health.body, r#"{"status":"ok","service":"storaged"}"#);
    child.kill()?;
    child.wait()?;
    Ok(())
}

#[tokio::test]
async fn a_dead_upstream_is_named() -> anyhow::Result<()> {
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&["upstreams.queryd=http://127.0.0.1:9"]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    let refusal = probe.sql("SELECT 1").await?.expect(502)?.json()?;
    assert!(refusal["detail"].as_str().is_some_and(|text| text.contains("queryd")), "{refusal}");
    probe.get("/v1/catalog/list").await?.expect(200)?;
    stack.stop().await
}

const ONE_UPLOAD: &str = "storaged.concurrent_puts=1";

/// SIGTERM lets the request under way finish; the end is a clean one and the upload is there afterwards.
#[tokio::test]
async fn a_stop_lets_requests_finish() -> anyhow::Result<()> {
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&[ONE_UPLOAD]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    let (uploads, _) = hold(&probe, "/v1/storage/objects/held", 1).await?;
    stack.signal(Signal::TERM)?;
    soon("the end of accepting", async || Ok(probe.get("/health").await.is_err().then_some(()))).await?;
    for upload in uploads {
        upload.finish().await?.expect(201)?;
    }
    assert!(stack.ended().await?.success());
    let again = site.start(&[]).await?;
    let held = Probe::of(again.gateway()?)?.get("/v1/storage/objects/held/0").await?.expect(200)?;
    assert_eq!(held.body, "begin end");
    again.stop().await
}

/// A second signal ends the process although a request is still under way.
#[tokio::test]
async fn a_second_signal_ends_at_once() -> anyhow::Result<()> {
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&[ONE_UPLOAD, "gateway.drain=1h"]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    let (uploads, _) = hold(&probe, "/v1/storage/objects/held", 1).await?;
    stack.signal(Signal::TERM)?;
    soon("the end of accepting", async || Ok(probe.get("/health").await.is_err().then_some(()))).await?;
    stack.signal(Signal::TERM)?;
    assert_eq!(stack.ended().await?.code(), Some(130));
    for upload in uploads {
        assert!(upload.finish().await.is_err(), "the upload was broken off");
    }
    Ok(())
}

/// What the rooms keep stands in `/metrics`, with the names of no more indexes than it promises.
#[tokio::test]
async fn the_rooms_tell_their_numbers() -> anyhow::Result<()> {
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    for number in 0..101 {
        let name = format!("index{number:03}");
        let index = json!({ "name": name, "dimension": 1, "distance": "euclidean" });
        probe.post("/v1/vectors/index", &index).await?.expect(201)?;
        let items = json!({ "items": [{ "id": "a", "vector": [1] }, { "id": "b", "vector": [2] }] });
        probe.post(&format!("/v1/vectors/index/{name}/add"), &items).await?.expect(200)?;
    }
    let page = String::from_utf8(probe.get("/metrics").await?.expect(200)?.body.to_vec())?;
    for line in [
        "lakehouse_log_head 101.0",
        r#"lakehouse_index_items{index="index000"} 2.0"#,
        "lakehouse_queries_running 0.0",
        "lakehouse_embed_cache_hits_total 0",
        "lakehouse_embed_cache_misses_total 0",
        "lakehouse_embed_cache_texts 0.0",
    ] {
        assert!(page.lines().any(|told| told == line), "{line} is missing in {page}");
    }
    assert_eq!(page.lines().filter(|line| line.starts_with("lakehouse_index_items{")).count(), 100);
    stack.stop().await
}

#[test]
fn a_start_with_too_few_files_says_so() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let limited = ["-c", "ulimit -n 512 && exec \"$0\" \"$@\"", BINARY, "serve", "--lake", "lake"];
    let ended = desk.command(Path::new("/bin/sh")).args(limited).output()?;
    let told = String::from_utf8(ended.stderr)?;
    assert!(!ended.status.success() && told.contains("512 files") && told.contains("ulimit -n"), "{told}");
    Ok(())
}

/// A Parquet file of one column of one row, but that a byte of it is another: the reader panics on it.
const PANICS: &str = "504152311500151015102c1502150415061506000001000000000000001502192c3500180d6475636b64625f736368656d61\
    150200150425001801612524001602191c191c26001c150419150019180161160016021632163226083c1808010000000000\
    00001808010000000000000016002808010000000000000018080100000000000000111100191c1500150015020000001632\
    1602260816320028284475636b44422076657273696f6e2076322e302e3020286275696c6420643534636262653364662919\
    1c1c000000b000000050415231";

#[test]
fn a_panic_that_was_caught_is_one_line_of_the_log() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let digits: Vec<u8> = PANICS.bytes().collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap_or_default(), 16);
    desk.write("panics.parquet", digits.chunks(2).map(byte).collect::<Result<Vec<u8>, _>>()?)?;
    let ran = desk.run(&["ingest", "t", "panics.parquet", "--lake", "lake"])?;
    assert!(ran.code != 0 && ran.err.contains("the Parquet file cannot be read"), "{ran:?}");
    let told = ran.err.lines().filter(|line| line.contains("panicked"));
    let told: Vec<Value> = told.map(serde_json::from_str).collect::<Result<_, _>>().context(ran.err.clone())?;
    assert_eq!(told.len(), 1, "{}", ran.err);
    assert_eq!((&told[0]["level"], &told[0]["message"]), (&json!("ERROR"), &json!("a part of the program panicked")));
    Ok(())
}
