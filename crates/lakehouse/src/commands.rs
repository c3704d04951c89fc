//! One module per command; each opens what it needs, asks once, shows the answer.

use std::process::ExitCode;

use crate::cli::{Cli, Command, Shared};
use crate::config::{Environment, Sources};
use crate::logs::{self, Loudness};
use crate::output::Output;
use crate::{demo, links};

mod catalog;
mod chat;
mod complete;
mod config;
mod doctor;
mod embed;
mod evidence;
mod ingest;
mod manual;
mod mcp;
mod packs;
mod repl;
mod search;
mod serve;
mod smoke;
mod sql;
mod upkeep;
mod validate;
mod vectors;
mod versions;
mod watch;

pub use catalog::describe;
pub use ingest::tell as show_load;
pub use search::show as show_found;
pub use sql::table as show_rows;
pub use watch::fetching;

/// Runs the command that was asked for.
pub async fn run(cli: Cli, environment: Environment, output: Output) -> anyhow::Result<ExitCode> {
    let loudness = if matches!(cli.command, Command::Serve(_)) { Loudness::Server } else { Loudness::Command };
    logs::start(loudness);
    let sources = sources(&cli.shared, environment);
    match cli.command {
        Command::Serve(serve) => serve::run(serve, sources, output).await?,
        Command::Demo(demo) => demo::run(demo, sources, output).await?,
        Command::Ingest(ingest) => ingest::run(&ingest, &sources, output).await?,
        Command::Sql(sql) => sql::run(&sql, &sources, output).await?,
        Command::Catalog(catalog) => catalog::run(&catalog, &sources, output).await?,
        Command::Compact(compact) => upkeep::compact(&compact, &sources, output).await?,
        Command::Expire(expire) => upkeep::expire(&expire, &sources, output).await?,
        Command::Sweep(sweep) => upkeep::sweep(&sweep, &sources, output).await?,
        Command::Backup(backup) => upkeep::backup(&backup, &sources, output).await?,
        Command::Restore(restore) => upkeep::restore(&restore, &sources, output).await?,
        Command::Relocate(relocate) => upkeep::relocate(&relocate, &sources, output).await?,
        Command::Embed(embed) => embed::run(&embed, &sources, output).await?,
        Command::Chat(chat) => chat::run(&chat, &sources, output).await?,
        Command::Validate(check) => return validate::validate(&check, &sources, output).await,
        Command::Iterate(session) => return validate::iterate(&session, &sources, output).await,
        Command::Packs(packs) => packs::run(&packs, &sources, output).await?,
        Command::ExtractJson => validate::extract_json(output).await?,
        Command::Search(search) => search::run(&search, &sources, output).await?,
        Command::Vectors(vectors) => vectors::run(&vectors, &sources, output).await?,
        Command::Evidence(evidence) => evidence::run(&evidence, &sources, output).await?,
        Command::Mcp(mcp) => mcp::run(&mcp, &sources, output).await?,
        Command::Config(config) => config::run(config.verb, &sources, output)?,
        Command::Doctor(doctor) => return doctor::run(&doctor, &sources, output).await,
        Command::Smoke(smoke) => return smoke::run(&smoke, &sources, output).await,
        Command::Links { directory } => {
            let made = links::make(&directory).await?;
            output.told(&made, || Ok(made.iter().try_for_each(|link| output.line(link))?))?;
        }
        Command::Completions { shell } => manual::completions(shell, output)?,
        Command::Man { dir } => manual::pages(dir.as_deref(), output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn sources(shared: &Shared, environment: Environment) -> Sources {
    Sources { file: shared.config.clone(), set: shared.set.clone(), lake: None, environment }
}
