//! What a tool does: one verb of the client, its answer capped.

use base::{AsOf, Version};
use client::{Ask, Body, Client, Embed, Search};
use http::{Method, Request, StatusCode, header};
use rmcp::model::JsonObject;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::cap::{Capped, ITEMS, cap, fitting};
use crate::error::{Error, Result};
use crate::fence::NOTICE;

/// Entries of a history unless more are asked for.
const ENTRIES: usize = 20;
/// Columns of a dataset that a list of datasets names, so that a wide one does not hide the others.
const COLUMNS: usize = 100;
/// Characters of what is wrong with arguments: it may quote the name of one, which is as long as an agent likes.
const WHY: usize = 500;
/// Hits of a search unless more are asked for.
const HITS: usize = 10;

/// What a tool answers: where its data is from, and the data.
pub struct Told {
    /// Where the data is from, such as `dataset workers`.
    pub source: String,
    /// The members of the answer.
    pub members: Map<String, Value>,
}

/// Calls a tool; none when there is no such tool.
pub async fn call(client: &Client, name: &str, arguments: JsonObject) -> Option<Result<Told>> {
    Some(match name {
        "list_datasets" => list_datasets(client, arguments).await,
        "get_manifest" => get_manifest(client, arguments).await,
        "query_sql" => query_sql(client, arguments).await,
        "embed_text" => embed_text(client, arguments).await,
        "search_vectors" => search_vectors(client, arguments).await,
        "search_text" => search_text(client, arguments).await,
        "validate" => validate(client, arguments).await,
        "history" => history(client, arguments).await,
        _ => return None,
    })
}

impl Told {
    fn of(source: impl Into<String>, members: Value) -> Self {
        let mut told = Self { source: source.into(), members: Map::new() };
        told.members.insert("source".to_owned(), Value::from(told.source.clone()));
        told.members.insert("notice".to_owned(), Value::from(NOTICE));
        if let Value::Object(more) = members {
            told.members.extend(more);
        }
        told
    }

    /// A list under `name`, cut to what fits. `hint` says how to see less at once.
    fn list(source: impl Into<String>, name: &str, items: Vec<Value>, hint: &str) -> Self {
        let total = items.len();
        let Capped { items, truncated } = cap(items);
        let hint = truncated.then_some(hint);
        let mut told = Self::of(source, json!({ "total": total, "truncated": truncated, "hint": hint }));
        told.members.insert(name.to_owned(), Value::Array(items));
        told
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }
}

fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T> {
    let refused = |why: serde_json::Error| Error::Arguments(why.to_string().chars().take(WHY).collect());
    serde_json::from_value(Value::Object(arguments)).map_err(refused)
}

fn written(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|why| client::Error::Answer(why.to_string()).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    as_of: Option<AsOf>,
}

/// The datasets without their files, which only a manifest tells.
async fn list_datasets(client: &Client, arguments: JsonObject) -> Result<Told> {
    let Listing { as_of } = read(arguments)?;
    let found = client.list(as_of.as_ref()).await?.datasets;
    let line = |dataset: &client::Manifest| {
        let column = |column: &client::Column| json!({ "name": column.name, "type": column.ty, "pii": column.pii });
        let fields = &dataset.schema.fields;
        let columns: Vec<Value> = fields.iter().take(COLUMNS).map(column).collect();
        json!({ "name": dataset.name, "row_count": dataset.row_count, "columns": columns, "columns_total": fields.len(),
            "version": dataset.version, "updated_at": dataset.updated_at, "error": dataset.error })
    };
    let hint = "Ask get_manifest for one of them, or query_sql for `SHOW TABLES`.";
    Ok(Told::list("the catalog", "datasets", found.iter().map(line).collect(), hint))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    as_of: Option<AsOf>,
}

async fn get_manifest(client: &Client, arguments: JsonObject) -> Result<Told> {
    let Named { name, as_of } = read(arguments)?;
    let mut manifest = written(&client.manifest(&name, as_of.as_ref()).await?)?;
    shorten(&mut manifest, "/objects", "objects", cap);
    shorten(&mut manifest, "/schema/fields", "columns", fitting);
    Ok(Told::of(format!("dataset {name}"), json!({ "manifest": manifest })))
}

/// Cuts a list of the manifest to what fits, and says beside it how long it was.
fn shorten(manifest: &mut Value, place: &str, name: &str, fit: fn(Vec<Value>) -> Capped) {
    let Some(list) = manifest.pointer_mut(place) else { return };
    let Value::Array(whole) = list.take() else { return };
    let total = whole.len();
    let Capped { items, truncated } = fit(whole);
    *list = Value::Array(items);
    manifest[format!("{name}_total")] = json!(total);
    manifest[format!("{name}_truncated")] = json!(truncated);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    sql: String,
    #[serde(default)]
    params: Vec<Value>,
    max_rows: Option<usize>,
    as_of: Option<AsOf>,
}

async fn query_sql(client: &Client, arguments: JsonObject) -> Result<Told> {
    let Query { sql, params, max_rows, as_of } = read(arguments)?;
    let max_rows = max_rows.unwrap_or(ITEMS).clamp(1, ITEMS) as u64;
    let ask = Ask { sql, as_of, params, max_rows: Some(max_rows) };
    let rows = client.sql(&ask).await?;
    let columns: Vec<Value> =
        rows.columns.iter().map(|column| json!({ "name": column.name, "type": column.ty })).collect();
    let Capped { items: columns, truncated: narrowed } = fitting(columns);
    let (all, more) = (rows.rows.len(), rows.truncated);
    let Capped { items, truncated } = cap(rows.rows.into_iter().map(Value::Array).collect());
    let truncated = truncated || more || narrowed;
    let total = if more { count(client, &ask, rows.version).await } else { Some(all as u64) };
    let hint =
        truncated.then_some("Count or group in SQL, choose fewer columns, or page with ORDER BY, LIMIT and OFFSET.");
    let members = json!({ "columns": columns, "rows": items, "version": rows.version, "total": total,
        "truncated": truncated, "hint": hint });
    Ok(Told::of(format!("SQL at version {}", rows.version), members))
}

/// How many rows a statement has that has more than were read; none where it cannot be counted.
async fn count(client: &Client, ask: &Ask, version: Version) -> Option<u64> {
    let statement = ask.sql.trim_end().trim_end_matches(';');
    let sql = format!("SELECT count(*) AS rows FROM (\n{statement}\n) AS counted");
    let (as_of, params) = (Some(AsOf::Version(version)), ask.params.clone());
    let counted = client.sql(&Ask { sql, as_of, params, max_rows: Some(1) }).await.ok()?;
    counted.rows.first()?.first()?.as_u64()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    texts: Vec<String>,
    model: Option<String>,
}

async fn embed_text(client: &Client, arguments: JsonObject) -> Result<Told> {
    let Texts { texts, model } = read(arguments)?;
    let embedded = client.embed(&Embed { texts, model, overflow: None }).await?;
    let vectors = embedded.vectors.iter().map(|vector| json!(vector)).collect();
    let hint = "Send fewer texts at once; search_text needs no vectors.";
    let told = Told::list(format!("model {}", embedded.model), "vectors", vectors, hint);
    Ok(told.with("model", json!(embedded.model)).with("dimension", json!(embedded.dimension)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nearest {
    index: String,
    vector: Option<Vec<f32>>,
    text: Option<String>,
    k: Option<usize>,
    filter: Option<Map<String, Value>>,
    as_of: Option<AsOf>,
}

async fn search_vectors(client: &Client, arguments: JsonObject) -> Result<Told> {
    let Nearest { index, vector, text, k, filter, as_of } = read(arguments)?;
    let as_of = as_of.map(|at| at.to_string());
    let search = Search { vector, text, k: Some(hits(k)), filter, as_of, ..Search::default() };
    found(client, &index, &search).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    index: String,
    text: String,
    k: Option<usize>,
    mode: Option<String>,
    rerank: Option<bool>,
    filter: Option<Map<String, Value>>,
    as_of: Option<AsOf>,
}

async fn search_text(client: &Client, arguments: JsonObject) -> Result<Told> {
    let Words { index, text, k, mode, rerank, filter, as_of } = read(arguments)?;
    let as_of = as_of.map(|at| at.to_string());
    let search = Search { text: Some(text), k: Some(hits(k)), mode, rerank, filter, as_of, ..Search::default() };
    found(client, &index, &search).await
}

fn hits(k: Option<usize>) -> usize {
    k.unwrap_or(HITS).min(ITEMS)
}

async fn found(client: &Client, index: &str, search: &Search) -> Result<Told> {
    let mut found = written(&client.search(index, search).await?)?;
    let Value::Array(results) = found["results"].take() else { return Err(strange("a search without results")) };
    Ok(Told::list(format!("index {index}"), "results", results, "Ask for fewer, or narrow them with `filter`."))
}

fn strange(what: &str) -> Error {
    client::Error::Answer(what.to_owned()).into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposal {
    kind: String,
    artifact: Map<String, Value>,
    context: Option<Map<String, Value>>,
    as_of: Option<AsOf>,
}

/// A proposal that does not pass is an answer, not a failure of the tool.
async fn validate(client: &Client, arguments: JsonObject) -> Result<Told> {
    let Proposal { kind, artifact, context, as_of } = read(arguments)?;
    let mut body = json!({ "kind": kind, "artifact": artifact });
    if let Some(context) = context {
        body["context"] = Value::Object(context);
    }
    if let Some(as_of) = as_of {
        body["as_of"] = written(&as_of)?;
    }
    let request =
        Request::builder().method(Method::POST).uri("/v1/validate").header(header::CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_string())).map_err(|why| client::Error::Request(why.to_string()))?;
    let answer = client.send(request).await?;
    let status = answer.status();
    let report: Value = serde_json::from_slice(&answer.into_body().bytes().await?).unwrap_or_default();
    let is_verdict =
        status == StatusCode::OK || (status == StatusCode::UNPROCESSABLE_ENTITY && report["code"].is_null());
    if !is_verdict {
        let refused = serde_json::from_value(report).map_err(|_| strange("a refusal that says nothing"))?;
        return Err(client::Error::Refused(Box::new(refused)).into());
    }
    Ok(Told::of(format!("the {kind} validator"), json!({ "passed": status == StatusCode::OK, "report": report })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Past {
    dataset: Option<String>,
    limit: Option<usize>,
    before: Option<String>,
    as_of: Option<AsOf>,
}

async fn history(client: &Client, arguments: JsonObject) -> Result<Told> {
    let Past { dataset, limit, before, as_of } = read(arguments)?;
    let limit = Some(limit.unwrap_or(ENTRIES).clamp(1, ITEMS));
    let last = match &as_of {
        Some(as_of) => Some(resolved(client, as_of).await?),
        None => None,
    };
    let (source, changes, next) = match &dataset {
        Some(name) => {
            let page = client.history(name, before.as_deref(), limit).await?;
            (format!("dataset {name}"), page.snapshots, page.next)
        }
        None => {
            let from = before.or_else(|| last.map(|last| (last.0 + 1).to_string()));
            let page = client.versions(from.as_deref(), limit).await?;
            ("the lake log".to_owned(), page.versions, page.next)
        }
    };
    let is_past = |change: &Map<String, Value>| {
        let version = change.get("version").and_then(Value::as_u64);
        last.is_none_or(|last| version.is_none_or(|version| version <= last.0))
    };
    let changes = changes.into_iter().filter(is_past).map(Value::Object).collect();
    let told = Told::list(source, "changes", changes, "Ask with a smaller `limit`.");
    Ok(told.with("total", Value::Null).with("next", json!(next)))
}

/// The version that a time or a tag means.
async fn resolved(client: &Client, as_of: &AsOf) -> Result<Version> {
    let ask = Ask { sql: "SELECT 1".to_owned(), as_of: Some(as_of.clone()), params: Vec::new(), max_rows: Some(1) };
    Ok(client.sql(&ask).await?.version)
}
