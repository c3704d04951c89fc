//! A crowd of slow clients before a gateway, and what a normal request takes meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use smokes::probe::Probe;
use smokes::stack::{Ground, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use super::figure;

use crate::command::BINARY;

/// From so many on, the crowd is large enough for its effect to be told from chance.
const LARGE: u64 = 1000;
/// A slow client sends a byte of its head each time.
const TRICKLE: Duration = Duration::from_millis(500);
/// An object that fits into no socket's buffers, in bytes.
const OBJECT: usize = 32 << 20;
/// Rounds of normal requests that one measurement takes.
const ROUNDS: usize = 600;
/// How long a crowd stands before it is measured: its coming is not its standing.
const SETTLING: Duration = Duration::from_secs(5);

pub async fn run(crowd: u64) -> anyhow::Result<()> {
    let patience = if crowd < LARGE { "1s" } else { "20s" };
    figure(&format!("slow: {crowd} slow connections, cut off after {patience}"))?;
    let site = Site::new(&Ground::directory(BINARY))?;
    let settings = ["header_timeout", "body_timeout", "send_timeout"].map(|key| format!("gateway.{key}={patience}"));
    let stack = site.start(&settings.each_ref().map(String::as_str)).await?;
    let probe = Probe::of(stack.gateway()?)?;
    probe.put("/v1/storage/objects/large", vec![0; OBJECT]).await?.expect(201)?;
    probe.ingest("name=people", "id,name\n1,Alice\n").await?.expect(200)?;

    let idle = measure(&probe).await?;
    let slow = Crowd::of(stack.gateway()?)?;
    let clients: Vec<_> =
        (0..crowd).map(|number| storage::task::spawn("a slow client", slow.clone().stand(number))).collect();
    while slow.begun.load(Ordering::Relaxed) < crowd {
        tokio::time::sleep(TRICKLE).await;
    }
    if crowd >= LARGE {
        tokio::time::sleep(SETTLING).await;
    }
    let crowded = measure(&probe).await?;
    while slow.cut.load(Ordering::Relaxed) < crowd / 2 {
        tokio::time::sleep(TRICKLE).await;
    }
    let cutting = measure(&probe).await?;
    slow.enough.cancel();
    for client in clients {
        client.await?;
    }
    let (begun, cut) = (slow.begun.load(Ordering::Relaxed), slow.cut.load(Ordering::Relaxed));
    figure(&format!("slow: {begun} connections begun, {cut} cut off; a normal request, median and 95th of 100:"))?;
    for (when, took) in [("idle", &idle), ("with the crowd", &crowded), ("while it is cut off", &cutting)] {
        figure(&format!("slow: {when}: {:.2?} and {:.2?}", took.median, took.high))?;
    }
    if crowd >= LARGE {
        let worst = crowded.median.max(cutting.median);
        ensure!(worst <= idle.median * 3, "a normal request takes more than three times as long");
    }
    stack.stop().await
}

/// What normal requests take.
struct Took {
    median: Duration,
    high: Duration,
}

/// Asks for metadata, rows and a write in turn; each must be answered.
async fn measure(probe: &Probe) -> anyhow::Result<Took> {
    let mut took = Vec::new();
    for round in 0..ROUNDS {
        let began = Instant::now();
        match round % 3 {
            0 => probe.get("/v1/catalog/list").await?.expect(200)?,
            1 => probe.sql("SELECT name FROM people").await?.expect(200)?,
            _ => probe.get("/v1/storage/list?prefix=large").await?.expect(200)?,
        };
        took.push(began.elapsed());
    }
    took.sort();
    Ok(Took { median: took[ROUNDS / 2], high: took[ROUNDS * 95 / 100] })
}

/// Slow clients of one gateway.
struct Crowd {
    authority: String,
    begun: AtomicU64,
    cut: AtomicU64,
    enough: CancellationToken,
}

impl Crowd {
    fn of(gateway: &str) -> anyhow::Result<Arc<Self>> {
        let authority = gateway.strip_prefix("http://").context("a URL")?.trim_end_matches('/').to_owned();
        let (begun, cut) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Arc::new(Self { authority, begun, cut, enough: CancellationToken::new() }))
    }

    /// Is slow in one way, again and again.
    async fn stand(self: Arc<Self>, number: u64) {
        let again = async {
            loop {
                if self.once(number).await.is_err() {
                    tokio::time::sleep(TRICKLE).await;
                }
            }
        };
        self.enough.run_until_cancelled(again).await;
    }

    async fn once(&self, number: u64) -> anyhow::Result<()> {
        let line = TcpSocket::new_v4()?;
        line.set_recv_buffer_size(4096)?;
        let mut line = line.connect(self.authority.parse()?).await?;
        let host = &self.authority;
        match number % 3 {
            0 => {
                self.begun.fetch_add(1, Ordering::Relaxed);
                let head = format!("GET /v1/catalog/list HTTP/1.1\r\nHost: {host}\r\nX-Slow: {}", "x".repeat(10_000));
                trickle(&mut line, head.as_bytes()).await;
            }
            1 => {
                let body = format!("POST /v1/sql HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\n{{\"sql\":");
                line.write_all(body.as_bytes()).await?;
                self.begun.fetch_add(1, Ordering::Relaxed);
                line.read_to_end(&mut Vec::new()).await?;
            }
            _ => {
                let head = format!("GET /v1/storage/objects/large HTTP/1.1\r\nHost: {host}\r\n\r\n");
                line.write_all(head.as_bytes()).await?;
                self.begun.fetch_add(1, Ordering::Relaxed);
                // Whoever does not read never learns that the line was cut: it stands until the end.
                std::future::pending::<()>().await;
            }
        }
        self.cut.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Sends byte by byte until the far end has enough.
async fn trickle(line: &mut TcpStream, head: &[u8]) {
    let mut scrap = [0; 1];
    for byte in head.chunks(1) {
        if line.write_all(byte).await.is_err() {
            return;
        }
        if tokio::time::timeout(TRICKLE, line.read(&mut scrap)).await.is_ok() {
            return;
        }
    }
}
