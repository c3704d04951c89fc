//! time_travel: every version answers as it did, however it is named, and whatever became of the dataset since.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::probe::Probe;
use crate::stack::{Ground, Site};

const NAMES: &str = "SELECT name FROM people ORDER BY id";

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    probe.ingest("name=people", "id,name\n1,Ann\n").await?.expect(200)?;
    probe.put("/v1/catalog/tags/first", json!({ "version": 1 }).to_string()).await?.expect(200)?;
    probe.ingest("name=people&mode=append", "id,name\n2,Bob\n").await?.expect(200)?;
    let since = probe.get("/v1/catalog/versions/3").await?.expect(200)?.json()?;
    names_versions(&probe, since["at"].as_str().context("a record states its time")?).await?;
    differs(&probe).await?;
    goes_back(&probe).await?;
    stack.stop().await
}

/// A number, a time and a tag; for the whole query or table by table.
async fn names_versions(probe: &Probe, since: &str) -> anyhow::Result<()> {
    for (as_of, names) in
        [(json!(1), json!([["Ann"]])), (json!("first"), json!([["Ann"]])), (json!(since), json!([["Ann"], ["Bob"]]))]
    {
        let ask = json!({ "sql": NAMES, "as_of": as_of });
        let then = probe.post("/v1/sql", &ask).await?.expect(200)?.json()?;
        ensure!(then["rows"] == names, "as of {as_of}: {then}");
    }
    let new =
        "SELECT p.name FROM people p LEFT JOIN people FOR TAG AS OF 'first' AS f ON p.id = f.id WHERE f.id IS NULL";
    let came = probe.sql(new).await?.expect(200)?.json()?;
    ensure!(came["rows"] == json!([["Bob"]]), "who came since: {came}");
    let unknown = probe.post("/v1/sql", &json!({ "sql": NAMES, "as_of": 99 })).await?.expect(404)?.json()?;
    ensure!(unknown["newest"] == 3, "the range is told: {unknown}");
    Ok(())
}

async fn differs(probe: &Probe) -> anyhow::Result<()> {
    let diff = probe.get("/v1/catalog/versions/3/diff?from=first").await?.expect(200)?.json()?;
    let table = &diff["tables"][0];
    ensure!(table["rows_added"] == 1 && table["rows_removed"] == 0, "between versions 1 and 3: {diff}");
    Ok(())
}

async fn goes_back(probe: &Probe) -> anyhow::Result<()> {
    let to = json!({ "to": "first" });
    probe.post("/v1/catalog/rollback/people", &to).await?.expect(200)?;
    ensure!(now(probe).await? == json!([["Ann"]]), "a rollback brings the rows back");
    probe.delete("/v1/catalog/datasets/people").await?.expect(200)?;
    probe.sql(NAMES).await?.expect(400)?;
    let then = probe.post("/v1/sql", &json!({ "sql": NAMES, "as_of": 3 })).await?.expect(200)?.json()?;
    ensure!(then["row_count"] == 2, "a dropped dataset still answers as it was: {then}");
    probe.post("/v1/catalog/rollback/people", &json!({ "to": 3 })).await?.expect(200)?;
    ensure!(now(probe).await? == json!([["Ann"], ["Bob"]]), "and comes back");
    Ok(())
}

async fn now(probe: &Probe) -> anyhow::Result<Value> {
    Ok(probe.sql(NAMES).await?.expect(200)?.json()?["rows"].clone())
}
