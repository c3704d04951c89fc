//! d1: the workers in one process on their own ports, a gateway in another; each answers under its name.

use anyhow::ensure;
use serde_json::json;

use crate::probe::Probe;
use crate::stack::{Ground, Site};

const WORKERS: [&str; 8] = ["storaged", "catalogd", "ingestd", "queryd", "vectord", "embedd", "chatd", "validatord"];

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let workers = site.start_roles(&WORKERS, &[]).await?;
    ensure!(workers.ready.gateway.is_none(), "a stack without a gateway names one");
    let upstreams: Vec<String> =
        workers.ready.roles.iter().map(|(role, url)| format!("upstreams.{role}={url}")).collect();
    let settings: Vec<&str> = upstreams.iter().map(String::as_str).collect();
    let edge = site.start_roles(&["gateway"], &settings).await?;

    is_called(edge.gateway()?, "gateway").await?;
    for role in WORKERS {
        let url = workers.ready.roles.get(role);
        is_called(url.ok_or_else(|| anyhow::anyhow!("{role} has no port"))?, role).await?;
    }
    reaches_each(&Probe::of(edge.gateway()?)?).await?;
    edge.stop().await?;
    workers.stop().await
}

async fn is_called(url: &str, role: &str) -> anyhow::Result<()> {
    let health = Probe::of(url)?.get("/health").await?.expect(200)?;
    ensure!(health.json()? == json!({ "status": "ok", "service": role }), "{url} is not {role}: {:?}", health.body);
    Ok(())
}

/// One cheap request per role; only that role can answer it so.
async fn reaches_each(gateway: &Probe) -> anyhow::Result<()> {
    let objects = gateway.get("/v1/storage/list").await?.expect(200)?.json()?;
    ensure!(objects["objects"] == json!([]), "storaged lists {objects}");
    let datasets = gateway.get("/v1/catalog/list").await?.expect(200)?.json()?;
    ensure!(datasets["datasets"] == json!([]), "catalogd lists {datasets}");
    let nameless = gateway.ingest("", "a\n1\n").await?.expect(400)?.json()?;
    ensure!(nameless["detail"].as_str().is_some_and(|text| text.contains("name")), "ingestd says {nameless}");
    let one = gateway.sql("SELECT 1 AS one").await?.expect(200)?.json()?;
    ensure!(one["rows"] == json!([[1]]), "queryd answers {one}");
    let indexes = gateway.get("/v1/vectors/index").await?.expect(200)?.json()?;
    ensure!(indexes["indexes"] == json!([]), "vectord lists {indexes}");
    let cache = gateway.get("/v1/embed/stats").await?.expect(200)?.json()?;
    ensure!(cache["misses"] == 0, "embedd states {cache}");
    Ok(())
}
