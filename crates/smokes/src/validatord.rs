//! validatord: the six cases that every implementation answers alike, through the gateway, on an isolated lake.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::probe::Probe;
use crate::stack::{Ground, Site};

const WORKERS: &str = "worker_id,name,role,city,state,status\n1,Ann Poe,Welder,Toledo,OH,active\n";

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let stack = site.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    probe.ingest("name=workers", WORKERS).await?.expect(200)?;
    passes(&probe).await?;
    fails(&probe, |playbook| playbook["fingerprint"] = Value::Null, "Schema", Some("fingerprint")).await?;
    fails(&probe, |playbook| playbook["operation"] = json!("sms_draft: hello"), "Schema", Some("operation")).await?;
    fails(&probe, |playbook| playbook["endorsed_names"] = json!([]), "Completeness", None).await?;
    fails(&probe, |playbook| playbook["endorsed_names"] = json!(["A", "B", "C"]), "Completeness", None).await?;
    a_phantom_is_refused(&probe).await?;
    stack.stop().await
}

fn playbook() -> Value {
    json!({ "operation": "fill: welder x1", "endorsed_names": ["Ann Poe"], "target_count": 1, "fingerprint": "f1" })
}

async fn passes(probe: &Probe) -> anyhow::Result<()> {
    let asked = json!({ "kind": "playbook", "artifact": playbook() });
    let report = probe.post("/v1/validate", &asked).await?.expect(200)?.json()?;
    ensure!(report["validator"] == "staffing.playbook" && report["findings"] == json!([]), "it reports {report}");
    Ok(())
}

async fn fails(
    probe: &Probe,
    change: impl FnOnce(&mut Value),
    variant: &str,
    field: Option<&str>,
) -> anyhow::Result<()> {
    let mut artifact = playbook();
    change(&mut artifact);
    let asked = json!({ "kind": "playbook", "artifact": artifact });
    let error = probe.post("/v1/validate", &asked).await?.expect(422)?.json()?;
    let keys: Vec<&String> = error.as_object().context("an object")?.keys().collect();
    ensure!(keys == [variant], "it is refused with {error}");
    ensure!(error[variant].get("field").and_then(Value::as_str) == field, "it is refused with {error}");
    Ok(())
}

async fn a_phantom_is_refused(probe: &Probe) -> anyhow::Result<()> {
    let fills = json!([{ "candidate_id": "W-PHANTOM", "name": "Nobody" }]);
    let asked = json!({ "kind": "fill", "artifact": { "fills": fills }, "context": { "target_count": 1 } });
    let error = probe.post("/v1/validate", &asked).await?.expect(422)?.json()?;
    let reason = error["Consistency"]["reason"].as_str().context("a reason")?;
    ensure!(reason.contains("W-PHANTOM") && reason.contains("does not exist in the worker roster"), "it says {reason}");
    Ok(())
}
