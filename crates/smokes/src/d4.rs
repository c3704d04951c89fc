//! d4: CSV becomes Parquet; the same bytes make no version; drift is refused and changes nothing.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::probe::Probe;
use crate::stack::{Ground, Site};

const CSV: &str = "id,name,zip,wage,since\n1,Alice,00501,21.5,2024-03-01\n2,\"Bob\nJr\",43604,19,2025-11-30\n";

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    let first = probe.ingest("name=workers", CSV).await?.expect(200)?.json()?;
    ensure!(first["existing"] == false && first["row_count"] == 2, "the first load answers {first}");
    is_parquet(&probe).await?;

    let again = probe.ingest("name=workers", CSV).await?.expect(200)?.json()?;
    ensure!(again["existing"] == true, "the same bytes answer {again}");
    for member in ["version", "dataset_id", "schema_fingerprint", "objects"] {
        ensure!(again[member] == first[member], "the same bytes changed {member}: {again}");
    }
    drifts(&probe).await?;
    probe.ingest("", CSV).await?.expect(400)?;
    stack.stop().await
}

async fn is_parquet(probe: &Probe) -> anyhow::Result<()> {
    let manifest = manifest(probe).await?;
    let types: Vec<&Value> =
        manifest["schema"]["fields"].as_array().into_iter().flatten().map(|field| &field["type"]).collect();
    ensure!(types == ["int64", "string", "string", "float64", "date"], "the types are {types:?}");
    let key = manifest["objects"][0]["key"].as_str().context("the manifest names no object")?;
    let bytes = probe.get(&format!("/v1/storage/objects/{key}")).await?.expect(200)?.body;
    ensure!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{key} is not Parquet");
    Ok(())
}

async fn drifts(probe: &Probe) -> anyhow::Result<()> {
    let before = manifest(probe).await?;
    let other_columns = "id,name,zip,wage,shift\n1,Alice,00501,21.5,night\n";
    let no_date = "id,name,zip,wage,since\n1,Alice,00501,21.5,soon\n";
    for csv in [other_columns, no_date] {
        let refusal = probe.ingest("name=workers", csv).await?.expect(409)?.json()?;
        ensure!(refusal["code"] == "catalog.schema_drift", "drift answers {refusal}");
        ensure!(!refusal["diff"].is_null() && refusal["diff"] != json!({}), "the refusal has no diff: {refusal}");
    }
    ensure!(manifest(probe).await? == before, "a refused load changed the table");
    Ok(())
}

async fn manifest(probe: &Probe) -> anyhow::Result<Value> {
    probe.get("/v1/catalog/manifest/workers").await?.expect(200)?.json()
}
