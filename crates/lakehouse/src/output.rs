//! What people and scripts see: text or JSON on standard output, errors on standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::Form;
use crate::config::Environment;

mod seen;
mod sheet;
#[cfg(test)]
mod tests;

pub use seen::Screen;
pub use sheet::Sheet;

/// How to print. Copied to wherever something is said.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON document per command instead of text.
    pub json: bool,
    /// Standard output is read by a person.
    pub terminal: bool,
    /// The form that was asked for.
    form: Option<Form>,
    color: bool,
}

impl Output {
    /// As was asked for; else tables and colours for a terminal, plain text for everything else.
    pub fn new(form: Option<Form>, environment: &Environment) -> Self {
        Self::to(io::stdout().is_terminal(), form, environment)
    }

    fn to(terminal: bool, form: Option<Form>, environment: &Environment) -> Self {
        let color = terminal && environment.get("NO_COLOR").is_none() && environment.get("TERM") != Some("dumb");
        Self { json: form == Some(Form::Json), terminal, form, color }
    }

    /// The form that was asked for, if any.
    pub fn form(self) -> Option<Form> {
        self.form
    }

    /// Words on standard output. What they quote cannot steer a terminal.
    pub fn line(self, text: impl AsRef<str>) -> io::Result<()> {
        self.print(text.as_ref(), if self.color { seen::styled } else { seen::text })
    }

    /// A JSON document on standard output.
    pub fn document(self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = if self.terminal { serde_json::to_string_pretty(value)? } else { serde_json::to_string(value)? };
        Ok(self.print(&text, seen::json)?)
    }

    /// JSON on a line of its own, whoever reads.
    pub fn json_line(self, value: &impl Serialize) -> anyhow::Result<()> {
        Ok(self.print(&serde_json::to_string(value)?, seen::json)?)
    }

    /// A line as a terminal may show it; exactly as it is into everything else.
    fn print(self, text: &str, spell: fn(&str) -> String) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.terminal { writeln!(out, "{}", spell(text)) } else { writeln!(out, "{text}") }
    }

    /// What a command answers: the words for people; its document, or the members of that as rows, where such a form was
    /// asked for.
    pub fn told(self, value: &impl Serialize, words: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        match self.form {
            None => words(),
            Some(Form::Json) => self.document(value),
            Some(_) => Ok(self.sheet(&Sheet::of(&serde_json::to_value(value)?))?),
        }
    }

    /// What a command answers in rows; its document where JSON was asked for.
    pub fn rows(self, value: &impl Serialize, sheet: impl FnOnce() -> Sheet) -> anyhow::Result<()> {
        if self.json { self.document(value) } else { Ok(self.sheet(&sheet())?) }
    }

    /// Rows in the form that was asked for; else drawn on a terminal, with tabs in a pipe.
    pub fn sheet(self, sheet: &Sheet) -> io::Result<()> {
        match self.form {
            Some(Form::Csv) => self.print(&sheet.csv(), seen::text),
            Some(Form::Markdown) => self.print(&sheet.markdown(), seen::text),
            Some(Form::Table) => self.drawn(sheet),
            _ if self.terminal => self.drawn(sheet),
            _ => self.print(&sheet.tabbed(), seen::text),
        }
    }

    /// A drawn table, wherever it goes.
    pub fn drawn(self, sheet: &Sheet) -> io::Result<()> {
        self.print(&sheet.drawn(), seen::text)
    }

    /// `text` in bold where colours are wanted.
    pub fn bold(self, text: &str) -> String {
        self.styled(seen::BOLD, text)
    }

    /// `text` in grey where colours are wanted.
    pub fn dim(self, text: &str) -> String {
        self.styled(seen::DIM, text)
    }

    fn styled(self, style: &str, text: &str) -> String {
        if self.color { format!("{style}{}{}", seen::text(text), seen::PLAIN) } else { text.to_owned() }
    }

    /// A remark for a person, on standard error.
    pub fn remark(self, text: impl AsRef<str>) {
        self.aside(text.as_ref(), seen::text);
    }

    fn aside(self, text: &str, spell: fn(&str) -> String) {
        let mut err = io::stderr();
        let text = if err.is_terminal() { spell(text) } else { text.to_owned() };
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(err, "{text}");
    }

    /// Why a command failed, on standard error.
    pub fn failure(self, error: &anyhow::Error) {
        if self.json {
            return self.aside(&failure_document(error).to_string(), seen::json);
        }
        self.remark(format!("error: {error}"));
        for cause in error.chain().skip(1) {
            self.remark(format!("  because: {cause}"));
        }
        for fact in facts(error) {
            self.remark(format!("  {fact}"));
        }
    }
}

/// The refusal as the service stated it, or the same shape made here.
fn failure_document(error: &anyhow::Error) -> Value {
    let problem = error.downcast_ref::<client::Error>().and_then(client::Error::problem);
    match problem {
        Some(problem) => json!(problem),
        None => json!({ "title": "failed", "detail": format!("{error:#}") }),
    }
}

/// What else a refusal states, one line each: the diff of a drift, the first bad rows.
fn facts(error: &anyhow::Error) -> Vec<String> {
    let Some(problem) = error.downcast_ref::<client::Error>().and_then(client::Error::problem) else {
        return Vec::new();
    };
    let code = (!problem.code.is_empty()).then(|| format!("code: {}", problem.code));
    let told = problem.facts.iter().filter(|(_, value)| !is_empty(value));
    code.into_iter().chain(told.flat_map(|(name, value)| described(name, value))).collect()
}

/// A fact in words: lists and objects one entry a line.
pub fn described(name: &str, value: &Value) -> Vec<String> {
    let entries: Vec<String> = match value {
        Value::Array(items) => items.iter().map(entry).collect(),
        Value::Object(members) => {
            members.iter().filter(|(_, value)| !is_empty(value)).flat_map(|(key, value)| member(key, value)).collect()
        }
        other => return vec![format!("{name}: {}", cell(other))],
    };
    std::iter::once(format!("{name}:")).chain(entries.into_iter().map(|entry| format!("  {entry}"))).collect()
}

/// A member of an object; a list becomes a line for each of its items.
fn member(key: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(|item| format!("{key}: {}", entry(item))).collect(),
        other => vec![format!("{key}: {}", entry(other))],
    }
}

/// A value on one line, without the signs of JSON.
fn entry(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| format!("{key} {}", cell(value))).collect::<Vec<_>>().join(", ")
        }
        other => cell(other),
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// A value as it stands in a line. What steers is spelled out.
pub fn cell(value: &Value) -> String {
    seen::one_line(&plain(value))
}

/// A value as a [`Sheet`] takes it.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
