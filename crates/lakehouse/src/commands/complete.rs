//! What the prompt completes, and when a statement is complete.

use std::collections::BTreeSet;

use client::Client;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::sql::statement_end;

const KEYWORDS: &[&str] = &[
    "AND",
    "AS",
    "ASC",
    "AVG",
    "BETWEEN",
    "BY",
    "CASE",
    "COUNT",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "IN",
    "INNER",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MAX",
    "MIN",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "RIGHT",
    "SELECT",
    "SHOW",
    "SUM",
    "TABLES",
    "THEN",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Words that may follow: keywords, datasets, columns.
pub struct Words(BTreeSet<String>);

impl Words {
    /// The keywords, and the names that the lake knows now; without an answer the keywords alone.
    pub async fn of(client: &Client) -> Self {
        let mut words: BTreeSet<String> = KEYWORDS.iter().map(|word| (*word).to_owned()).collect();
        if let Ok(listing) = client.list(None).await {
            for manifest in listing.datasets {
                words.extend(manifest.schema.fields.into_iter().map(|field| field.name));
                words.insert(manifest.name);
            }
        }
        Self(words)
    }

    /// Words that begin with `start`, without regard to case.
    fn beginning(&self, start: &str) -> Vec<String> {
        let begins = |word: &&String| word.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
        self.0.iter().filter(begins).cloned().collect()
    }
}

impl Completer for Words {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let before = &line[..pos];
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let start = before.char_indices().rev().take_while(|(_, c)| is_part(*c)).last().map_or(pos, |(at, _)| at);
        let word = &before[start..];
        Ok((start, if word.is_empty() { Vec::new() } else { self.beginning(word) }))
    }
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input().trim();
        let whole = text.is_empty() || text.starts_with('\\') || statement_end(text).is_some();
        Ok(if whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}

impl Helper for Words {}
