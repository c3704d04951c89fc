//! g2: texts become vectors, the vectors go into an index, and each text finds itself and what means the same.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::points::ITSELF;
use crate::probe::Probe;
use crate::stack::{Ground, Site};

const TEXTS: [&str; 4] = [
    "Drives a forklift between racks and loading docks",
    "Draws blood without hurting",
    "Closes the books at the end of every month",
    "Kneads dough and watches the ovens before dawn",
];
/// Means the first text, and shares no word with it.
const SAME_MEANING: &str = "someone who moves pallets in warehouses";

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let stack = site.start(&["models.download=true"]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    let vectors = embed(&probe).await?;
    let index = json!({ "name": "texts", "dimension": vectors[0].as_array().map(Vec::len) });
    probe.post("/v1/vectors/index", &index).await?.expect(201)?;
    let items: Vec<Value> =
        TEXTS.iter().zip(&vectors).map(|(text, vector)| json!({ "id": text, "vector": vector })).collect();
    probe.post("/v1/vectors/index/texts/add", &json!({ "items": items })).await?.expect(200)?;
    for (text, vector) in TEXTS.iter().zip(&vectors) {
        is_nearest(&probe, &json!({ "vector": vector, "k": 1 }), text, Some(ITSELF)).await?;
    }
    through_the_text_routes(&probe).await?;
    stack.stop().await
}

/// The vectors of the texts; a second time they come out of the cache, the same.
async fn embed(probe: &Probe) -> anyhow::Result<Vec<Value>> {
    let ask = json!({ "texts": TEXTS });
    let first = probe.post("/v1/embed", &ask).await?.expect(200)?.json()?;
    let second = probe.post("/v1/embed", &ask).await?.expect(200)?.json()?;
    ensure!(first["vectors"] == second["vectors"], "the same texts have two kinds of vectors");
    let stats = probe.get("/v1/embed/stats").await?.expect(200)?.json()?;
    ensure!(stats["hits"] == TEXTS.len() && stats["misses"] == TEXTS.len(), "the cache says {stats}");
    let vectors = first["vectors"].as_array().context("no vectors")?;
    ensure!(vectors.len() == TEXTS.len(), "{} vectors for {} texts", vectors.len(), TEXTS.len());
    Ok(vectors.clone())
}

/// The same with texts all the way: the index embeds what it is given and what it is asked.
async fn through_the_text_routes(probe: &Probe) -> anyhow::Result<()> {
    let items: Vec<Value> = TEXTS.iter().map(|text| json!({ "id": text, "text": text })).collect();
    let added =
        probe.post("/v1/vectors/index/texts/add_text", &json!({ "items": items })).await?.expect(200)?.json()?;
    ensure!(added["updated"] == TEXTS.len() && added["added"] == 0, "add_text answers {added}");
    for text in TEXTS {
        is_nearest(probe, &json!({ "text": text, "k": 1 }), text, Some(ITSELF)).await?;
    }
    is_nearest(probe, &json!({ "text": SAME_MEANING, "k": 1 }), TEXTS[0], None).await?;
    let sql = format!("SELECT id FROM vector_search('texts', '{SAME_MEANING}', 1)");
    let answer = probe.sql(&sql).await?.expect(200)?.json()?;
    ensure!(answer["rows"] == json!([[TEXTS[0]]]), "SQL finds {answer}");
    Ok(())
}

async fn is_nearest(probe: &Probe, ask: &Value, text: &str, within: Option<f64>) -> anyhow::Result<()> {
    let found = probe.post("/v1/vectors/index/texts/search", ask).await?.expect(200)?.json()?;
    let nearest = &found["results"][0];
    ensure!(nearest["id"] == text, "expected {text:?}, found {nearest}");
    let distance = nearest["distance"].as_f64().context("a distance")?;
    ensure!(within.is_none_or(|most| distance <= most), "{text:?} is {distance} away from itself");
    Ok(())
}
