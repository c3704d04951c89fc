//! d6: from a file, uploaded as a form, to an answer, through the gateway only.

use anyhow::ensure;
use http::Method;
use serde_json::json;

use crate::probe::Probe;
use crate::stack::{Ground, Site};

const FORM: &str = "--edge\r\n\
    Content-Disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\n\
    Content-Type: text/csv\r\n\r\n\
    id,name,city\n1,Alice,Toledo\n2,Bob,Lima\n3,Cy,Akron\n\r\n\
    --edge--\r\n";

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let stack = site.start(&[]).await?;
    ensure!(stack.ready.roles.is_empty(), "in one process only the gateway has a port: {:?}", stack.ready.roles);
    let probe = Probe::of(stack.gateway()?)?;
    let form = [("content-type", "multipart/form-data; boundary=edge")];
    let loaded = probe.send(Method::POST, "/v1/ingest?name=people", &form, FORM.to_owned().into()).await?;
    let loaded = loaded.expect(200)?.json()?;
    let known = "043916c768704a24e76198f57db22d6cd4113ff19be7154e0cc04033ca02de01";
    ensure!(loaded["schema_fingerprint"] == known, "the fingerprint is {}", loaded["schema_fingerprint"]);
    let answer = probe.sql("SELECT name FROM people ORDER BY id").await?.expect(200)?.json()?;
    ensure!(answer["rows"][0][0] == "Alice", "the first row is {answer}");
    ensure!(answer["rows"] == json!([["Alice"], ["Bob"], ["Cy"]]), "the answer is {answer}");
    stack.stop().await
}
