//! How a route is described, and how descriptions become OpenAPI 3.1.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::routes;

/// One route.
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub query: Vec<Parameter>,
    tag: &'static str,
    summary: &'static str,
    headers: Vec<Parameter>,
    body: Vec<Form>,
    answers: Vec<(u16, &'static str, Vec<Form>)>,
    refusals: Vec<u16>,
    schemas: Map<String, Value>,
    is_open: bool,
    refusal: &'static str,
}

/// A media type, and the schema of what is sent in it.
type Form = (&'static str, Value);

/// A parameter of a query string, or a header.
pub struct Parameter {
    pub name: &'static str,
    schema: Value,
    says: &'static str,
    is_needed: bool,
}

/// What every route may be refused with: rights, load, time, faults.
const ALWAYS: [u16; 7] = [400, 401, 403, 500, 502, 503, 504];
/// What every route that reads a body may be refused with.
const OF_BODIES: [u16; 3] = [408, 413, 415];

/// A route under `method` and `path`.
pub fn route(method: &'static str, path: &'static str, tag: &'static str, summary: &'static str) -> Route {
    let (query, headers, body, answers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (refusals, schemas) = (ALWAYS.into(), Map::new());
    Route {
        method,
        path,
        query,
        tag,
        summary,
        headers,
        body,
        answers,
        refusals,
        schemas,
        is_open: false,
        refusal: "Refusal",
    }
}

/// The schema of a text.
pub fn text() -> Value {
    json!({ "type": "string" })
}

/// The schema of a whole number that is not negative.
pub fn number() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// The schema of bytes.
pub fn bytes() -> Value {
    json!({ "type": "string", "format": "binary" })
}

impl Route {
    pub fn query(mut self, name: &'static str, schema: Value, says: &'static str) -> Self {
        self.query.push(Parameter { name, schema, says, is_needed: false });
        self
    }

    pub fn needed(mut self, name: &'static str, schema: Value, says: &'static str) -> Self {
        self.query.push(Parameter { name, schema, says, is_needed: true });
        self
    }

    pub fn header(mut self, name: &'static str, says: &'static str) -> Self {
        self.headers.push(Parameter { name, schema: text(), says, is_needed: false });
        self
    }

    pub fn body<T: JsonSchema>(mut self) -> Self {
        let (schema, mut named) = schema_of::<T>(SchemaSettings::draft2020_12().for_serialize());
        named.values_mut().filter(|schema| schema.get("properties").is_some()).for_each(|schema| {
            schema["additionalProperties"] = json!(false);
        });
        self.schemas.extend(named);
        self.reads("application/json", schema)
    }

    pub fn reads(mut self, media_type: &'static str, schema: Value) -> Self {
        self.refusals.extend(OF_BODIES);
        self.body.push((media_type, schema));
        self
    }

    pub fn answers<T: JsonSchema>(mut self, status: u16, says: &'static str) -> Self {
        let (schema, named) = schema_of::<T>(SchemaSettings::draft2020_12());
        self.schemas.extend(named);
        self.gives(status, says, "application/json", schema)
    }

    pub fn gives(mut self, status: u16, says: &'static str, media_type: &'static str, schema: Value) -> Self {
        match self.answers.iter_mut().find(|(known, ..)| *known == status) {
            Some((_, _, forms)) => forms.push((media_type, schema)),
            None => self.answers.push((status, says, vec![(media_type, schema)])),
        }
        self
    }

    pub fn gives_nothing(mut self, status: u16, says: &'static str) -> Self {
        self.answers.push((status, says, Vec::new()));
        self
    }

    pub fn refused(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses);
        self
    }

    pub fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// The route speaks Iceberg's protocol: it refuses in its words, and lets through what the protocol may grow.
    pub fn of_iceberg(mut self) -> Self {
        self.refusal = "IcebergRefusal";
        self
    }

    pub fn is_of_iceberg(&self) -> bool {
        self.refusal == "IcebergRefusal"
    }

    /// The route speaks the Model Context Protocol, behind the door of every other route. The binary mounts it.
    pub fn of_mcp(mut self) -> Self {
        self.refusal = "McpRefusal";
        self
    }

    pub fn is_of_mcp(&self) -> bool {
        self.refusal == "McpRefusal"
    }

    pub fn has_json_body(&self) -> bool {
        self.body.iter().any(|(media_type, _)| *media_type == "application/json")
    }

    fn operation(&self) -> Value {
        let mut operation = json!({
            "operationId": self.id(),
            "tags": [self.tag],
            "summary": self.summary,
            "responses": self.responses(),
        });
        let parameters = self.parameters();
        if !parameters.is_empty() {
            operation["parameters"] = Value::Array(parameters);
        }
        if !self.body.is_empty() {
            operation["requestBody"] = json!({ "required": true, "content": content(&self.body) });
        }
        if self.is_open {
            operation["security"] = json!([]);
        }
        operation
    }

    /// Such as `get_catalog_manifest_name`.
    fn id(&self) -> String {
        let path = self.path.trim_start_matches("/v1").replace(['{', '}', '.'], "");
        format!("{}{}", self.method.to_lowercase(), path.replace('/', "_"))
    }

    fn parameters(&self) -> Vec<Value> {
        let names = self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let path = names.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": text() }));
        let stated = |place: &'static str| move |Parameter { name, schema, says, is_needed }: &Parameter| json!({ "name": name, "in": place, "required": is_needed, "description": says, "schema": schema });
        let (query, headers) = (self.query.iter().map(stated("query")), self.headers.iter().map(stated("header")));
        path.chain(query).chain(headers).collect()
    }

    fn responses(&self) -> Value {
        let mut responses = Map::new();
        for (status, says, forms) in &self.answers {
            let mut response = json!({ "description": says });
            if !forms.is_empty() {
                response["content"] = content(forms);
            }
            responses.insert(status.to_string(), response);
        }
        for status in BTreeSet::from_iter(&self.refusals) {
            let refusal = json!({ "$ref": format!("#/components/responses/{}", self.refusal) });
            responses.entry(status.to_string()).or_insert(refusal);
        }
        Value::Object(responses)
    }
}

fn content(forms: &[Form]) -> Value {
    let form = |(media_type, schema): &Form| ((*media_type).to_owned(), json!({ "schema": schema }));
    Value::Object(forms.iter().map(form).collect())
}

/// The schema of a type, and those that it names. Bodies are described as they are sent, answers as they are read.
fn schema_of<T: JsonSchema>(settings: SchemaSettings) -> (Value, Map<String, Value>) {
    let settings = settings.with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator: SchemaGenerator = settings.into_generator();
    let schema = generator.subschema_for::<T>().to_value();
    (schema, generator.take_definitions(true))
}

/// The members that a route's JSON body may have; none when they are named by whoever sends it.
pub fn members_of_body(route: &Route) -> BTreeSet<String> {
    let schema = route.body.iter().find(|(media_type, _)| *media_type == "application/json");
    let schema = super::conform::resolved(&schema.expect("a JSON body").1);
    schema["properties"].as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default()
}

static MADE: LazyLock<Value> = LazyLock::new(make);

/// The whole document.
pub fn made() -> &'static Value {
    &MADE
}

fn make() -> Value {
    let (_, mut schemas) = schema_of::<client::Problem>(SchemaSettings::draft2020_12());
    let mut paths = Map::new();
    for route in routes::all() {
        schemas.extend(route.schemas.clone());
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.to_lowercase()] = route.operation();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lakehouse",
            "version": "1",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Tables, SQL, texts and vectors over one lake. Every refusal is a problem (RFC 9457) whose `code` \
                            is stable. Every answer states its X-Request-Id, and the X-Lakehouse-Version it was computed \
                            at where it has one; a request with X-Lakehouse-Min-Version is answered at no older version.",
        },
        "security": [{}, { "bearer": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Needed where the service has tokens. A token has scopes: read (GET, and questions that \
                                    are sent with POST), write, and admin for what takes something away from \
                                    everybody: a table or its name, an index, a namespace, versions.",
                },
            },
            "responses": {
                "Refusal": {
                    "description": "Refused; the problem says why.",
                    "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                },
                "McpRefusal": {
                    "description": "Refused: by the door as a problem, by the protocol as an error of JSON-RPC or in a line.",
                    "content": {
                        "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
                        "application/json": { "schema": { "type": "object" } },
                    },
                },
                "IcebergRefusal": {
                    "description": "Refused, in the words of Iceberg's protocol.",
                    "content": { "application/json": { "schema": super::iceberg::refusal() } },
                },
            },
            "schemas": schemas,
        },
    })
}

/// The document as it is committed.
pub fn written() -> String {
    let mut text = serde_json::to_string_pretty(made()).expect("JSON");
    text.push('\n');
    text
}
