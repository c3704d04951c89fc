//! `lakehouse sql`: one statement, a script, or the prompt.

use std::io::{IsTerminal, Write};

use client::{Ask, Client, Rows};
use futures::StreamExt;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::catalog::as_of_argument;
use super::repl;
use crate::cli::{Form, Format, Sql};
use crate::config::Sources;
use crate::door::{Door, Purpose};
use crate::exit::Usage;
use crate::output::{Output, Screen, Sheet, grouped, plain};

pub async fn run(sql: &Sql, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let ask = question(sql)?;
    let format = chosen(sql, output);
    let door = Door::open(&sql.target, sources, Purpose::Existing).await?;
    let outcome = match &sql.query {
        Some(query) => answer(&door.client, Ask { sql: query.clone(), ..ask }, format, output).await,
        None if std::io::stdin().is_terminal() => repl::run(&door, ask, format, &sources.environment, output).await,
        None => script(&door.client, &ask, format, output).await,
    };
    door.close().await;
    outcome
}

/// What the options say about every statement.
fn question(sql: &Sql) -> Result<Ask, Usage> {
    let params = sql.params.iter().map(|text| parameter(text)).collect();
    Ok(Ask { sql: String::new(), as_of: as_of_argument(sql.as_of.as_deref())?, params, max_rows: sql.max_rows })
}

/// JSON where it is JSON, else the text itself.
fn parameter(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn chosen(sql: &Sql, output: Output) -> Format {
    match sql.format {
        Some(format) => format,
        None => match output.form() {
            Some(Form::Table) => Format::Table,
            Some(Form::Json) => Format::Json,
            Some(Form::Csv) => Format::Csv,
            Some(Form::Markdown) => Format::Markdown,
            None if output.terminal => Format::Table,
            None => Format::Csv,
        },
    }
}

/// Asks one question and prints its answer.
pub async fn answer(client: &Client, ask: Ask, format: Format, output: Output) -> anyhow::Result<()> {
    match format {
        Format::Table => table(&client.sql(&ask).await?, output),
        Format::Json => output.document(&client.sql(&ask).await?),
        Format::Markdown => markdown(&client.sql(&ask).await?, output),
        Format::Csv => stream(client, &ask, client::Format::Csv, output).await,
        Format::Ndjson => stream(client, &ask, client::Format::Ndjson, output).await,
    }
}

/// The rows as a table, with what they cost.
pub fn table(rows: &Rows, output: Output) -> anyhow::Result<()> {
    output.drawn(&sheet(rows))?;
    let more = if rows.truncated { ", more exist: --max-rows or --format csv shows them" } else { "" };
    let told = format!("{} rows{more} · version {} · {} ms", grouped(rows.row_count), rows.version, rows.elapsed_ms);
    Ok(output.line(output.dim(&told))?)
}

fn markdown(rows: &Rows, output: Output) -> anyhow::Result<()> {
    if rows.truncated {
        output.remark("more rows exist: --max-rows shows more of them, --output csv all");
    }
    Ok(output.line(sheet(rows).markdown())?)
}

/// An answer's rows as text.
pub fn sheet(rows: &Rows) -> Sheet {
    let is_number = |ty: &str| {
        let number = ["BIGINT", "INTEGER", "SMALLINT", "TINYINT", "DOUBLE", "REAL", "DECIMAL", "UBIGINT"];
        number.iter().any(|name| ty.starts_with(name))
    };
    Sheet {
        header: rows.columns.iter().map(|column| column.name.clone()).collect(),
        rows: rows.rows.iter().map(|row| row.iter().map(plain).collect()).collect(),
        numeric: rows.columns.iter().map(|column| is_number(&column.ty)).collect(),
    }
}

/// Bytes as they come, safe to look at on a terminal; without a row limit unless one was asked for.
async fn stream(client: &Client, ask: &Ask, format: client::Format, output: Output) -> anyhow::Result<()> {
    let unlimited = Ask { max_rows: None, ..ask.clone() };
    let limited = match ask.max_rows {
        Some(rows) => Ask { sql: format!("SELECT * FROM ({}) LIMIT {rows}", trimmed(&ask.sql)), ..unlimited },
        None => unlimited,
    };
    let mut pieces = client.sql_stream(&limited, format).await?.into_stream().boxed();
    let mut out = std::io::stdout();
    if output.terminal {
        let mut screen = Screen::new(out, format);
        while let Some(piece) = pieces.next().await {
            screen.show(&piece?)?;
        }
        return Ok(screen.end()?);
    }
    while let Some(piece) = pieces.next().await {
        out.write_all(&piece?)?;
    }
    Ok(out.flush()?)
}

fn trimmed(sql: &str) -> &str {
    sql.trim().trim_end_matches(';')
}

/// Statements from standard input, each ended by `;`.
async fn script(client: &Client, ask: &Ask, format: Format, output: Output) -> anyhow::Result<()> {
    let mut text = String::new();
    tokio::io::stdin().read_to_string(&mut text).await?;
    for statement in statements(&text) {
        answer(client, Ask { sql: statement.to_owned(), ..ask.clone() }, format, output).await?;
    }
    Ok(())
}

/// Splits at each `;` that stands outside quotes and comments; empty statements are left out.
pub fn statements(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(end) = statement_end(rest) {
        found.push(rest[..end].trim());
        rest = &rest[end + 1..];
    }
    found.push(rest.trim());
    found.retain(|statement| !statement.is_empty());
    found
}

/// Where the first `;` outside quotes and comments stands.
pub fn statement_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let skip = match (bytes[at], bytes.get(at + 1)) {
            (b';', _) => return Some(at),
            (quote @ (b'\'' | b'"'), _) => after(bytes, at + 1, &[quote]),
            (b'-', Some(b'-')) => after(bytes, at + 2, b"\n"),
            (b'/', Some(b'*')) => after(bytes, at + 2, b"*/"),
            _ => at + 1,
        };
        at = skip;
    }
    None
}

/// The place behind the next `end`, or behind everything.
fn after(bytes: &[u8], from: usize, end: &[u8]) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let found = rest.windows(end.len()).position(|window| window == end);
    found.map_or(bytes.len(), |position| from + position + end.len())
}

#[cfg(test)]
mod tests;
