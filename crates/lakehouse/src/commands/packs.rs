//! `lakehouse packs`: further checks of proposals are listed, kept, dropped, and tried before they judge.

use std::path::Path;

use base::AsOf;
use client::{Client, PackTried, TryPack, ValidatorPack, ValidatorPacks};
use serde_json::json;

use super::catalog::as_of_argument;
use super::validate::artifact_text;
use crate::cli::{Packs, PacksVerb};
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::exit::{Missing, Usage};
use crate::output::{Output, Sheet};

pub async fn run(packs: &Packs, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let purpose = if matches!(packs.verb, PacksVerb::Put { .. }) { Purpose::MakesLake } else { Purpose::Existing };
    let door = Door::open(&packs.target, sources, purpose).await?;
    let outcome = ask(&packs.verb, &door.client, output).await;
    door.close().await;
    outcome
}

async fn ask(verb: &PacksVerb, client: &Client, output: Output) -> anyhow::Result<()> {
    match verb {
        PacksVerb::List { as_of } => {
            let found = client.packs(as_of_argument(as_of.as_deref())?.as_ref()).await?;
            output.rows(&found, || listed(&found))
        }
        PacksVerb::Show { name, as_of } => {
            let pack = one(client, name, as_of_argument(as_of.as_deref())?.as_ref()).await?;
            output.told(&pack, || output.document(&pack))
        }
        PacksVerb::Put { file } => {
            let kept = client.put_pack(&read(file.as_deref()).await?).await?;
            output.told(&kept, || Ok(output.line(format!("{}: judges from version {} on", kept.name, kept.version))?))
        }
        PacksVerb::Drop { name } => {
            client.drop_pack(name).await?;
            let told = json!({ "name": name, "dropped": true });
            output.told(&told, || Ok(output.line(format!("{name} judges no more"))?))
        }
        PacksVerb::DryRun { file, sessions } => {
            let pack = read(file.as_deref()).await?;
            let tried = client.try_pack(&TryPack { pack, limit: Some(*sessions) }).await?;
            output.told(&tried, || tell(&tried, output))
        }
    }
}

async fn one(client: &Client, name: &str, as_of: Option<&AsOf>) -> anyhow::Result<ValidatorPack> {
    let found = client.packs(as_of).await?;
    let version = found.version;
    let pack = found.packs.into_iter().find(|pack| pack.name == name);
    Ok(pack.ok_or_else(|| Missing(format!("version {version} has no pack {name}")))?)
}

async fn read(file: Option<&Path>) -> anyhow::Result<ValidatorPack> {
    let text = artifact_text(file).await?;
    // Read as whoever judges by it reads it, so that a misspelt member is told and not passed over.
    let pack: ::validate::Pack = serde_json::from_str(&text).map_err(|why| Usage(format!("that is no pack: {why}")))?;
    Ok(serde_json::from_value(json!(pack))?)
}

fn listed(found: &ValidatorPacks) -> Sheet {
    let header = ["name", "kind", "schema", "assertions"].map(str::to_owned).to_vec();
    let row = |pack: &ValidatorPack| {
        let schema = if pack.schema.is_some() { "yes" } else { "" };
        vec![pack.name.clone(), pack.kind.clone(), schema.to_owned(), pack.assertions.len().to_string()]
    };
    let rows = found.packs.iter().map(row).collect();
    Sheet { header, rows, numeric: vec![false, false, false, true] }
}

fn tell(tried: &PackTried, output: Output) -> anyhow::Result<()> {
    output.line(format!("{} of {} proposals that counted would pass", tried.passed, tried.checked))?;
    for failed in &tried.failed {
        let session = failed.get("session_id").and_then(serde_json::Value::as_str).unwrap_or_default();
        let error = failed.get("error").map(ToString::to_string).unwrap_or_default();
        output.line(format!("{session}\t{error}"))?;
    }
    Ok(())
}
