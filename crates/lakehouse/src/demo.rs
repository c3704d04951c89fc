//! The demo: real figures become versioned tables, the same questions are asked of two months, and texts are found by
//! meaning and joined with the tables.

use std::path::Path;

use anyhow::Context;
use client::Client;

use crate::cli::Demo;
use crate::config::{Config, Sources, settle};
use crate::door::Door;
use crate::exit::Usage;
use crate::output::Output;
use crate::serve::{self, Plan, Running};

mod compare;
mod fetch;
mod meaning;
mod people;
mod sample;
mod story;
mod texts;

use story::Story;

/// Shows the demo, and keeps serving its lake when that was asked for.
pub async fn run(demo: Demo, sources: Sources, output: Output) -> anyhow::Result<()> {
    if output.json {
        return Err(Usage("the demo is a story for people: it has no --json".to_owned()).into());
    }
    let mut config = settle(&Sources { lake: Some(demo.lake.clone()), ..sources })?.config;
    config.models.download &= !demo.offline;
    output.line(output.bold("Lakehouse demo"))?;
    output.line(format!("The lake is {}. Everything below is real output of this binary.", demo.lake))?;
    if !demo.serve {
        let door = Door::local(config.clone()).await?;
        let told = match door.models() {
            Some(models) => Story::new(&door.client, output).tell(&demo, models).await,
            None => Ok(()),
        };
        door.close().await;
        told?;
        return what_next(&demo.lake, &config.url(api::Role::Gateway), false, output);
    }
    let running = start(&config).await?;
    let url = running.gateway()?;
    let models = running.models().context("nothing embeds")?;
    Story::new(&client(&config, &url)?, output).tell(&demo, models).await?;
    what_next(&demo.lake, &url, true, output)?;
    running.until_stopped().await
}

/// A client of the demo's own gateway, with its token when there is one.
fn client(config: &Config, url: &str) -> anyhow::Result<Client> {
    let client = Client::remote(url)?;
    Ok(match &config.auth.token {
        Some(token) => client.with_token(token.expose())?,
        None => client,
    })
}

/// Serves at the usual port, or at a free one when that is taken.
async fn start(config: &Config) -> anyhow::Result<Running> {
    let plan = Plan::of(config, &[])?;
    match serve::start(config, plan).await {
        Err(error) if serve::is_taken(&error) => {
            let mut elsewhere = config.clone();
            elsewhere.gateway.bind = Some((std::net::Ipv4Addr::LOCALHOST, 0).into());
            let plan = Plan::of(&elsewhere, &[])?;
            serve::start(&elsewhere, plan).await
        }
        outcome => outcome,
    }
}

fn what_next(lake: &str, url: &str, serving: bool, output: Output) -> anyhow::Result<()> {
    output.line("")?;
    output.line(output.bold("What to try next"))?;
    let binary = program();
    if !serving {
        output.line(format!("  {binary} sql --lake {lake}                     an SQL prompt on this lake"))?;
        output.line(format!("  {binary} search skills \"fixes machines\" --lake {lake}"))?;
        output.line(format!("  {binary} ingest mine FILE.csv --lake {lake}     a table of your own"))?;
        output.line(format!("  {binary} serve --lake {lake}                   then:"))?;
    }
    let lines = [
        format!("  curl {url}/v1/catalog/list"),
        format!("  curl {url}/v1/catalog/history/workers"),
        format!(
            "  curl {url}/v1/sql -H 'content-type: application/json' -d '{{\"sql\": \"SELECT COUNT(*) FROM workers\"}}'"
        ),
        format!("  curl {url}/v1/ingest?name=mine -F file=@FILE.csv"),
    ];
    lines.iter().try_for_each(|line| output.line(line))?;
    if serving {
        output.line(format!("Serving at {url} until Ctrl-C."))?;
    }
    Ok(())
}

/// How this program was called, so that what is printed can be pasted.
fn program() -> String {
    let called = std::env::args_os().next().unwrap_or_else(|| "lakehouse".into());
    let path = Path::new(&called);
    match path.strip_prefix(std::env::current_dir().unwrap_or_default()) {
        Ok(inside) => format!("./{}", inside.display()),
        Err(_) => path.display().to_string(),
    }
}
