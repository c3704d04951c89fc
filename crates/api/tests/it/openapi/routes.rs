//! Every route.

use client::{
    Added, Ask, ChatAnswer, ChatMessage, ChatProviders, ChatRequest, Classified, Compact, Compacted, Dropped, Embed,
    EmbedModels, EmbedStats, Embedded, Expire, Expired, Found, Health, Index, IndexSealed, Indexes, Ingested, Iterate,
    Iterated, LakeDiff, Listing, Manifest, MergeInto, Merged, NewIndex, NotIterated, ObjectPage, PackKept, PackTried,
    PutTag, Recall, Register, Registered, Removed, RollBack, RolledBack, Rows, Search, SnapshotPage, Stored,
    StoredItem, StreamAppended, StreamLines, Survey, Sweep, Swept, TagLine, Tags, TextBatch, TryPack, Unwanted,
    Validate, ValidationError, ValidationReport, ValidatorPack, ValidatorPacks, VectorBatch, Versions,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::document::{Route, bytes, number, route, text};
use super::iceberg;

const RUN: &str = "The run that the call is a step of, and is recorded with, unless the body names one.";
const AS_OF: &str = "A version, a time (RFC 3339) or a tag; the newest version when absent.";
const TEXTS: &str = "One vector for each text, in the order of the texts.";

/// Every route of the gateway.
pub fn all() -> Vec<Route> {
    [
        service(),
        storage(),
        catalog(),
        ingest(),
        sql(),
        embed(),
        chat(),
        validation(),
        indexes(),
        items(),
        iceberg::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn get(path: &'static str, tag: &'static str, summary: &'static str) -> Route {
    route("GET", path, tag, summary)
}

fn post(path: &'static str, tag: &'static str, summary: &'static str) -> Route {
    route("POST", path, tag, summary)
}

fn delete(path: &'static str, tag: &'static str, summary: &'static str) -> Route {
    route("DELETE", path, tag, summary)
}

fn service() -> Vec<Route> {
    let (metrics, any) = ("application/openmetrics-text; version=1.0.0; charset=utf-8", json!({ "type": "object" }));
    vec![
        get("/health", "service", "Whether the gateway is alive.").open().answers::<Health>(200, "It is."),
        get("/livez", "service", "Whether the gateway is alive.").open().answers::<Health>(200, "It is."),
        get("/readyz", "service", "Whether every role is ready to work.").open().answers::<Ready>(200, "All are."),
        get("/metrics", "service", "What is counted, as Prometheus reads it.").gives(
            200,
            "The counters.",
            metrics,
            text(),
        ),
        get("/docs/errors/{code}", "service", "What a code of a refusal means, as the `type` of the refusal names it.")
            .gives(200, "The page.", "text/markdown; charset=utf-8", text())
            .refused(&[404]),
        get("/openapi.json", "service", "This description.").gives(
            200,
            "OpenAPI 3.1.",
            "application/json",
            any.clone(),
        ),
        get("/docs", "service", "This description as a page.").gives(
            200,
            "The page.",
            "text/html; charset=utf-8",
            text(),
        ),
        agents(any),
    ]
}

fn agents(message: Value) -> Route {
    post("/mcp", "service", "One message of an agent, in the Model Context Protocol (Streamable HTTP).")
        .header("MCP-Protocol-Version", "The revision that the message is written in; 2025-03-26 when absent.")
        .reads("application/json", message.clone())
        .gives(200, "The answer.", "application/json", message)
        .gives(200, "The answer.", "text/event-stream", text())
        .gives_nothing(202, "A notification, to which there is no answer.")
        .refused(&[404, 406])
        .of_mcp()
}

fn storage() -> Vec<Route> {
    let path = "/v1/storage/objects/{key}";
    let any = "application/octet-stream";
    let matched =
        |route: Route| route.header("If-Match", "Only if the object has this entity tag.").refused(&[404, 412]);
    let put = route("PUT", path, "storage", "Put an object under a key, replacing what is there.")
        .header("If-None-Match", "`*`: only if there is none.")
        .reads(any, bytes())
        .answers::<Stored>(200, "It replaced another.")
        .answers::<Stored>(201, "It is new.")
        .refused(&[409, 507]);
    let read = get(path, "storage", "An object, whole or a part.")
        .header("Range", "One range of bytes.")
        .header("If-None-Match", "Entity tags that are known: 304 when one fits.")
        .gives(200, "The object.", any, bytes())
        .gives(206, "The part.", any, bytes())
        .gives_nothing(304, "It is the one that is known.")
        .refused(&[416]);
    let gone = delete(path, "storage", "Delete an object.").gives_nothing(204, "It is not there now.");
    let list = get("/v1/storage/list", "storage", "One page of the objects, by key.")
        .query("prefix", text(), "What the keys begin with.")
        .query("after", text(), "The `next` of the page before.")
        .query("limit", number(), "Most objects on the page, at most 10,000.")
        .answers::<ObjectPage>(200, "The page.");
    vec![matched(put), matched(read), matched(gone), list]
}

fn catalog() -> Vec<Route> {
    let paged = |route: Route| {
        let route = route.query("before", number(), "The `next` of the page before.");
        route.query("limit", number(), "Most lines on the page, at most 1,000.")
    };
    let manifest = get("/v1/catalog/manifest/{name}", "catalog", "One dataset.").query("as_of", text(), AS_OF);
    let history = get("/v1/catalog/history/{name}", "catalog", "The snapshots of a dataset, the newest first.");
    let versions = get("/v1/catalog/versions", "catalog", "The records of the lake log, the newest first.");
    let record = json!({ "type": "object" });
    let kinds = ["email", "phone", "ssn", "name", "birth_date", "address", "other"].map(Value::from);
    let kinds = [kinds.as_slice(), &[Value::Null]].concat();
    let classes = json!({ "type": "object", "additionalProperties": { "enum": kinds } });
    vec![
        post("/v1/catalog/register", "catalog", "Register Parquet objects as a dataset.")
            .body::<Register>()
            .answers::<Registered>(200, "It stands.")
            .refused(&[404, 409, 422]),
        route("PUT", "/v1/catalog/pii/{name}", "catalog", "Say what personal data columns of a dataset hold.")
            .reads("application/json", classes)
            .answers::<Classified>(200, "It stands.")
            .refused(&[404]),
        manifest.answers::<Manifest>(200, "The dataset.").refused(&[404]),
        get("/v1/catalog/list", "catalog", "All datasets, by name.")
            .query("as_of", text(), AS_OF)
            .answers::<Listing>(200, "The datasets.")
            .refused(&[404]),
        paged(history).answers::<SnapshotPage>(200, "The page.").refused(&[404]),
        paged(versions).answers::<Versions>(200, "The page."),
        get("/v1/catalog/versions/{version}/diff", "catalog", "What a version has otherwise than another.")
            .query("from", text(), "The other: a version, a time or a tag; the version before when absent.")
            .answers::<LakeDiff>(200, "The differences.")
            .refused(&[404]),
        get("/v1/catalog/tags", "catalog", "All tags, sorted.").answers::<Tags>(200, "The tags."),
        get("/v1/catalog/tags/{tag}", "catalog", "One tag.").answers::<TagLine>(200, "The tag.").refused(&[404]),
        route("PUT", "/v1/catalog/tags/{tag}", "catalog", "Give a version a name, or move the name to it.")
            .body::<PutTag>()
            .answers::<TagLine>(200, "It stands.")
            .refused(&[404]),
        delete("/v1/catalog/tags/{tag}", "catalog", "Drop a tag.").gives_nothing(204, "It is gone.").refused(&[404]),
        post("/v1/catalog/rollback/{name}", "catalog", "Make a dataset again what it was.")
            .body::<RollBack>()
            .answers::<RolledBack>(200, "It is so.")
            .refused(&[404, 409]),
        post("/v1/catalog/maintenance/compact", "catalog", "Merge small files; no version answers otherwise.")
            .body::<Compact>()
            .answers::<Compacted>(200, "It is done, or what would be.")
            .refused(&[404]),
        post("/v1/catalog/maintenance/expire", "catalog", "Give old versions up; tagged ones stay.")
            .body::<Expire>()
            .answers::<Expired>(200, "They are gone, or would go."),
        post("/v1/catalog/maintenance/sweep", "catalog", "Delete files that no kept version reaches.")
            .body::<Sweep>()
            .answers::<Swept>(200, "They are gone, or would go."),
        delete("/v1/catalog/datasets/{name}", "catalog", "Drop a dataset; earlier versions still read it.")
            .answers::<Dropped>(200, "It is gone.")
            .refused(&[404]),
        get("/v1/catalog/versions/{version}", "catalog", "One record of the lake log.")
            .gives(200, "The record.", "application/json", record)
            .refused(&[404]),
    ]
}

fn ingest() -> Vec<Route> {
    let form = json!({ "type": "object", "properties": { "file": bytes() }, "required": ["file"] });
    let named = |members: &[&str]| {
        let properties: Map<String, Value> = members.iter().map(|name| ((*name).to_owned(), text())).collect();
        json!({ "type": "object", "properties": properties, "required": members, "additionalProperties": false })
    };
    let source = json!({ "oneOf": [named(&["path"]), named(&["object"]), named(&["postgres", "query"])] });
    let load = post("/v1/ingest", "ingest", "Load a file into a dataset.")
        .needed("name", text(), "The dataset.")
        .query("mode", one_of(&["replace", "append"]), "Whether its rows replace those there are (the default).")
        .query(
            "on_error",
            one_of(&["fail", "skip"]),
            "What bad rows do: refuse the file (the default) or are left out.",
        )
        .query(
            "format",
            one_of(&["csv", "ndjson", "json", "parquet"]),
            "What the file is, when its content shall not decide.",
        )
        .query("encoding", text(), "The text encoding, when it is not UTF-8 and no byte-order mark says so.")
        .query("delimiter", text(), "The field separator, when it shall not be detected.")
        .query("evolve", one_of(&["none", "add"]), "What the file may do to the columns of the dataset.")
        .query("seal", text(), "Vector indexes, divided by commas, that are sealed in the same commit.")
        .header("Idempotency-Key", "Makes a repeated append apply once.");
    vec![
        load.reads("text/csv", bytes())
            .reads("application/x-ndjson", bytes())
            .reads("application/json", bytes())
            .reads("application/vnd.apache.parquet", bytes())
            .reads("application/octet-stream", bytes())
            .reads("multipart/form-data", form)
            .reads("application/vnd.lakehouse.source+json", source)
            .answers::<Ingested>(200, "It stands.")
            .gives(200, "", "text/event-stream", text())
            .refused(&[404, 409, 422, 502, 504, 507]),
    ]
}

fn sql() -> Vec<Route> {
    let ask = post("/v1/sql", "sql", "Ask in SQL.")
        .body::<Ask>()
        .answers::<Rows>(200, "The rows; X-Lakehouse-Query-Id names the query.");
    let streams = ["application/vnd.apache.arrow.stream", "text/csv", "application/x-ndjson"];
    let ask = streams.into_iter().fold(ask, |ask, form| ask.gives(200, "", form, bytes()));
    vec![
        ask.refused(&[404, 406]),
        delete("/v1/sql/{query_id}", "sql", "Cancel a query.").gives_nothing(204, "It is told to end.").refused(&[404]),
    ]
}

fn embed() -> Vec<Route> {
    vec![
        post("/v1/embed", "embed", "Make vectors of texts.")
            .body::<Embed>()
            .answers::<Embedded>(200, TEXTS)
            .gives(200, TEXTS, "application/octet-stream", bytes())
            .refused(&[406, 429]),
        post("/v1/embeddings", "embed", "Make vectors of texts, as OpenAI's clients ask.")
            .body::<OpenaiAsk>()
            .answers::<OpenaiAnswer>(200, TEXTS)
            .refused(&[429]),
        get("/v1/embed/stats", "embed", "How the cache of vectors fares.").answers::<EmbedStats>(200, "Its counters."),
        get("/v1/embed/models", "embed", "The models that can be asked for.")
            .answers::<EmbedModels>(200, "The models."),
    ]
}

fn validation() -> Vec<Route> {
    vec![
        post("/v1/validate", "validation", "Check what a model proposes against the roster and the rules.")
            .header("X-Lakehouse-Trace-Id", RUN)
            .body::<Validate>()
            .answers::<ValidationReport>(200, "It counts.")
            .answers::<ValidationError>(422, "It does not; the one key says why.")
            .refused(&[404]),
        post("/v1/iterate", "validation", "Let a model propose, and correct itself, until a proposal counts.")
            .header("X-Lakehouse-Trace-Id", "Names the session, unless the body does.")
            .body::<Iterate>()
            .answers::<Iterated>(200, "A proposal counts.")
            .answers::<NotIterated>(422, "None did.")
            .answers::<NotIterated>(502, "The model could not be reached.")
            .refused(&[404]),
        get("/v1/validate/packs", "validation", "The packs of further checks.")
            .query("as_of", text(), AS_OF)
            .answers::<ValidatorPacks>(200, "The packs.")
            .refused(&[404]),
        post("/v1/validate/packs", "validation", "Keep a pack, which judges from its version on.")
            .body::<ValidatorPack>()
            .answers::<PackKept>(201, "It is kept."),
        post("/v1/validate/packs/dry_run", "validation", "Try a pack on sessions that were accepted.")
            .body::<TryPack>()
            .answers::<PackTried>(200, "What it would have said."),
        delete("/v1/validate/packs/{name}", "validation", "Drop a pack.")
            .gives_nothing(204, "It is gone.")
            .refused(&[404]),
        get("/v1/evidence/{stream}", "validation", "The last lines of a stream, or those behind a fragment.")
            .query("last", number(), "How many of the last lines: 20 unless this says otherwise, at most 1000.")
            .query("after", number(), "Instead: the number of a fragment, as an earlier answer states it.")
            .answers::<StreamLines>(200, "The lines, the oldest first, and the fragment that they end with."),
        post("/v1/evidence/{stream}", "validation", "Append lines to a stream.")
            .reads("application/json", json!({ "type": "object" }))
            .reads("application/x-ndjson", text())
            .answers::<StreamAppended>(201, "They are durable.")
            .refused(&[409]),
    ]
}

fn chat() -> Vec<Route> {
    let completions = "Let a model continue a conversation, as OpenAI's clients ask.";
    vec![
        post("/v1/chat", "chat", "Let a model continue a conversation.")
            .header("X-Lakehouse-Trace-Id", RUN)
            .body::<ChatRequest>()
            .answers::<ChatAnswer>(200, "What it says, and why it ends where it ends.")
            .refused(&[404, 429]),
        post("/v1/chat/completions", "chat", completions)
            .header("X-Lakehouse-Trace-Id", RUN)
            .body::<OpenaiChat>()
            .answers::<OpenaiSaid>(200, "What it says.")
            .gives(200, "With `stream`, pieces as they are said.", "text/event-stream", text())
            .refused(&[404, 429]),
        get("/v1/chat/providers", "chat", "Who can be asked.").answers::<ChatProviders>(200, "The providers."),
    ]
}

fn indexes() -> Vec<Route> {
    let path = "/v1/vectors/index/{name}";
    vec![
        post("/v1/vectors/index", "vectors", "Make an index.")
            .body::<NewIndex>()
            .answers::<Index>(201, "It stands.")
            .refused(&[409]),
        get("/v1/vectors/index", "vectors", "One page of the indexes, by name.")
            .query("after", text(), "The `next` of the page before.")
            .query("limit", number(), "Most indexes on the page, at most 1,000.")
            .query("as_of", text(), AS_OF)
            .answers::<Indexes>(200, "The page."),
        get(path, "vectors", "One index.")
            .query("as_of", text(), AS_OF)
            .answers::<Index>(200, "The index.")
            .refused(&[404]),
        delete(path, "vectors", "Delete an index with its items.").gives_nothing(204, "It is gone.").refused(&[404]),
        post("/v1/vectors/index/{name}/seal", "vectors", "Make what an index holds now part of a version.")
            .answers::<IndexSealed>(200, "A version holds it.")
            .refused(&[404]),
        post("/v1/vectors/index/{name}/recall", "vectors", "Measure how many of the true nearest searches find.")
            .body::<Survey>()
            .answers::<Recall>(200, "The index keeps it, and shows it when it is described.")
            .refused(&[404]),
        post("/v1/vectors/index/{name}/merge", "vectors", "Put the items of an index into another.")
            .body::<MergeInto>()
            .answers::<Merged>(200, "They are durable there.")
            .refused(&[404]),
    ]
}

fn items() -> Vec<Route> {
    let item = "/v1/vectors/index/{name}/items/{id}";
    vec![
        post("/v1/vectors/index/{name}/add", "vectors", "Add or replace vectors, all of a batch or none.")
            .body::<VectorBatch>()
            .answers::<Added>(200, "They are durable.")
            .refused(&[404]),
        post("/v1/vectors/index/{name}/add_text", "vectors", "Add or replace texts, all of a batch or none.")
            .body::<TextBatch>()
            .answers::<Added>(200, "They are durable.")
            .refused(&[404, 429]),
        post("/v1/vectors/index/{name}/search", "vectors", "The items nearest to a vector or a text.")
            .header("X-Lakehouse-Trace-Id", RUN)
            .body::<Search>()
            .answers::<Found>(200, "The nearest first; those at the same distance by id.")
            .refused(&[404, 429]),
        post(
            "/v1/vectors/index/{name}/delete",
            "vectors",
            "Delete items by their ids, or those of which a filter holds.",
        )
        .body::<Unwanted>()
        .answers::<Removed>(200, "They are gone.")
        .refused(&[404]),
        get(item, "vectors", "One item.")
            .query("as_of", text(), AS_OF)
            .answers::<StoredItem>(200, "The item.")
            .refused(&[404]),
        delete(item, "vectors", "Delete one item.").gives_nothing(204, "It is gone.").refused(&[404]),
    ]
}

fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// Whether every role is ready to work.
#[derive(Serialize, JsonSchema)]
struct Ready {
    /// `ready`.
    status: String,
    /// The role that answers.
    service: String,
    /// What is known of the roles behind it.
    roles: Option<Map<String, Value>>,
}

/// A request for vectors, as OpenAI's clients make it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Embeddings")]
struct OpenaiAsk {
    /// One text, or a list of texts.
    input: Value,
    /// The model; the default one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// `float` (the default) or `base64`: numbers of four bytes, the lowest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_format: Option<String>,
    /// Must be what the model makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
    /// Accepted, and not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

/// Vectors, as OpenAI's clients read them.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EmbeddingList")]
struct OpenaiAnswer {
    /// `list`.
    object: String,
    /// One line for each text, in their order.
    data: Vec<OpenaiLine>,
    /// The model.
    model: String,
    /// Always zero: tokens are not counted.
    usage: OpenaiUsage,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Embedding")]
struct OpenaiLine {
    /// `embedding`.
    object: String,
    /// The place of the text.
    index: usize,
    /// The vector: numbers, or a text in base64.
    embedding: Value,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Usage")]
struct OpenaiUsage {
    prompt_tokens: u64,
    total_tokens: u64,
}

/// A conversation as OpenAI's clients continue it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChatCompletionRequest")]
struct OpenaiChat {
    /// As in `/v1/chat`.
    model: String,
    /// What was said so far, the oldest first.
    messages: Vec<ChatMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    /// The same; it goes before `max_tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    /// `text`, `json_object`, or `json_schema` with its `schema`.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    /// As in `/v1/chat`; `response_format` goes before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Value>,
    /// Whether the answer comes piece by piece, as server-sent events.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    /// `include_usage`: what it took, in the last event but one.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<Value>,
    /// 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    /// As in `/v1/chat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Value>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChatCompletion")]
struct OpenaiSaid {
    id: String,
    /// `chat.completion`.
    object: String,
    /// Seconds since 1970.
    created: i64,
    /// The model, as it was asked for.
    model: String,
    /// One choice, with its `message` and `finish_reason`.
    choices: Vec<Value>,
    /// Tokens: `prompt_tokens`, `completion_tokens`, `total_tokens`; 0 where the provider states none.
    usage: Value,
}
