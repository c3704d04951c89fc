//! The texts that the demo searches: titles of occupations, what people can do, and the sentences of ESCO.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use client::TextItem;
use serde_json::{Map, Value, json};

use super::sample::{OCCUPATIONS, SKILLS, rows, staffed};

#[cfg(test)]
mod tests;

/// How many sentences of each kind are taken of ESCO's: enough to search among, few enough to embed in seconds.
const OF_EACH: usize = 300;
/// Longer sentences are left out: they would not fit into a line of the table that shows them.
const LONGEST: usize = 110;

/// Titles of the occupations that have people and wages, under their codes.
pub fn titles() -> Vec<TextItem> {
    let staffed = staffed();
    let item = |row: Vec<String>| match row.as_slice() {
        [code, title, _, group] if staffed.contains(code) => {
            Some(text_item(code, title, &[("title", title), ("major_group", group)]))
        }
        _ => None,
    };
    rows(OCCUPATIONS).filter_map(item).collect()
}

/// What people can do, each with the occupation that needs it.
pub fn skills() -> Vec<TextItem> {
    let item = |row: Vec<String>| match row.as_slice() {
        [id, code, text] => Some(text_item(id, text, &[("occupation_code", code), ("text", text)])),
        _ => None,
    };
    rows(SKILLS).filter_map(item).collect()
}

/// The first sentences of each kind in the fetched file.
pub async fn esco(file: &Path) -> anyhow::Result<Vec<TextItem>> {
    let text = tokio::fs::read_to_string(file).await.context("the fetched texts cannot be read")?;
    let item = |row: Vec<String>| match row.as_slice() {
        [kind, id, text] => {
            let short = id.split('-').next().unwrap_or(id);
            Some(text_item(&format!("{kind}-{short}"), text, &[("text", text)]))
        }
        _ => None,
    };
    let fits = |row: &Vec<String>| row.last().is_some_and(|text| text.len() <= LONGEST);
    let of_kind = |kind: &'static str| rows(&text).filter(move |row| row.first().is_some_and(|one| one == kind));
    let of_kind = |kind| of_kind(kind).filter(fits);
    Ok(of_kind("occupation").take(OF_EACH).chain(of_kind("skill").take(OF_EACH)).filter_map(item).collect())
}

fn text_item(id: &str, text: &str, fields: &[(&str, &String)]) -> TextItem {
    let metadata: Map<String, Value> = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    TextItem { id: id.to_owned(), text: text.to_owned(), metadata: Some(metadata) }
}

/// The words of more than three letters that both texts have.
pub fn shared_words(one: &str, other: &str) -> BTreeSet<String> {
    words(one).intersection(&words(other)).cloned().collect()
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| word.len() > 3).map(str::to_lowercase).collect()
}
