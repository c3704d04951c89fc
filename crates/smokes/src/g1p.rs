//! g1p: what was added survives kill -9 and a restart, and so does what was deleted.

use anyhow::{Context, ensure};
use serde_json::json;

use crate::g1::{create, finds_itself, search};
use crate::points::{id, items, vector};
use crate::probe::Probe;
use crate::stack::{Ground, Site};

const COUNT: usize = 60;
const DELETED: usize = 7;

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    create(&probe, "points").await?.expect(201)?;
    create(&probe, "gone").await?.expect(201)?;
    for number in 0..COUNT {
        probe.post("/v1/vectors/index/points/add", &items([number])).await?.expect(200)?;
    }
    stack.kill().await?;

    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    holds(&probe, COUNT).await.context("after the first kill")?;
    for number in 0..COUNT {
        finds_itself(&probe, number).await.context("after the first kill")?;
    }
    probe.delete(&format!("/v1/vectors/index/points/items/{}", id(DELETED))).await?.expect(204)?;
    probe.delete("/v1/vectors/index/gone").await?.expect(204)?;
    stack.kill().await?;

    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    holds(&probe, COUNT - 1).await.context("after the second kill")?;
    stays_deleted(&probe).await?;
    stack.stop().await
}

async fn holds(probe: &Probe, length: usize) -> anyhow::Result<()> {
    let index = probe.get("/v1/vectors/index/points").await?.expect(200)?.json()?;
    ensure!(index["length"] == json!(length), "the index holds {index}");
    Ok(())
}

async fn stays_deleted(probe: &Probe) -> anyhow::Result<()> {
    probe.get("/v1/vectors/index/gone").await?.expect(404).context("a deleted index")?;
    probe
        .get(&format!("/v1/vectors/index/points/items/{}", id(DELETED)))
        .await?
        .expect(404)
        .context("a deleted item")?;
    let results = search(probe, &vector(DELETED), COUNT).await?;
    ensure!(results.len() == COUNT - 1, "{} items are found", results.len());
    ensure!(results.iter().all(|one| one["id"] != json!(id(DELETED))), "a deleted item is found");
    Ok(())
}
