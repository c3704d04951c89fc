//! A mixed load, SIGKILL at a random moment, a restart, the ledger compared; again and again on one lake.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use smokes::probe::{Probe, Reply};
use smokes::stack::{Ground, Site};

use super::figure;
use super::ledger::{Ledger, ROWS, Told, Write, content};
use super::lot::Lot;

use crate::command::BINARY;

/// The shortest and the longest life of a process, in milliseconds.
const SHORTEST: u64 = 30;
const LONGEST: u64 = 700;
/// Generations of the registered table that are put as objects before the killing begins.
const PREPARED: u64 = 4;

pub async fn run(kills: u64, seed: u64) -> anyhow::Result<()> {
    figure(&format!("kill: seed {seed}, {kills} kills"))?;
    let site = Site::new(&Ground::directory(BINARY))?;
    let load = Arc::new(Load::default());
    let mut lot = Lot::of(seed);
    let prepared = prepare(&site).await?;
    for round in 0..kills {
        let stack = site.start(&[]).await.with_context(|| format!("start {round}"))?;
        let probe = Probe::of(stack.gateway()?)?;
        load.ledger.check(&probe).await.with_context(|| format!("seed {seed}, after kill {round}"))?;
        let clients = load.begin(&probe, &prepared);
        tokio::time::sleep(Duration::from_millis(SHORTEST + lot.below(LONGEST - SHORTEST))).await;
        stack.kill().await?;
        for client in clients {
            client.await??;
        }
    }
    let stack = site.start(&[]).await?;
    load.ledger.check(&Probe::of(stack.gateway()?)?).await.with_context(|| format!("seed {seed}, at the end"))?;
    let (asked, acknowledged) = load.ledger.counts();
    figure(&format!(
        "kill: {kills} kills, {asked} writes sent, {acknowledged} acknowledged, none lost, none half there"
    ))?;
    stack.stop().await
}

/// Puts Parquet objects, one per generation, made by the lake itself. Returns the register call of each.
async fn prepare(site: &Site) -> anyhow::Result<Arc<Vec<Value>>> {
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    let mut calls = Vec::new();
    for generation in 0..PREPARED {
        let loaded = probe.ingest("name=source", &generation_csv(generation)).await?.expect(200)?.json()?;
        let manifest = probe.get("/v1/catalog/manifest/source").await?.expect(200)?.json()?;
        let source = manifest["objects"][0]["key"].as_str().context("an object")?;
        let bytes = probe.get(&format!("/v1/storage/objects/{source}")).await?.expect(200)?.body;
        let key = format!("generation-{generation}.parquet");
        probe.put(&format!("/v1/storage/objects/{key}"), bytes).await?.expect(201)?;
        calls.push(json!({
            "name": "registered",
            "schema_fingerprint": loaded["schema_fingerprint"],
            "objects": [{ "key": key }],
            "row_count": ROWS,
        }));
    }
    stack.stop().await?;
    Ok(Arc::new(calls))
}

/// The clients' numbers go on over all rounds, so that every write is told apart.
#[derive(Default)]
struct Load {
    ledger: Ledger,
    next: [AtomicU64; 4],
}

impl Load {
    /// One client per kind of write; each works until the process is gone.
    fn begin(
        self: &Arc<Self>,
        probe: &Probe,
        prepared: &Arc<Vec<Value>>,
    ) -> Vec<tokio::task::JoinHandle<anyhow::Result<()>>> {
        let kinds = [Write::Put, Write::Append, Write::Replace, Write::Register];
        let client = |write| {
            let (load, probe, prepared) = (self.clone(), probe.clone(), prepared.clone());
            storage::task::spawn("a client", async move { load.work(write, &probe, &prepared).await })
        };
        kinds.map(client).into()
    }

    async fn work(&self, write: Write, probe: &Probe, prepared: &[Value]) -> anyhow::Result<()> {
        loop {
            let number = self.next[write as usize].fetch_add(1, Ordering::Relaxed);
            if write == Write::Register && number >= PREPARED {
                return Ok(());
            }
            self.ledger.note(write, number, Told::Nothing);
            let Ok(reply) = send(write, number, probe, prepared).await else { return Ok(()) };
            anyhow::ensure!(reply.status.is_success(), "{write:?} {number} is refused: {reply:?}");
            self.ledger.note(write, number, Told::Done);
        }
    }
}

async fn send(write: Write, number: u64, probe: &Probe, prepared: &[Value]) -> anyhow::Result<Reply> {
    match write {
        Write::Put => probe.put(&format!("/v1/storage/objects/soak/{number}"), content(number)).await,
        Write::Append => {
            let rows: String = (0..ROWS).map(|row| format!("{number},{row}\n")).collect();
            probe.ingest("name=events&mode=append", &format!("batch,row\n{rows}")).await
        }
        Write::Replace => probe.ingest("name=state", &generation_csv(number)).await,
        Write::Register => {
            let call = usize::try_from(number).ok().and_then(|at| prepared.get(at));
            probe.post("/v1/catalog/register", call.context("a prepared generation")?).await
        }
    }
}

fn generation_csv(generation: u64) -> String {
    let rows: String = (0..ROWS).map(|row| format!("{generation},{row}\n")).collect();
    format!("generation,row\n{rows}")
}
