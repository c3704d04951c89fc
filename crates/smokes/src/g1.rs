//! g1: vectors go in and are found; what does not fit is refused.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::points::{DIMENSION, ITSELF, id, items, vector};
use crate::probe::{Probe, Reply};
use crate::stack::{Ground, Site};

const COUNT: usize = 200;

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    create(&probe, "points").await?.expect(201)?;
    create(&probe, "points").await?.expect(409).context("the same name again")?;
    empty_answers_nothing(&probe).await?;
    let added = probe.post("/v1/vectors/index/points/add", &items(0..COUNT)).await?.expect(200)?.json()?;
    ensure!(added["added"] == COUNT && added["length"] == COUNT, "add answers {added}");
    for number in 0..COUNT {
        finds_itself(&probe, number).await?;
    }
    refuses(&probe).await?;
    stack.stop().await
}

pub async fn create(probe: &Probe, name: &str) -> anyhow::Result<Reply> {
    probe.post("/v1/vectors/index", &json!({ "name": name, "dimension": DIMENSION })).await
}

async fn empty_answers_nothing(probe: &Probe) -> anyhow::Result<()> {
    let results = search(probe, &vector(0), 10).await?;
    ensure!(results.is_empty(), "an empty index finds {results:?}");
    Ok(())
}

/// A stored vector is its own nearest neighbour, with its metadata.
pub async fn finds_itself(probe: &Probe, number: usize) -> anyhow::Result<()> {
    let results = search(probe, &vector(number), 3).await?;
    let nearest = results.first().with_context(|| format!("nothing is near {}", id(number)))?;
    ensure!(nearest["id"] == id(number), "nearest to {} is {nearest}", id(number));
    let distance = nearest["distance"].as_f64().context("a distance")?;
    ensure!(distance <= ITSELF, "{} is {distance} away from itself", id(number));
    ensure!(nearest["metadata"]["number"] == number, "the metadata is {}", nearest["metadata"]);
    Ok(())
}

pub async fn search(probe: &Probe, vector: &[f64], k: usize) -> anyhow::Result<Vec<Value>> {
    let ask = json!({ "vector": vector, "k": k });
    let found = probe.post("/v1/vectors/index/points/search", &ask).await?.expect(200)?.json()?;
    Ok(found["results"].as_array().with_context(|| format!("a search answers {found}"))?.clone())
}

async fn refuses(probe: &Probe) -> anyhow::Result<()> {
    let short = json!({ "items": [{ "id": "fits", "vector": vector(0) }, { "id": "short", "vector": [1.0, 2.0] }] });
    let refusal = probe.post("/v1/vectors/index/points/add", &short).await?.expect(400)?.json()?;
    let named = refusal["detail"].as_str().is_some_and(|text| text.contains("items[1]"));
    ensure!(named, "the refusal does not name the item: {refusal}");
    probe.get("/v1/vectors/index/points/items/fits").await?.expect(404).context("half of a refused batch")?;
    let ask = json!({ "vector": [1.0, 2.0], "k": 1 });
    probe.post("/v1/vectors/index/points/search", &ask).await?.expect(400).context("a query of two numbers")?;
    probe.post("/v1/vectors/index/nowhere/search", &ask).await?.expect(404).context("a search in no index")?;
    probe.post("/v1/vectors/index/nowhere/add", &items(0..1)).await?.expect(404).context("an item for no index")?;
    probe.get("/v1/vectors/index/nowhere").await?.expect(404)?;
    Ok(())
}
