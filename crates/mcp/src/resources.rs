//! What can be read without a call: the datasets, what this is, and the words it uses.

use client::{Ask, Client};
use rmcp::model::{ErrorData, ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::{Value, json};

use crate::cap::{Capped, cap};
use crate::fence::NOTICE;

const DATASETS: &str = "lakehouse://datasets/";
const ABOUT: &str = "lakehouse://about";
const GLOSSARY: &str = "lakehouse://glossary";
/// Most datasets that are listed; list_datasets and SQL know all of them.
const MOST: usize = 1000;
/// Rows of a dataset that are shown.
const ROWS: usize = 5;

/// What there is to read. A gateway that cannot be asked leaves the datasets out.
pub async fn list(client: &Client) -> Vec<Resource> {
    let mut listed = vec![
        Resource::new(ABOUT, "about").with_title("What this server is").with_mime_type("text/markdown"),
        Resource::new(GLOSSARY, "glossary").with_title("The words of the lake").with_mime_type("text/markdown"),
    ];
    let datasets = client.list(None).await.map(|listing| listing.datasets).unwrap_or_default();
    listed.extend(datasets.iter().take(MOST).map(|dataset| {
        let columns: Vec<&str> = dataset.schema.fields.iter().map(|column| column.name.as_str()).collect();
        Resource::new(format!("{DATASETS}{}", dataset.name), &dataset.name)
            .with_title(format!("Dataset {}", dataset.name))
            .with_description(format!("{} rows; columns {}", dataset.row_count, columns.join(", ")))
            .with_mime_type("application/json")
    }));
    listed
}

/// The form of the addresses of datasets.
pub fn templates() -> Vec<ResourceTemplate> {
    let dataset = ResourceTemplate::new(format!("{DATASETS}{{name}}"), "dataset");
    vec![dataset.with_title("A dataset: its columns and some rows").with_mime_type("application/json")]
}

/// What stands at an address.
pub async fn read(client: &Client, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let text = match uri {
        ABOUT => include_str!("about.md").to_owned(),
        GLOSSARY => include_str!("../../../docs/glossary.md").to_owned(),
        _ => {
            let name = uri.strip_prefix(DATASETS).ok_or_else(|| unknown(uri))?;
            dataset(client, name).await.map_err(|error| refused(uri, &error))?.to_string()
        }
    };
    let media = if uri.starts_with(DATASETS) { "application/json" } else { "text/markdown" };
    Ok(ReadResourceResult::new(vec![ResourceContents::text(text, uri).with_mime_type(media)]))
}

async fn dataset(client: &Client, name: &str) -> client::Result<Value> {
    let manifest = client.manifest(name, None).await?;
    let quoted: Vec<String> = name.split('.').map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect();
    let sql = format!("SELECT * FROM {} LIMIT {ROWS}", quoted.join("."));
    let as_of = Some(base::AsOf::Version(manifest.version));
    let rows = client.sql(&Ask { sql, as_of, params: Vec::new(), max_rows: Some(ROWS as u64) }).await?;
    let Capped { items, .. } = cap(rows.rows.into_iter().map(Value::Array).collect());
    Ok(
        json!({ "source": format!("dataset {name}"), "notice": NOTICE, "name": manifest.name, "version": manifest.version,
        "row_count": manifest.row_count, "columns": manifest.schema.fields, "some_rows": items }),
    )
}

fn unknown(uri: &str) -> ErrorData {
    ErrorData::resource_not_found(format!("there is no resource {uri:?}"), None)
}

fn refused(uri: &str, error: &client::Error) -> ErrorData {
    match error.problem() {
        Some(problem) if problem.status == 404 => unknown(uri),
        _ => ErrorData::internal_error(error.to_string(), None),
    }
}
