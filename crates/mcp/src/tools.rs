//! What is offered: each tool with what it takes and what it answers.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

/// Every tool, always in this order.
pub fn all() -> Vec<Tool> {
    vec![
        list_datasets(),
        get_manifest(),
        query_sql(),
        embed_text(),
        search_vectors(),
        search_text(),
        validate(),
        history(),
    ]
}

fn list_datasets() -> Tool {
    tool(
        "list_datasets",
        "List datasets",
        "Every dataset (table) of the lake with its columns, types and number of rows. Begin here.",
        takes(json!({ "as_of": as_of() }), &[]),
        listing("datasets", json!({ "type": "object" })),
    )
}

fn get_manifest() -> Tool {
    tool(
        "get_manifest",
        "Describe a dataset",
        "One dataset: columns with their types, which of them hold personal data, number of rows, files, version.",
        takes(json!({ "name": text("The dataset: `table` or `namespace.table`."), "as_of": as_of() }), &["name"]),
        answers(json!({ "manifest": { "type": "object" } }), &["manifest"]),
    )
}

fn query_sql() -> Tool {
    let sql = "One SELECT, EXPLAIN, DESCRIBE or SHOW statement; nothing else runs. Tables can be read in the past with \
               `t FOR VERSION AS OF 3`; `vector_search('index', 'text', k)` is a table of what means about the same.";
    tool(
        "query_sql",
        "Ask SQL",
        "Ask the lake in SQL (PostgreSQL's spelling, read-only). Give ORDER BY and LIMIT, and count or group in SQL rather \
         than reading many rows: at most 200 rows or 48 kB come back.",
        takes(
            json!({
                "sql": text(sql),
                "params": { "type": "array", "description": "Values of $1, $2 … in the statement." },
                "max_rows": { "type": "integer", "minimum": 1, "maximum": 200, "description": "Most rows; 200 when absent." },
                "as_of": as_of(),
            }),
            &["sql"],
        ),
        answers(
            json!({
                "columns": { "type": "array", "items": { "type": "object" } },
                "rows": { "type": "array", "items": { "type": "array" } },
                "version": { "type": "integer", "description": "The version of the lake that was asked." },
                "total": perhaps("integer", "How many rows there are; null when unknown."),
                "truncated": { "type": "boolean" },
                "hint": perhaps("string", "How to ask for less at once."),
            }),
            &["columns", "rows", "version", "total", "truncated", "hint"],
        ),
    )
}

fn embed_text() -> Tool {
    tool(
        "embed_text",
        "Turn texts into vectors",
        "The vectors of texts. To find something by its meaning, use search_text instead: it embeds by itself.",
        takes(
            json!({
                "texts": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
                "model": text("The model; the lake's usual one when absent."),
            }),
            &["texts"],
        ),
        listing_with(
            "vectors",
            json!({ "type": "array", "items": { "type": "number" } }),
            json!({ "model": text("The model that made them."), "dimension": { "type": "integer" } }),
        ),
    )
}

fn search_vectors() -> Tool {
    tool(
        "search_vectors",
        "Search an index",
        "The items of a vector index that are nearest to a vector, or in meaning to a text.",
        takes(
            json!({
                "index": text("The index."),
                "vector": { "type": "array", "items": { "type": "number" }, "description": "Either this or `text`." },
                "text": text("Either this or `vector`."),
                "k": k(),
                "filter": filter(),
                "as_of": as_of(),
            }),
            &["index"],
        ),
        listing("results", json!({ "type": "object" })),
    )
}

fn search_text() -> Tool {
    let mode = "`vector`: what means about the same. `keyword`: what holds the words. `hybrid`: both.";
    tool(
        "search_text",
        "Search by text",
        "The items of an index that fit a text best: by meaning, by words or by both, with filters over their metadata.",
        takes(
            json!({
                "index": text("The index."),
                "text": text("What is sought, in plain words."),
                "k": k(),
                "mode": { "type": "string", "enum": ["vector", "keyword", "hybrid"], "description": mode },
                "rerank": { "type": "boolean", "description": "Whether a model reads the best texts and ranks them anew." },
                "filter": filter(),
                "as_of": as_of(),
            }),
            &["index", "text"],
        ),
        listing("results", json!({ "type": "object" })),
    )
}

fn validate() -> Tool {
    tool(
        "validate",
        "Check a proposal",
        "Checks what a model proposes against the lake before it counts: a fill (workers for a contract), an e-mail or SMS, \
         or a playbook. What is wrong is told so that it can be mended.",
        takes(
            json!({
                "kind": { "type": "string", "enum": ["fill", "email", "playbook"] },
                "artifact": { "type": "object", "description": "What is proposed." },
                "context": { "type": "object", "description": "What it must fit, such as target_count, city, role." },
                "as_of": as_of(),
            }),
            &["kind", "artifact"],
        ),
        answers(
            json!({
                "passed": { "type": "boolean" },
                "report": { "type": "object", "description": "The findings, or the error that has to be mended." },
            }),
            &["passed", "report"],
        ),
    )
}

fn history() -> Tool {
    tool(
        "history",
        "Show what changed",
        "The versions of the whole lake, newest first; with `dataset`, the snapshots of one dataset.",
        takes(
            json!({
                "dataset": text("One dataset; the whole lake when absent."),
                "limit": { "type": "integer", "minimum": 1, "maximum": 200, "description": "How many; 20 when absent." },
                "before": text("The `next` of the answer before."),
                "as_of": as_of(),
            }),
            &[],
        ),
        listing_with(
            "changes",
            json!({ "type": "object" }),
            json!({ "next": perhaps("string", "What to give as `before` for the changes before these; null at the end.") }),
        ),
    )
}

fn tool(
    name: &'static str,
    title: &'static str,
    says: &'static str,
    takes: Arc<JsonObject>,
    answers: Arc<JsonObject>,
) -> Tool {
    let reads =
        ToolAnnotations::with_title(title).read_only(true).destructive(false).idempotent(true).open_world(false);
    Tool::new(name, says, takes).with_title(title).with_raw_output_schema(answers).annotate(reads)
}

fn takes(properties: Value, required: &[&str]) -> Arc<JsonObject> {
    object(json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    }))
}

/// Every answer says where its data is from and that it is data.
fn answers(properties: Value, required: &[&str]) -> Arc<JsonObject> {
    let mut schema = json!({
        "type": "object",
        "properties": { "source": { "type": "string" }, "notice": { "type": "string" } },
        "required": ["source", "notice"],
    });
    if let (Value::Object(more), Some(all)) = (properties, schema["properties"].as_object_mut()) {
        all.extend(more);
    }
    if let Some(all) = schema["required"].as_array_mut() {
        all.extend(required.iter().map(|name| Value::from(*name)));
    }
    object(schema)
}

fn listing(name: &str, item: Value) -> Arc<JsonObject> {
    listing_with(name, item, json!({}))
}

/// A list that may be cut short, and further members.
fn listing_with(name: &str, item: Value, further: Value) -> Arc<JsonObject> {
    let mut properties = json!({
        "total": perhaps("integer", "How many there are; null when unknown."),
        "truncated": { "type": "boolean" },
        "hint": perhaps("string", "How to ask for less at once."),
    });
    properties[name] = json!({ "type": "array", "items": item });
    if let (Value::Object(more), Some(all)) = (further, properties.as_object_mut()) {
        all.extend(more);
    }
    let all = properties.as_object().cloned().unwrap_or_default();
    let required: Vec<&str> = all.keys().map(String::as_str).collect();
    answers(properties, &required)
}

fn object(schema: Value) -> Arc<JsonObject> {
    Arc::new(match schema {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    })
}

fn text(says: &str) -> Value {
    json!({ "type": "string", "description": says })
}

fn as_of() -> Value {
    let says = "Read the lake as it was: a version number, a time (RFC 3339) or a tag. Now when absent.";
    either("string", "integer", says)
}

fn perhaps(ty: &str, says: &str) -> Value {
    either(ty, "null", says)
}

/// A value of one type or the other, said so that clients whose schemas know one type at a time understand it too.
fn either(ty: &str, other: &str, says: &str) -> Value {
    json!({ "anyOf": [{ "type": ty }, { "type": other }], "description": says })
}

fn k() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": 200, "description": "How many; 10 when absent." })
}

fn filter() -> Value {
    let says = "What must hold of the metadata: {\"city\": \"Toledo\"}, {\"state\": [\"OH\", \"IN\"]}, {\"rate\": {\"gte\": 18}}.";
    json!({ "type": "object", "description": says })
}
