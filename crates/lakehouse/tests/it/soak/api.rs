//! Requests made out of the description of the API, sound ones and unsound ones: every answer is one that is described,
//! in its status, its type and its members, and none is a fault inside.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;
use smokes::probe::Probe;
use smokes::stack::{Ground, Site};

use super::figure;
use crate::command::{BINARY, Desk};

const CHECKS: &str = "status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,no_fault_inside";
/// From so many requests of each route on, the edges of every parameter are tried as well: some thousand requests.
const EDGES: u64 = 20;
const POINTS: &str = r#"{"items": [{"id": "a", "vector": [0, 1], "metadata": {"city": "Lima"}}]}"#;

/// `examples` requests of each route.
pub async fn run(examples: u64, seed: u64) -> anyhow::Result<()> {
    let Some(python) = testkit::schemathesis("soak::api") else { return Ok(()) };
    let (desk, site) = (Desk::new()?, Site::new(&Ground::directory(BINARY))?);
    let stack = site.start(&["queryd.timeout=2s"]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    furnish(&probe).await?;
    let report = desk.path().join("report.json");
    let phases = if examples < EDGES { "fuzzing" } else { "coverage,fuzzing" };
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command.args(["run", &format!("{}/openapi.json", stack.gateway()?), "--report", "json", "--report-json-path"]);
    command.arg(&report).args(["--phases", phases, "--checks", CHECKS, "--seed", &seed.to_string()]);
    command.args([
        "--max-examples",
        &examples.to_string(),
        "--request-timeout",
        "60",
        "--suppress-health-check",
        "all",
    ]);
    // Agents have a protocol of their own, whose conformance suite is another test.
    command.args(["--exclude-path", "/mcp", "--continue-on-failure", "--warnings", "off", "--no-color"]);
    command.current_dir(desk.path()).env("SCHEMATHESIS_HOOKS", "api_hooks");
    command.env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/soak"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&tokio::fs::read(&report).await?)?;
    let (requests, routes) = (&report["test_cases"]["generated"], &report["operations"]["tested"]);
    let (requests, routes) = (requests.as_u64().context("requests")?, routes.as_u64().context("routes")?);
    ensure!(routes >= 70 && requests >= routes * examples.min(3), "{requests} requests of {routes} routes are too few");
    figure(&format!("api: seed {seed}, {requests} requests of {routes} routes, every answer as described"))?;
    probe.get("/health").await?.expect(200)?;
    stack.stop().await
}

/// Something to ask for: a table, an index, an object, a tag.
async fn furnish(probe: &Probe) -> anyhow::Result<()> {
    probe.ingest("name=workers", "id,name\n1,Ann\n2,Bob\n").await?.expect(200)?;
    let index = serde_json::json!({ "name": "points", "dimension": 2, "distance": "euclidean" });
    probe.post("/v1/vectors/index", &index).await?.expect(201)?;
    probe.post("/v1/vectors/index/points/add", &serde_json::from_str(POINTS)?).await?.expect(200)?;
    probe.put("/v1/storage/objects/key", "x".to_owned()).await?.expect(201)?;
    let tag = serde_json::json!({ "version": 1 }).to_string();
    let json = [("content-type", "application/json")];
    probe.send(http::Method::PUT, "/v1/catalog/tags/first", &json, tag.into()).await?.expect(200)?;
    Ok(())
}
