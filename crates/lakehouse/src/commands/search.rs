//! `lakehouse search`: what is nearest in meaning.

use std::collections::BTreeSet;

use client::{Found, Hit};

use super::watch::fetching;
use crate::cli::Search;
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::output::{Output, Sheet, plain};

pub async fn run(search: &Search, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let door = Door::open(&search.target, sources, Purpose::Existing).await?;
    let asked = client::Search {
        text: Some(search.text.clone()),
        mode: Some(search.mode.name().to_owned()),
        rerank: Some(search.rerank),
        k: Some(search.k),
        filter: search.filter.clone(),
        as_of: search.as_of.clone(),
        exact: Some(search.exact),
        ef_search: search.ef_search,
        ..client::Search::default()
    };
    let outcome = fetching(door.fetching(), door.client.search(&search.index, &asked)).await;
    door.close().await;
    let found = outcome??;
    output.rows(&found, || sheet(&found))
}

/// What was found, drawn wherever the output goes.
pub fn show(found: &Found, output: Output) -> anyhow::Result<()> {
    Ok(output.drawn(&sheet(found))?)
}

/// One row per item, one column per field that any of them has.
fn sheet(found: &Found) -> Sheet {
    let fields: BTreeSet<&String> = found.results.iter().flat_map(|hit| hit.metadata.keys()).collect();
    let scores = found.results.iter().any(|hit| hit.score.is_some());
    let measure = |hit: &Hit| if scores { hit.score } else { hit.distance.map(f64::from) };
    let header =
        [if scores { "score" } else { "distance" }, "id"].into_iter().chain(fields.iter().map(|field| field.as_str()));
    let row = |hit: &Hit| {
        let head = [format!("{:.4}", measure(hit).unwrap_or_default()), hit.id.clone()];
        let field = |field: &&String| hit.metadata.get(*field).map(plain).unwrap_or_default();
        head.into_iter().chain(fields.iter().map(field)).collect()
    };
    Sheet {
        header: header.map(str::to_owned).collect(),
        rows: found.results.iter().map(row).collect(),
        numeric: vec![true],
    }
}
