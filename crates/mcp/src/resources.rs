//! What can be read without a call: the datasets, what this is, and the words it uses.

use std::time::Duration;

use base::Fault;
use client::{Ask, Client};
use rmcp::model::{ErrorData, ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::{Value, json};

use crate::cap::{Capped, cap, fitting};
use crate::fence::between;

const DATASETS: &str = "lakehouse://datasets/";
const ABOUT: &str = "lakehouse://about";
const GLOSSARY: &str = "lakehouse://glossary";
/// Most datasets that are listed; list_datasets and SQL know all of them.
const MOST: usize = 1000;
/// A dataset is JSON between two marks.
const FENCED: &str = "text/plain";
/// Rows of a dataset that are shown.
const ROWS: usize = 5;

/// What there is to read. A gateway that cannot be asked in time leaves the datasets out. What a dataset says of itself,
/// such as the names of its columns, is data, and stands in no list: lists are not fenced.
pub async fn list(client: &Client, patience: Duration) -> Vec<Resource> {
    let mut listed = vec![
        Resource::new(ABOUT, "about").with_title("What this server is").with_mime_type("text/markdown"),
        Resource::new(GLOSSARY, "glossary").with_title("The words of the lake").with_mime_type("text/markdown"),
    ];
    let asked = tokio::time::timeout(patience, client.list(None)).await;
    let datasets = asked.ok().and_then(Result::ok).map(|listing| listing.datasets).unwrap_or_default();
    listed.extend(datasets.iter().take(MOST).map(|dataset| {
        let columns = dataset.schema.fields.len();
        Resource::new(format!("{DATASETS}{}", dataset.name), &dataset.name)
            .with_title(format!("Dataset {}", dataset.name))
            .with_description(format!("{} rows, {columns} columns", dataset.row_count))
            .with_mime_type(FENCED)
    }));
    listed
}

/// The form of the addresses of datasets.
pub fn templates() -> Vec<ResourceTemplate> {
    let dataset = ResourceTemplate::new(format!("{DATASETS}{{name}}"), "dataset");
    vec![dataset.with_title("A dataset: its columns and some rows").with_mime_type(FENCED)]
}

/// What stands at an address.
pub async fn read(client: &Client, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let text = match uri {
        ABOUT => include_str!("about.md").to_owned(),
        GLOSSARY => include_str!("../../../docs/glossary.md").to_owned(),
        _ => {
            let name = uri.strip_prefix(DATASETS).ok_or_else(|| unknown(uri))?;
            let shown = dataset(client, name).await.map_err(|error| refused(uri, &error))?;
            between(&format!("dataset {name}"), &shown.to_string())
        }
    };
    let media = if uri.starts_with(DATASETS) { FENCED } else { "text/markdown" };
    Ok(ReadResourceResult::new(vec![ResourceContents::text(text, uri).with_mime_type(media)]))
}

async fn dataset(client: &Client, name: &str) -> client::Result<Value> {
    let manifest = client.manifest(name, None).await?;
    let quoted: Vec<String> = name.split('.').map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect();
    let sql = format!("SELECT * FROM {} LIMIT {ROWS}", quoted.join("."));
    let as_of = Some(base::AsOf::Version(manifest.version));
    let rows = client.sql(&Ask { sql, as_of, params: Vec::new(), max_rows: Some(ROWS as u64) }).await?;
    let Capped { items: rows, .. } = cap(rows.rows.into_iter().map(Value::Array).collect());
    let columns = manifest.schema.fields.iter().map(|column| json!(column)).collect();
    let Capped { items: columns, truncated } = fitting(columns);
    Ok(json!({ "name": manifest.name, "version": manifest.version, "row_count": manifest.row_count, "columns": columns,
        "columns_truncated": truncated, "some_rows": rows }))
}

fn unknown(uri: &str) -> ErrorData {
    ErrorData::resource_not_found(format!("there is no resource {uri:?}"), Some(json!({ "uri": uri })))
}

fn refused(uri: &str, error: &client::Error) -> ErrorData {
    match error.problem() {
        Some(problem) if problem.status == 404 => unknown(uri),
        // The message may quote what stands in the lake, and there is no fence around an error of the protocol.
        problem => {
            let code = problem.map_or(error.code(), |problem| problem.code.as_str());
            ErrorData::internal_error(format!("the resource cannot be read: {code}"), None)
        }
    }
}
