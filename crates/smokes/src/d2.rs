//! d2: objects in and out, the 256 MiB cap, four uploads at a time.

use anyhow::{Context, ensure};
use bytes::Bytes;
use client::Body;
use http::Method;

use crate::held::{hold, open_body};
use crate::probe::Probe;
use crate::stack::{Ground, Site};

const CAP: u64 = 256 << 20;
const KEY: &str = "/v1/storage/objects/notes/day%201%20%27%C3%A9%27.txt";
const STORED_KEY: &str = "notes/day 1 'é'.txt";

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    round_trip(&probe).await?;
    refuses_bad_keys(&probe).await?;
    declared_cap(stack.gateway()?).await?;
    four_at_a_time(&probe).await?;
    stack.stop().await?;

    let small = site.start(&["storaged.object_limit=1MiB"]).await?;
    streamed_cap(small.gateway()?).await?;
    small.stop().await
}

async fn round_trip(probe: &Probe) -> anyhow::Result<()> {
    let stored = probe.put(KEY, "hello lake".to_owned()).await?.expect(201)?.json()?;
    ensure!(stored["key"] == STORED_KEY && stored["size"] == 10, "PUT answers {stored}");
    let got = probe.get(KEY).await?.expect(200)?;
    ensure!(got.body == "hello lake", "GET answers {:?}", got.body);
    let part = probe.send(Method::GET, KEY, &[("range", "bytes=6-9")], Body::empty()).await?.expect(206)?;
    ensure!(part.body == "lake", "a range answers {:?}", part.body);
    let again = probe.send(Method::PUT, KEY, &[("if-none-match", "*")], "other".to_owned().into()).await?;
    again.expect(412).context("a second creation")?;
    let listed = probe.get("/v1/storage/list?prefix=notes/").await?.expect(200)?.json()?;
    ensure!(listed["objects"][0]["key"] == STORED_KEY, "the list holds {listed}");
    probe.delete(KEY).await?.expect(204)?;
    probe.delete(KEY).await?.expect(204).context("deleting what is gone")?;
    probe.get(KEY).await?.expect(404)?;
    Ok(())
}

async fn refuses_bad_keys(probe: &Probe) -> anyhow::Result<()> {
    for key in ["a%2F..%2Fb", "%2Fa", "a%2F%2Fb", "a%00b", "a%0Ab"] {
        let reply = probe.put(&format!("/v1/storage/objects/{key}"), "x".to_owned()).await?;
        reply.expect(400).with_context(|| format!("key {key}"))?;
    }
    Ok(())
}

/// A declared length over the cap is refused before the body is sent.
async fn declared_cap(url: &str) -> anyhow::Result<()> {
    let (_held, body) = open_body();
    let length = (CAP + 1).to_string();
    let path = "/v1/storage/objects/huge";
    let reply = Probe::of(url)?.send(Method::PUT, path, &[("content-length", &length)], body).await?;
    reply.expect(413).context("one byte over the cap, declared")?;
    is_absent(url, path).await
}

/// A length that nobody declared is counted on the way; what was sent is gone afterwards.
async fn streamed_cap(url: &str) -> anyhow::Result<()> {
    let pieces = futures::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 64 << 10]))));
    let path = "/v1/storage/objects/long";
    let reply = Probe::of(url)?.send(Method::PUT, path, &[], Body::stream(pieces)).await?;
    reply.expect(413).context("over the cap, streamed")?;
    is_absent(url, path).await
}

/// Asked over a new connection: the one whose body was refused ends.
async fn is_absent(url: &str, path: &str) -> anyhow::Result<()> {
    Probe::of(url)?.get(path).await?.expect(404).map(drop)
}

/// While four uploads are open the fifth is told to come back in five seconds.
async fn four_at_a_time(probe: &Probe) -> anyhow::Result<()> {
    let (uploads, refused) = hold(probe, "/v1/storage/objects/slow", 4).await?;
    ensure!(refused.header("retry-after") == Some("5"), "the refusal says to retry after {:?}", refused.headers);
    for upload in uploads {
        let stored = upload.finish().await?.expect(201)?.json()?;
        ensure!(stored["size"] == "begin end".len(), "an upload is cut: {stored}");
    }
    Ok(())
}
