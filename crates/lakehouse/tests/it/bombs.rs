//! Files that are made to exhaust whoever reads them: each is refused, the server's memory stays, and others are served.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use rustix::process::Pid;
use smokes::probe::Probe;
use smokes::stack::{Ground, Site};

use crate::command::BINARY;

/// What the server's memory may grow by, in KiB.
const GROWTH: u64 = 64 << 10;

/// Ten gigabytes: a member of ten megabytes, over and over.
fn unpacking(to: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&to.repeat((10 << 20) / to.len()))?;
    Ok(encoder.finish()?.repeat(1000))
}

/// A sound file whose footer claims to be longer than the file, and one whose schema claims two billion columns.
fn lying() -> [Vec<u8>; 2] {
    let mut long = include_bytes!("../../../../testdata/parquet/nested.parquet").to_vec();
    let length = long.len() - 8;
    long[length..length + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let claim = [0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
    [long, [&b"PAR1"[..], &claim, &10_u32.to_le_bytes(), b"PAR1"].concat()]
}

/// What a bomb is called, its bytes, and the status and the code that refuse it.
type Bomb = (&'static str, Vec<u8>, u16, &'static str);

fn bombs() -> anyhow::Result<Vec<Bomb>> {
    let [long, wide] = lying();
    let columns: Vec<String> = (0..1_000_000).map(|column| format!("c{column}")).collect();
    Ok(vec![
        ("zeros", unpacking(b"0")?, 413, "ingest.unpacks_too_large"),
        ("equal rows", unpacking(b"17,shipped,Toledo\n")?, 413, "ingest.unpacks_too_large"),
        ("objects in objects", br#"{"a":"#.repeat(1_000_000), 422, "ingest.bad_rows"),
        ("arrays in arrays", b"[".repeat(1_000_000), 422, "ingest.bad_json"),
        ("a long footer", long, 422, "ingest.bad_parquet"),
        ("a wide footer", wide, 422, "ingest.bad_parquet"),
        ("a million columns", columns.join(",").into_bytes(), 422, "ingest.bad_header"),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_refused_take_no_memory_and_hinder_nobody() -> anyhow::Result<()> {
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    probe.ingest("name=people", "id,name\n1,Ann\n").await?.expect(200)?;
    for (what, bomb, status, code) in bombs()? {
        served(&probe).await?;
        let before = peak_from_now(stack.id()?).await?;
        let over = AtomicBool::new(false);
        let others = async {
            let mut answers = 0;
            while !over.load(Ordering::Relaxed) || answers == 0 {
                served(&probe).await?;
                answers += 1;
            }
            anyhow::Ok(())
        };
        let refused = async {
            let bytes = [("content-type", "application/octet-stream")];
            let reply = probe.send(Method::POST, "/v1/ingest?name=bomb", &bytes, bomb.into()).await;
            over.store(true, Ordering::Relaxed);
            reply
        };
        let (reply, others) = tokio::join!(refused, others);
        others.with_context(|| format!("while {what} came"))?;
        let problem = reply?.expect(status).with_context(|| what.to_owned())?.json()?;
        ensure!(problem["code"] == code, "{what}: {problem}");
        let grown = peak(stack.id()?).await?.saturating_sub(before);
        ensure!(grown < GROWTH, "{what}: the memory grew by {grown} KiB");
    }
    probe.get("/v1/catalog/manifest/bomb").await?.expect(404)?;
    stack.stop().await
}

async fn served(probe: &Probe) -> anyhow::Result<()> {
    let rows = probe.sql("SELECT name FROM people").await?.expect(200)?.json()?["rows"].clone();
    ensure!(rows == serde_json::json!([["Ann"]]), "{rows}");
    Ok(())
}

/// The server's memory, whose peak is counted anew from here on, in KiB.
pub async fn peak_from_now(server: Pid) -> anyhow::Result<u64> {
    tokio::fs::write(format!("/proc/{}/clear_refs", server.as_raw_nonzero()), "5").await?;
    peak(server).await
}

/// The most memory that the server had.
pub async fn peak(server: Pid) -> anyhow::Result<u64> {
    let status = tokio::fs::read_to_string(format!("/proc/{}/status", server.as_raw_nonzero())).await?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}
