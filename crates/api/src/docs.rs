//! `/docs`: the description of the routes for people. One page without a script, which needs nothing from elsewhere.

use std::sync::LazyLock;

use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::openapi::DOCUMENT;
use crate::request::{Nothing, Params};

const STYLE: &str = include_str!("docs/style.css");

static PAGE: LazyLock<String> = LazyLock::new(|| page(&serde_json::from_str(DOCUMENT).unwrap_or_default()));

/// Nothing is loaded, run, sent or framed; the one style is known by its hash.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// `GET /docs`.
pub(crate) async fn docs(_: Params<Nothing>) -> Response {
    let guards: [(HeaderName, &str); 3] = [
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (guards, Html(PAGE.as_str())).into_response()
}

/// The whole page.
fn page(document: &Value) -> String {
    let tags = tags(document);
    let links: String = tags.iter().map(|tag| format!("<a href=\"#{0}\">{0}</a>", escaped(tag))).collect();
    let sections: String = tags.iter().map(|tag| section(document, tag)).collect();
    let schemas: String =
        members(&document["components"]["schemas"]).map(|(name, schema)| shape(name, schema)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}: the API</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}</style></head><body>\n\
         <h1>{title}: the API</h1>\n<p>{says}</p>\n<p>For programs: <a href=\"/openapi.json\">openapi.json</a>. What a \
         code of a refusal means stands at <code>/docs/errors/&lt;code&gt;</code>.</p>\n\
         <nav>{links}<a href=\"#schemas\">schemas</a></nav>\n{sections}<h2 id=\"schemas\">Schemas</h2>\n{schemas}</body></html>\n",
        title = said(&document["info"]["title"]),
        says = said(&document["info"]["description"]),
    )
}

/// The tags of the routes, in the order of the first route of each.
fn tags(document: &Value) -> Vec<&str> {
    let mut tags = Vec::new();
    for (_, _, operation) in operations(document) {
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// Path, method and description of every route.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = members(&document["paths"]);
    paths.flat_map(|(path, methods)| members(methods).map(move |(method, operation)| (path, method, operation)))
}

fn section(document: &Value, tag: &str) -> String {
    let of_it = operations(document).filter(|(_, _, operation)| operation["tags"][0] == tag);
    let routes: String = of_it.map(|(path, method, operation)| route(path, method, operation)).collect();
    format!("<h2 id=\"{0}\">{0}</h2>\n{routes}", escaped(tag))
}

fn route(path: &str, method: &str, operation: &Value) -> String {
    format!(
        "<details id=\"{id}\"><summary><code>{method} {path}</code> {summary}</summary>\n{parameters}{body}{answers}</details>\n",
        id = said(&operation["operationId"]),
        method = method.to_uppercase(),
        path = escaped(path),
        summary = said(&operation["summary"]),
        parameters = parameters(&operation["parameters"]),
        body = body(&operation["requestBody"]["content"]),
        answers = answers(&operation["responses"]),
    )
}

fn parameters(parameters: &Value) -> String {
    let line = |parameter: &Value| {
        let needed = if parameter["required"] == true { ", needed" } else { "" };
        [
            format!("<code>{}</code>", said(&parameter["name"])),
            format!("{}{needed}", said(&parameter["in"])),
            kind(&parameter["schema"]),
            said(&parameter["description"]),
        ]
    };
    table(["parameter", "where", "type", "meaning"], parameters.as_array().into_iter().flatten().map(line))
}

fn body(content: &Value) -> String {
    table(["body", "type"], members(content).map(form))
}

fn answers(responses: &Value) -> String {
    let line = |(status, response): (&str, &Value)| {
        let forms: Vec<String> =
            members(&response["content"]).map(form).map(|[media, ty]| format!("{media} {ty}")).collect();
        let refers = response["$ref"].as_str().map(|_| "Refused; the problem says why.".to_owned());
        [escaped(status), refers.unwrap_or_else(|| said(&response["description"])), forms.join("<br>")]
    };
    table(["status", "meaning", "answer"], members(responses).map(line))
}

/// A media type, and what is sent in it.
fn form((media, content): (&str, &Value)) -> [String; 2] {
    [format!("<code>{}</code>", escaped(media)), kind(&content["schema"])]
}

/// A named schema with its members.
fn shape(name: &str, schema: &Value) -> String {
    let needed = |member: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == member));
    let line = |(member, schema): (&str, &Value)| {
        let needed = if needed(member) { ", always" } else { "" };
        [format!("<code>{}</code>{needed}", escaped(member)), kind(schema), said(&schema["description"])]
    };
    let members = table(["member", "type", "meaning"], members(&schema["properties"]).map(line));
    let whole = if members.is_empty() { format!("<p>{}</p>\n", kind(schema)) } else { members };
    let (name, says) = (escaped(name), said(&schema["description"]));
    format!("<details id=\"schema-{name}\"><summary><code>{name}</code></summary>\n<p>{says}</p>\n{whole}</details>\n")
}

/// What a value may be, in words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escaped(name));
    }
    if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words
            .iter()
            .map(|word| format!("<code>{}</code>", escaped(&word.to_string())))
            .collect::<Vec<_>>()
            .join(" ");
    }
    if schema["type"] == "array" {
        return format!("list of {}", kind(&schema["items"]));
    }
    match &schema["type"] {
        Value::Array(types) => types.iter().map(said).collect::<Vec<_>>().join(" or "),
        Value::String(one) => escaped(one),
        _ => "anything".to_owned(),
    }
}

/// A table with these columns; nothing when it has no lines.
fn table<const N: usize>(columns: [&str; N], lines: impl Iterator<Item = [String; N]>) -> String {
    let cells =
        |cell: &str, of: &[String]| of.iter().map(|text| format!("<{cell}>{text}</{cell}>")).collect::<String>();
    let lines: String = lines.map(|line| format!("<tr>{}</tr>\n", cells("td", &line))).collect();
    if lines.is_empty() {
        return lines;
    }
    format!("<table><tr>{}</tr>\n{lines}</table>\n", cells("th", &columns.map(str::to_owned)))
}

fn members(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object.as_object().into_iter().flatten().map(|(name, member)| (name.as_str(), member))
}

/// A text of the document; nothing where there is none.
fn said(text: &Value) -> String {
    escaped(text.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
