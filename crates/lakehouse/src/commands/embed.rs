//! `lakehouse embed`: texts become vectors.

use client::Embedded;
use serde_json::json;
use tokio::io::AsyncReadExt;

use super::watch::fetching;
use crate::cli::{Embed, Overflow};
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::output::{Output, Sheet, plain};

/// How many numbers of a vector a person is shown.
const SHOWN: usize = 6;

pub async fn run(embed: &Embed, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let ask = client::Embed {
        texts: texts(&embed.texts).await?,
        model: embed.model.clone(),
        overflow: Some(embed.overflow.name().to_owned()),
    };
    let door = Door::open(&embed.target, sources, Purpose::Models).await?;
    let outcome = fetching(door.fetching(), door.client.embed(&ask)).await;
    door.close().await;
    let embedded = outcome??;
    match output.form() {
        None => tell(&ask.texts, &embedded, output),
        Some(_) => output.rows(&embedded, || sheet(&ask.texts, &embedded)),
    }
}

/// The texts that were given, or the lines of standard input.
async fn texts(given: &[String]) -> anyhow::Result<Vec<String>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let mut lines = String::new();
    tokio::io::stdin().read_to_string(&mut lines).await?;
    Ok(lines.lines().map(str::to_owned).collect())
}

/// A text a row, beside its vector as JSON.
fn sheet(texts: &[String], embedded: &Embedded) -> Sheet {
    let header = ["text", "vector"].map(str::to_owned).to_vec();
    let row = |(text, vector): (&String, &Vec<f32>)| vec![text.clone(), plain(&json!(vector))];
    Sheet { header, rows: texts.iter().zip(&embedded.vectors).map(row).collect(), numeric: Vec::new() }
}

/// A vector a line; a person sees the beginning of each.
fn tell(texts: &[String], embedded: &Embedded, output: Output) -> anyhow::Result<()> {
    if !output.terminal {
        return embedded.vectors.iter().try_for_each(|vector| Ok(output.line(serde_json::to_string(vector)?)?));
    }
    for (text, vector) in texts.iter().zip(&embedded.vectors) {
        let begin: Vec<String> = vector.iter().take(SHOWN).map(|number| format!("{number:.4}")).collect();
        output.line(format!("{}  [{}, …]", output.bold(text), begin.join(", ")))?;
    }
    let told = format!("{} · {} numbers each", embedded.model, embedded.dimension);
    Ok(output.line(output.dim(&told))?)
}

impl Overflow {
    /// As the service takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Truncate => "truncate",
            Self::Chunk => "chunk",
        }
    }
}
