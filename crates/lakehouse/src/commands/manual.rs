//! `lakehouse completions | man`: the commands as shells and manuals want to be told of them.

use std::path::Path;

use anyhow::Context;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli;
use crate::output::Output;

/// What the program is called in shells.
const NAME: &str = "lakehouse";

/// The script that completes the commands in a shell.
pub fn completions(shell: Shell, output: Output) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), NAME, &mut script);
    Ok(output.line(String::from_utf8(script)?.trim_end())?)
}

/// The manual's page of the program, or one of each command in a directory.
pub async fn pages(directory: Option<&Path>, output: Output) -> anyhow::Result<()> {
    let Some(directory) = directory else {
        return Ok(output.line(page(cli::command())?.trim_end())?);
    };
    tokio::fs::create_dir_all(directory).await.with_context(|| format!("cannot make {}", directory.display()))?;
    let mut command = cli::command();
    command.build();
    let mut files = Vec::new();
    for command in all(&command) {
        let file = directory.join(format!("{}.1", command.get_display_name().unwrap_or(NAME)));
        let written = tokio::fs::write(&file, page(command)?).await;
        written.with_context(|| format!("cannot write {}", file.display()))?;
        files.push(file.display().to_string());
    }
    output.told(&files, || Ok(files.iter().try_for_each(|file| output.line(file))?))
}

fn page(command: Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(String::from_utf8(page)?)
}

/// A command and everything below it, each with a name of its own, such as `lakehouse-catalog-tag`.
fn all(command: &Command) -> Vec<Command> {
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    std::iter::once(command.clone()).chain(below.flat_map(all)).collect()
}
