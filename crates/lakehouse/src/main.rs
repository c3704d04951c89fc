//! The binary: command line, config, roles, assembly and shutdown.
//!
//! It assembles the rooms, starts and stops them, and shows their answers; it decides nothing about data. Reading
//! order: [`cli`] (what can be asked), [`config`] (how settings settle), [`assemble`] and [`serve`] (a running lake),
//! [`door`] (one way to a lake, running or not), [`commands`], then [`demo`].

mod assemble;
mod cli;
mod commands;
mod config;
mod demo;
mod door;
mod exit;
mod gauges;
mod links;
mod logs;
mod open_files;
mod output;
mod serve;

use std::process::ExitCode;

/// Threads for work that blocks. Each holds on to a few megabytes of what it freed, so many small reads at once must not
/// make hundreds of them. A load keeps one and needs another for its files: `config::bounds` allows half as many loads.
const BLOCKING_THREADS: usize = 32;

fn main() -> ExitCode {
    allocator::give_back_soon();
    let cli = cli::Cli::of(links::arguments(std::env::args_os()));
    let environment = config::Environment::of_process();
    let output = output::Output::new(cli.shared.form(), &environment);
    match run(cli, environment, output) {
        Ok(code) => code,
        Err(error) => exit::report(&error, output),
    }
}

/// Starts the runtime that every command shares, and runs the command on it.
fn run(cli: cli::Cli, environment: config::Environment, output: output::Output) -> anyhow::Result<ExitCode> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build()?;
    let code = runtime.block_on(commands::run(cli, environment, output));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}
