//! `lakehouse config`: are the settings right, and what are they.

use serde_json::{Map, json};

use crate::cli::ConfigVerb;
use crate::config::{Settled, Sources, settle};
use crate::output::{Output, Sheet};

pub fn run(verb: ConfigVerb, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let settled = settle(sources)?;
    match verb {
        ConfigVerb::Check => output.told(&json!({ "ok": true }), || Ok(output.line("the settings are right")?)),
        ConfigVerb::Show => show(&settled, output),
    }
}

fn show(settled: &Settled, output: Output) -> anyhow::Result<()> {
    let entries = settled.config.entries()?;
    if output.json {
        let told = entries.iter().map(|(key, value)| {
            let origin = settled.origin(key).to_string();
            (key.clone(), json!({ "value": value, "origin": origin, "meaning": settled.meaning(key) }))
        });
        return output.document(&told.collect::<Map<_, _>>());
    }
    let header = ["key", "value", "from"].map(str::to_owned).to_vec();
    let rows = entries.into_iter().map(|(key, value)| {
        let origin = settled.origin(&key).to_string();
        vec![key, value, origin]
    });
    Ok(output.sheet(&Sheet { header, rows: rows.collect(), numeric: Vec::new() })?)
}
