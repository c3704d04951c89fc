//! iceberg: another engine finds our tables by Iceberg's REST protocol, commits to them, and is refused where it is late.

use anyhow::ensure;
use serde_json::{Value, json};

use crate::probe::Probe;
use crate::stack::{Ground, Site};

const PEOPLE: &str = "/iceberg/v1/namespaces/default/tables/people";

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    probe.ingest("name=people", "id,name\n1,Ann\n2,Bob\n").await?.expect(200)?;
    probe.ingest("name=people", "id,name\n3,Cy\n").await?.expect(200)?;
    finds(&probe).await?;
    commits(&probe).await?;
    creates(&probe).await?;
    stack.stop().await
}

async fn finds(probe: &Probe) -> anyhow::Result<()> {
    let config = probe.get("/iceberg/v1/config").await?.expect(200)?.json()?;
    ensure!(config["endpoints"].as_array().is_some_and(|known| known.len() > 10), "the config: {config}");
    let listed = probe.get("/iceberg/v1/namespaces/default/tables").await?.expect(200)?.json()?;
    ensure!(listed["identifiers"][0]["name"] == "people", "the tables: {listed}");
    let missing = probe.get("/iceberg/v1/namespaces/default/tables/none").await?.expect(404)?.json()?;
    ensure!(missing["error"]["type"] == "NoSuchTableException", "an unknown table: {missing}");
    Ok(())
}

/// A snapshot that has the files of the first one again, as an engine would write it.
fn commit(metadata: &Value) -> Value {
    let snapshots = metadata["snapshots"].as_array().into_iter().flatten();
    let first = snapshots.min_by_key(|snapshot| snapshot["sequence-number"].as_i64());
    let now = &metadata["current-snapshot-id"];
    let snapshot = json!({
        "snapshot-id": 77, "parent-snapshot-id": now, "sequence-number": 3,
        "timestamp-ms": metadata["last-updated-ms"], "manifest-list": first.map(|first| &first["manifest-list"]),
        "schema-id": 0, "summary": { "operation": "overwrite" },
    });
    json!({
        "requirements": [{ "type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": now }],
        "updates": [
            { "action": "add-snapshot", "snapshot": snapshot },
            { "action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 77 },
        ],
    })
}

async fn commits(probe: &Probe) -> anyhow::Result<()> {
    let loaded = probe.get(PEOPLE).await?.expect(200)?.json()?;
    let commit = commit(&loaded["metadata"]);
    probe.post(PEOPLE, &commit).await?.expect(200)?;
    let rows = probe.sql("SELECT name FROM people ORDER BY id").await?.expect(200)?.json()?;
    ensure!(rows["rows"] == json!([["Ann"], ["Bob"]]), "after the engine's commit: {rows}");
    let late = probe.post(PEOPLE, &commit).await?.expect(409)?.json()?;
    ensure!(late["error"]["type"] == "CommitFailedException", "the commit again: {late}");
    probe.ingest("name=people&mode=append", "id,name\n4,Di\n").await?.expect(200)?;
    let rows = probe.sql("SELECT count(*) FROM people").await?.expect(200)?.json()?;
    ensure!(rows["rows"] == json!([[3]]), "our append follows the engine's snapshot: {rows}");
    let then = probe.sql("SELECT name FROM people FOR VERSION AS OF 2").await?.expect(200)?.json()?;
    ensure!(then["rows"] == json!([["Cy"]]), "the version before: {then}");
    Ok(())
}

async fn creates(probe: &Probe) -> anyhow::Result<()> {
    probe.post("/iceberg/v1/namespaces", &json!({ "namespace": ["hr"] })).await?.expect(200)?;
    let field = json!({ "id": 1, "name": "id", "required": false, "type": "long" });
    let table = json!({ "name": "staff", "schema": { "type": "struct", "fields": [field] } });
    probe.post("/iceberg/v1/namespaces/hr/tables", &table).await?.expect(200)?;
    probe.ingest("name=hr.staff&mode=append", "id\n7\n").await?.expect(200)?;
    let rows = probe.sql("SELECT id FROM hr.staff").await?.expect(200)?.json()?;
    ensure!(rows["rows"] == json!([[7]]), "rows in a table that an engine created: {rows}");
    probe.delete("/iceberg/v1/namespaces/hr/tables/staff").await?.expect(204)?;
    probe.sql("SELECT id FROM hr.staff").await?.expect(400)?;
    Ok(())
}
