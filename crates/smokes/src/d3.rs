//! d3: register, manifest, list; idempotent, conflicting, and the same after a restart.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::probe::Probe;
use crate::stack::{Ground, Site};

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    let people = parquet(&probe, "people", "id,name\n1,Alice\n2,Bob\n").await?;
    let places = parquet(&probe, "places", "zip,city\n00501,Holtsville\n").await?;

    let first = register(&probe, &people, 200).await?;
    ensure!(first["existing"] == false, "a new name is existing: {first}");
    let second = register(&probe, &people, 200).await?;
    ensure!(second["existing"] == true, "a known name is not existing: {second}");
    ensure!(first["manifest"] == second["manifest"], "registering again changed the manifest");

    let refusal = register(&probe, &renamed(places, "registered_people"), 409).await?;
    ensure!(refusal["code"] == "catalog.schema_drift", "another schema is refused with {refusal}");
    refuses(&probe, &people).await?;

    let before = state(&probe).await?;
    stack.kill().await?;
    let restarted = site.start(&[]).await?;
    let after = state(&Probe::of(restarted.gateway()?)?).await?;
    ensure!(before == after, "after a restart the catalog answers {after:?}, before {before:?}");
    restarted.stop().await
}

/// A Parquet object made from a CSV, as a register call names it.
async fn parquet(probe: &Probe, name: &str, csv: &str) -> anyhow::Result<Value> {
    let loaded = probe.ingest(&format!("name={name}"), csv).await?.expect(200)?.json()?;
    let manifest = probe.get(&format!("/v1/catalog/manifest/{name}")).await?.expect(200)?.json()?;
    let source = manifest["objects"][0]["key"].as_str().context("the manifest names no object")?;
    let bytes = probe.get(&format!("/v1/storage/objects/{source}")).await?.expect(200)?.body;
    let key = format!("{name}.parquet");
    probe.put(&format!("/v1/storage/objects/{key}"), bytes).await?.expect(201)?;
    Ok(json!({
        "name": format!("registered_{name}"),
        "schema_fingerprint": loaded["schema_fingerprint"],
        "objects": [{ "key": key }],
        "row_count": loaded["row_count"],
    }))
}

fn renamed(mut call: Value, name: &str) -> Value {
    call["name"] = name.into();
    call
}

async fn register(probe: &Probe, call: &Value, status: u16) -> anyhow::Result<Value> {
    probe.post("/v1/catalog/register", call).await?.expect(status)?.json()
}

async fn refuses(probe: &Probe, good: &Value) -> anyhow::Result<()> {
    let with = |member: &str, value: Value| {
        let mut call = renamed(good.clone(), "other");
        call[member] = value;
        call
    };
    let cases = [
        (with("name", json!("")), 400),
        (with("schema_fingerprint", json!("")), 400),
        (with("objects", json!([{ "key": "nowhere.parquet" }])), 404),
        (with("row_count", json!(7)), 422),
        (with("objects", json!([])), 422),
    ];
    for (call, status) in cases {
        register(probe, &call, status).await.with_context(|| call.to_string())?;
    }
    probe.get("/v1/catalog/manifest/other").await?.expect(404)?;
    Ok(())
}

/// Every byte of the catalog's answers.
async fn state(probe: &Probe) -> anyhow::Result<[bytes::Bytes; 2]> {
    let manifest = probe.get("/v1/catalog/manifest/registered_people").await?.expect(200)?;
    let list = probe.get("/v1/catalog/list").await?.expect(200)?;
    let names: Vec<Value> =
        list.json()?["datasets"].as_array().into_iter().flatten().map(|one| one["name"].clone()).collect();
    ensure!(names == [json!("people"), json!("places"), json!("registered_people")], "the list names {names:?}");
    Ok([manifest.body, list.body])
}
