//! Eight clients in two processes race for fifty names with ingest and register.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use smokes::probe::Probe;
use smokes::stack::{Ground, Site};

use super::figure;
use super::lot::Lot;

use crate::command::BINARY;

const CLIENTS: u64 = 8;
const NAMES: u64 = 50;
/// Rows of one file.
const ROWS: u64 = 3;
/// Different contents that a replaced table may have; the number of rows tells them apart.
const CONTENTS: u64 = 3;

pub async fn run(calls: u64, seed: u64) -> anyhow::Result<()> {
    figure(&format!("race: seed {seed}, {calls} calls by {CLIENTS} clients in 2 processes for {NAMES} names"))?;
    let site = Site::new(&Ground::directory(BINARY))?;
    let (one, two) = (site.start(&[]).await?, site.start(&[]).await?);
    let probes = [Probe::of(one.gateway()?)?, Probe::of(two.gateway()?)?];
    let race = Arc::new(Race::of(prepare(&probes[0]).await?));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (race, probe) = (race.clone(), probes[usize::from(client % 2 == 1)].clone());
            let share = calls / CLIENTS + u64::from(client < calls % CLIENTS);
            storage::task::spawn(
                "a client",
                async move { race.work(&probe, share, Lot::of(seed ^ (client << 32))).await },
            )
        })
        .collect();
    for client in clients {
        client.await?.with_context(|| format!("seed {seed}"))?;
    }
    for probe in &probes {
        race.check(probe).await.with_context(|| format!("seed {seed}"))?;
    }
    let refused = race.conflicts.load(Ordering::Relaxed);
    figure(&format!(
        "race: {calls} calls, {NAMES} datasets, no duplicate; {refused} other schemas, each refused with 409"
    ))?;
    one.stop().await?;
    two.stop().await
}

struct Race {
    /// Register calls without a name, one per content.
    prepared: Vec<Value>,
    appended: Vec<AtomicU64>,
    conflicts: AtomicU64,
}

/// Parquet objects with the contents that replace also has.
async fn prepare(probe: &Probe) -> anyhow::Result<Vec<Value>> {
    let mut calls = Vec::new();
    for content in 0..CONTENTS {
        let loaded = probe.ingest("name=source", &csv(content, ROWS + content)).await?.expect(200)?.json()?;
        let manifest = probe.get("/v1/catalog/manifest/source").await?.expect(200)?.json()?;
        let source = manifest["objects"][0]["key"].as_str().context("an object")?;
        let bytes = probe.get(&format!("/v1/storage/objects/{source}")).await?.expect(200)?.body;
        let key = format!("content-{content}.parquet");
        probe.put(&format!("/v1/storage/objects/{key}"), bytes).await?.expect(201)?;
        calls.push(json!({
            "schema_fingerprint": loaded["schema_fingerprint"],
            "objects": [{ "key": key }],
            "row_count": ROWS + content,
        }));
    }
    Ok(calls)
}

/// Even names only grow; odd names are replaced, by files and by registered objects.
fn grows(name: u64) -> bool {
    name.is_multiple_of(2)
}

fn csv(content: u64, rows: u64) -> String {
    let rows: String = (0..rows).map(|row| format!("{content},{row}\n")).collect();
    format!("content,row\n{rows}")
}

impl Race {
    fn of(prepared: Vec<Value>) -> Self {
        let appended = (0..NAMES).map(|_| AtomicU64::new(0)).collect();
        Self { prepared, appended, conflicts: AtomicU64::new(0) }
    }

    async fn work(&self, probe: &Probe, calls: u64, mut lot: Lot) -> anyhow::Result<()> {
        let mut seen = BTreeSet::new();
        for _ in 0..calls {
            let name = lot.below(NAMES);
            // Only a name that this client saw in being must refuse another schema.
            if seen.contains(&name) && lot.below(10) == 0 {
                self.conflict(probe, name).await?;
            } else if grows(name) {
                self.append(probe, name).await?;
            } else if lot.below(2) == 0 {
                let content = lot.below(CONTENTS);
                let query = format!("name=d{name}");
                probe.ingest(&query, &csv(content, ROWS + content)).await?.expect(200).context("a replace")?;
            } else {
                self.register(probe, name, lot.below(CONTENTS)).await?;
            }
            seen.insert(name);
        }
        Ok(())
    }

    async fn append(&self, probe: &Probe, name: u64) -> anyhow::Result<()> {
        let query = format!("name=d{name}&mode=append");
        probe.ingest(&query, &csv(0, ROWS)).await?.expect(200).context("an append")?;
        self.appended[usize::try_from(name)?].fetch_add(ROWS, Ordering::Relaxed);
        Ok(())
    }

    async fn register(&self, probe: &Probe, name: u64, content: u64) -> anyhow::Result<()> {
        let mut call = self.prepared[usize::try_from(content)?].clone();
        call["name"] = format!("d{name}").into();
        probe.post("/v1/catalog/register", &call).await?.expect(200).context("a register")?;
        Ok(())
    }

    async fn conflict(&self, probe: &Probe, name: u64) -> anyhow::Result<()> {
        let reply = probe.ingest(&format!("name=d{name}"), "other,columns\n1,2\n").await?;
        reply.expect(409).context("another schema")?;
        self.conflicts.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Every name once, no row lost or doubled, one linear history.
    async fn check(&self, probe: &Probe) -> anyhow::Result<()> {
        let list = probe.get("/v1/catalog/list").await?.expect(200)?.json()?;
        let datasets = list["datasets"].as_array().context("datasets")?;
        let ids: BTreeSet<&str> = datasets.iter().filter_map(|dataset| dataset["dataset_id"].as_str()).collect();
        ensure!(ids.len() == datasets.len(), "a dataset is there twice");
        let rows: BTreeMap<&str, u64> =
            datasets.iter().filter_map(|one| Some((one["name"].as_str()?, one["row_count"].as_u64()?))).collect();
        for name in 0..NAMES {
            let held = rows.get(format!("d{name}").as_str()).copied().unwrap_or_default();
            let appended = self.appended[usize::try_from(name)?].load(Ordering::Relaxed);
            let counted = self.count(probe, name, held).await?;
            ensure!(counted == held, "d{name} states {held} rows and answers {counted}");
            let right =
                if grows(name) { held == appended } else { held == 0 || (ROWS..ROWS + CONTENTS).contains(&held) };
            ensure!(right, "d{name} holds {held} rows, {appended} were appended");
        }
        self.linear(probe).await
    }

    async fn count(&self, probe: &Probe, name: u64, held: u64) -> anyhow::Result<u64> {
        if held == 0 {
            return Ok(0);
        }
        let answer =
            probe.sql(&format!("SELECT COUNT(*), COUNT(DISTINCT content) FROM d{name}")).await?.expect(200)?.json()?;
        ensure!(answer["rows"][0][1] == 1, "d{name} holds a mixture: {answer}");
        answer["rows"][0][0].as_u64().context("a count")
    }

    async fn linear(&self, probe: &Probe) -> anyhow::Result<()> {
        let page = probe.get("/v1/catalog/versions?limit=100").await?.expect(200)?.json()?;
        let numbers: Vec<u64> =
            page["versions"].as_array().into_iter().flatten().filter_map(|one| one["version"].as_u64()).collect();
        ensure!(numbers.windows(2).all(|pair| pair[0] == pair[1] + 1), "the history has a gap: {numbers:?}");
        Ok(())
    }
}
