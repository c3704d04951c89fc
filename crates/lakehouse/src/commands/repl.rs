//! The interactive prompt: statements over several lines, history, completion, timing.

use std::io::stdin;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use client::Ask;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Editor};
use tokio::net::unix::pipe::Receiver;

use super::complete::Words;
use super::sql;
use crate::cli::Format;
use crate::config::Environment;
use crate::door::Door;
use crate::output::Output;

const HELP: &str = "\
end a statement with ;        it may span lines
\\d            datasets       \\d NAME      columns of one
\\timing       show or hide what a statement cost
\\x FORMAT     table, json, csv, markdown or ndjson
\\q            leave          Ctrl-C        drop the line";

/// The datasets, without the views that describe them.
const DATASETS: &str = "SELECT table_schema, table_name FROM information_schema.tables \
                        WHERE table_type = 'BASE TABLE' ORDER BY 1, 2";

/// How long the terminal may take to say that it has something to read.
const GLANCE: Duration = Duration::from_millis(20);

/// What the prompt remembers between statements.
struct Prompt<'a> {
    door: &'a Door,
    ask: Ask,
    format: Format,
    timing: bool,
    output: Output,
}

pub async fn run(
    door: &Door,
    ask: Ask,
    format: Format,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<()> {
    let config = rustyline::Config::builder().completion_type(CompletionType::List).max_history_size(10_000)?.build();
    let mut editor: Editor<Words, DefaultHistory> = Editor::with_config(config)?;
    let history = history_file(environment);
    if let Some(file) = &history {
        // A first session has no history yet.
        let _ = editor.load_history(file);
    }
    output.line(format!("{}, on {}. \\? helps, \\q leaves.", output.bold("lakehouse"), door.place))?;
    let mut prompt = Prompt { door, ask, format, timing: true, output };
    loop {
        editor.set_helper(Some(Words::of(&door.client).await));
        if has_ended().await {
            break;
        }
        match editor.readline("lake> ") {
            Ok(text) => {
                // A history that cannot grow is no reason to stop working.
                let _ = editor.add_history_entry(text.trim());
                if !prompt.take(text.trim()).await? {
                    break;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(file) = &history {
        keep(&mut editor, file);
    }
    Ok(())
}

/// Whether the input of the terminal ended while nobody read keys. Only who reads whole lines sees such an end: the
/// editor would find a character that means nothing, and wait.
async fn has_ended() -> bool {
    let watched = stdin().as_fd().try_clone_to_owned().and_then(Receiver::from_owned_fd_unchecked);
    let Ok(input) = watched else { return false };
    let readable = tokio::time::timeout(GLANCE, input.readable()).await.is_ok_and(|ready| ready.is_ok());
    readable && rustix::io::ioctl_fionread(stdin()).is_ok_and(|bytes| bytes == 0)
}

impl Prompt<'_> {
    /// Does what was typed; `false` ends the session. A statement that fails is told and does not end it.
    async fn take(&mut self, text: &str) -> anyhow::Result<bool> {
        if let Some(command) = text.strip_prefix('\\') {
            return self.command(command.trim()).await;
        }
        for statement in sql::statements(text) {
            let ask = Ask { sql: statement.to_owned(), ..self.ask.clone() };
            if let Err(error) = self.answer(ask).await {
                self.output.failure(&error);
            }
        }
        Ok(true)
    }

    async fn answer(&self, ask: Ask) -> anyhow::Result<()> {
        if self.format == Format::Table && !self.timing {
            let rows = self.door.client.sql(&ask).await?;
            return Ok(self.output.drawn(&sql::sheet(&rows))?);
        }
        sql::answer(&self.door.client, ask, self.format, self.output).await
    }

    async fn command(&mut self, command: &str) -> anyhow::Result<bool> {
        let (verb, argument) = command.split_once(' ').unwrap_or((command, ""));
        match (verb, argument.trim()) {
            ("q" | "quit", _) => return Ok(false),
            ("timing", _) => {
                self.timing = !self.timing;
                self.output.line(if self.timing { "timing is on" } else { "timing is off" })?;
            }
            ("x", name) => self.choose_format(name)?,
            ("d", "") => self.take_quietly(DATASETS).await,
            ("d", name) => self.take_quietly(&format!("DESCRIBE {name}")).await,
            _ => self.output.line(HELP)?,
        }
        Ok(true)
    }

    fn choose_format(&mut self, name: &str) -> std::io::Result<()> {
        match <Format as clap::ValueEnum>::from_str(name, true) {
            Ok(format) => self.format = format,
            Err(_) => self.output.line("formats: table, json, csv, markdown, ndjson")?,
        }
        Ok(())
    }

    async fn take_quietly(&self, statement: &str) {
        let ask = Ask { sql: statement.to_owned(), ..self.ask.clone() };
        if let Err(error) = self.answer(ask).await {
            self.output.failure(&error);
        }
    }
}

/// `$XDG_STATE_HOME/lakehouse/sql_history`, by default under `~/.local/state`.
fn history_file(environment: &Environment) -> Option<PathBuf> {
    let state = environment.get("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| Some(Path::new(environment.get("HOME")?).join(".local/state")))?;
    Some(state.join("lakehouse/sql_history"))
}

#[expect(clippy::disallowed_methods, reason = "the prompt's history belongs to the person, not to a lake")]
fn keep(editor: &mut Editor<Words, DefaultHistory>, file: &Path) {
    // A read-only home is no reason to end with an error.
    let _ = file.parent().map(std::fs::create_dir_all);
    let _ = editor.save_history(file);
}
