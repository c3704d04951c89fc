//! The description of the routes, held against the real binary: each path with its methods, and no other method.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use client::Body;
use http::Method;
use smokes::probe::Probe;
use smokes::stack::{Ground, Site};

use crate::command::BINARY;

#[tokio::test]
async fn every_described_path_answers_to_its_methods_and_to_no_other() -> anyhow::Result<()> {
    let stack = Site::new(&Ground::directory(BINARY))?.start(&[]).await?;
    let probe = Probe::of(stack.gateway()?)?;
    let document = probe.get("/openapi.json").await?.expect(200)?.json()?;
    let paths = document["paths"].as_object().context("paths")?;
    ensure!(paths.contains_key("/mcp") && paths.contains_key("/docs") && paths.len() > 50, "{:?}", paths.keys());
    for (path, described) in paths {
        let filled = path.replace("{version}", "1").replace(['{', '}'], "");
        let refused = probe.send(Method::TRACE, &filled, &[], Body::empty()).await?.expect(405)?;
        let allowed: BTreeSet<String> = refused.header("allow").context("allow")?.split(',').map(method).collect();
        let told: BTreeSet<String> =
            described.as_object().context("methods")?.keys().map(|name| method(name)).collect();
        // Whoever answers GET answers HEAD.
        ensure!(allowed.iter().filter(|name| *name != "HEAD").eq(&told), "{path}: {allowed:?} but {told:?} are told");
    }
    ensure!(probe.get("/docs").await?.expect(200)?.header("content-security-policy").is_some(), "no policy");
    stack.stop().await
}

fn method(name: &str) -> String {
    name.trim().to_ascii_uppercase()
}
