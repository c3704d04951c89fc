//! split: every role in a process of its own answers, byte for byte, what one process answers.
//!
//! Both stacks work on one lake, so that an answer may differ only by who gave it. What tells one request from another
//! (its id) is stated by the caller; what tells one moment from another (how long a query took) is left out.

use anyhow::{Context, ensure};
use bytes::Bytes;
use client::Body;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::points::{DIMENSION, items, vector};
use crate::probe::{Probe, Reply};
use crate::stack::{Ground, Site, Stack};

/// The workers, in an order in which each finds those before it.
const WORKERS: [&str; 8] = ["embedd", "storaged", "catalogd", "ingestd", "queryd", "vectord", "chatd", "validatord"];
/// What of an answer's head must be alike.
const HEADERS: [&str; 6] =
    ["content-type", "content-length", "etag", "x-lakehouse-version", "retry-after", "x-lakehouse-model-fingerprint"];
const REQUEST_ID: (&str, &str) = ("x-request-id", "0123456789abcdef0123456789abcdef");
const WORKERS_CSV: &str = "id,name,city,wage\n1,Alice,Toledo,21.5\n2,Bob,Lima,19.25\n3,Cy,Toledo,30\n";

pub async fn prove(ground: Ground) -> anyhow::Result<()> {
    let site = Site::new(&ground)?;
    let whole = site.start(&["models.download=true"]).await?;
    let one = Probe::of(whole.gateway()?)?;
    fill(&one).await?;
    let split = Split::start(&site).await?;
    let many = Probe::of(split.gateway.gateway()?)?;
    for asked in requests() {
        let (near, far) = (asked.send(&one).await?, asked.send(&many).await?);
        asked.compare(&near, &far)?;
    }
    writes_meet(&one, &many).await?;
    split.stop().await?;
    whole.stop().await
}

/// One process per role; the last knows where all the others are.
struct Split {
    workers: Vec<Stack>,
    gateway: Stack,
}

impl Split {
    async fn start(site: &Site) -> anyhow::Result<Self> {
        let mut workers = Vec::new();
        let mut known: Vec<String> = vec!["models.download=true".to_owned()];
        for role in WORKERS {
            let settings: Vec<&str> = known.iter().map(String::as_str).collect();
            let worker = site.start_roles(&[role], &settings).await.with_context(|| format!("{role} alone"))?;
            let url = worker.ready.roles.get(role).with_context(|| format!("{role} has no port"))?;
            known.push(format!("upstreams.{role}={url}"));
            workers.push(worker);
        }
        let settings: Vec<&str> = known.iter().map(String::as_str).collect();
        Ok(Self { workers, gateway: site.start_roles(&["gateway"], &settings).await? })
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.gateway.stop().await?;
        for worker in self.workers.into_iter().rev() {
            worker.stop().await?;
        }
        Ok(())
    }
}

/// What the requests ask about.
async fn fill(probe: &Probe) -> anyhow::Result<()> {
    probe.ingest("name=workers", WORKERS_CSV).await?.expect(200)?;
    probe.put("/v1/storage/objects/notes/a.txt", "hello lake".to_owned()).await?.expect(201)?;
    let index = json!({ "name": "points", "dimension": DIMENSION });
    probe.post("/v1/vectors/index", &index).await?.expect(201)?;
    probe.post("/v1/vectors/index/points/add", &items(0..40)).await?.expect(200)?;
    let texts = json!({ "name": "texts", "dimension": 384 });
    probe.post("/v1/vectors/index", &texts).await?.expect(201)?;
    let item = |text: &str| json!({ "id": text, "text": text, "metadata": { "letters": text.len() } });
    let items = ["drives a forklift", "bakes bread", "draws blood"].map(item);
    let items = json!({ "items": items });
    probe.post("/v1/vectors/index/texts/add_text", &items).await?.expect(200).map(drop)
}

/// One request of the list.
struct Asked {
    method: Method,
    path: &'static str,
    accept: Option<&'static str>,
    body: Option<String>,
}

fn asked(method: Method, path: &'static str) -> Asked {
    Asked { method, path, accept: None, body: None }
}

fn get(path: &'static str) -> Asked {
    asked(Method::GET, path)
}

fn post(path: &'static str, body: Value) -> Asked {
    Asked { body: Some(body.to_string()), ..asked(Method::POST, path) }
}

fn sql(statement: &str, accept: Option<&'static str>) -> Asked {
    Asked { accept, ..post("/v1/sql", json!({ "sql": statement })) }
}

/// Successes and refusals of every role, and paths that none has.
fn requests() -> Vec<Asked> {
    [objects(), datasets(), queries(), indexes(), texts()].into_iter().flatten().collect()
}

fn objects() -> Vec<Asked> {
    vec![
        get("/v1/storage/list"),
        get("/v1/storage/list?limit=nonsense"),
        get("/v1/storage/objects/notes/a.txt"),
        asked(Method::HEAD, "/v1/storage/objects/notes/a.txt"),
        get("/v1/storage/objects/nowhere"),
        get("/v1/storage/objects/a%2F..%2Fb"),
        asked(Method::DELETE, "/v1/storage/objects/nowhere"),
        asked(Method::PATCH, "/v1/storage/objects/notes/a.txt"),
        get("/v1/nothing"),
        get("/storage/list"),
    ]
}

fn datasets() -> Vec<Asked> {
    let load = |path, csv: &str| Asked { body: Some(csv.to_owned()), ..asked(Method::POST, path) };
    vec![
        get("/v1/catalog/list"),
        get("/v1/catalog/manifest/workers"),
        get("/v1/catalog/manifest/nowhere"),
        get("/v1/catalog/history/workers"),
        get("/v1/catalog/versions"),
        get("/v1/catalog/list?as_of=99999"),
        post("/v1/catalog/register", json!({ "name": "" })),
        post("/v1/catalog/register", json!({ "nmae": "x" })),
        load("/v1/ingest?name=workers", "id,name\n1,Alice\n"),
        load("/v1/ingest?name=", "a\n1\n"),
        load("/v1/ingest?name=broken", "a,b\n1,2,3\n"),
        load("/v1/ingest?name=workers&mode=sideways", WORKERS_CSV),
    ]
}

fn queries() -> Vec<Asked> {
    vec![
        sql("SELECT city, COUNT(*) AS n FROM workers GROUP BY city ORDER BY city", None),
        sql("SELECT * FROM workers ORDER BY id", Some("text/csv")),
        sql("SELECT * FROM workers ORDER BY id", Some("application/x-ndjson")),
        sql("SELECT * FROM workers ORDER BY id", Some("application/vnd.apache.arrow.stream")),
        sql("SELECT id, distance FROM vector_search('texts', 'moves pallets', 2) ORDER BY distance", None),
        sql("SELECT id FROM vector_search('nowhere', 'x', 2)", None),
        sql("SELECT * FROM nowhere", None),
        sql("SELEC 1", None),
        sql("DROP TABLE workers", None),
        post("/v1/sql", json!({ "sql": "SELECT 1", "as_of": "99999" })),
        post("/v1/sql", json!({ "query": "SELECT 1" })),
        asked(Method::GET, "/v1/sql"),
    ]
}

fn indexes() -> Vec<Asked> {
    vec![
        get("/v1/vectors/index"),
        get("/v1/vectors/index/points"),
        get("/v1/vectors/index/nowhere"),
        get("/v1/vectors/index/points/items/p003"),
        get("/v1/vectors/index/points/items/nobody"),
        post("/v1/vectors/index/points/search", json!({ "vector": vector(3), "k": 5 })),
        post("/v1/vectors/index/points/search", json!({ "vector": [1.0], "k": 5 })),
        post("/v1/vectors/index/points/search", json!({ "vector": vector(3), "k": 0 })),
        post("/v1/vectors/index/texts/search", json!({ "text": "moves pallets", "k": 2 })),
        post("/v1/vectors/index/nowhere/search", json!({ "vector": vector(3) })),
        post("/v1/vectors/index/points/add", json!({ "items": [{ "id": "", "vector": vector(3) }] })),
        post("/v1/vectors/index/points/add", json!({ "itmes": [] })),
        post("/v1/vectors/index", json!({ "name": "points", "dimension": DIMENSION })),
        post("/v1/vectors/index", json!({ "name": "bad name", "dimension": DIMENSION })),
        asked(Method::DELETE, "/v1/vectors/index/nowhere"),
    ]
}

fn texts() -> Vec<Asked> {
    vec![
        post("/v1/embed", json!({ "texts": ["lifts crates", "kneads dough", "lifts crates"] })),
        post("/v1/embed", json!({ "texts": [] })),
        post("/v1/embed", json!({ "texts": ["a", ""] })),
        post("/v1/embed", json!({ "texts": ["a"], "model": "nobody's" })),
        Asked { body: Some("{".to_owned()), ..asked(Method::POST, "/v1/embed") },
        post("/v1/embeddings", json!({ "input": "kneads dough", "model": "all-MiniLM-L6-v2" })),
        asked(Method::PUT, "/v1/embed/stats"),
    ]
}

impl Asked {
    async fn send(&self, probe: &Probe) -> anyhow::Result<Reply> {
        let is_json = self.body.is_some() && !self.path.starts_with("/v1/ingest");
        let mut headers = vec![REQUEST_ID];
        headers.extend(
            self.body.is_some().then_some(("content-type", if is_json { "application/json" } else { "text/csv" })),
        );
        headers.extend(self.accept.map(|accept| ("accept", accept)));
        let body = self.body.clone().map_or_else(Body::empty, Body::from);
        probe.send(self.method.clone(), self.path, &headers, body).await
    }

    fn compare(&self, near: &Reply, far: &Reply) -> anyhow::Result<()> {
        let what = format!("{} {} {}", self.method, self.path, self.body.as_deref().unwrap_or_default());
        ensure!(near.status == far.status, "{what}: {} together, {} apart", near.status, far.status);
        ensure!(near.status != StatusCode::INTERNAL_SERVER_ERROR, "{what}: a fault of the service");
        for header in HEADERS.iter().filter(|header| **header != "content-length" || !timed(near)) {
            let (together, apart) = (near.header(header), far.header(header));
            ensure!(together == apart, "{what}: {header} is {together:?} together, {apart:?} apart");
        }
        ensure!(untimed(near) == untimed(far), "{what}: together {:?}, apart {:?}", near.body, far.body);
        Ok(())
    }
}

const ELAPSED: &[u8] = b"\"elapsed_ms\":";

/// Whether an answer says how long it took.
fn timed(reply: &Reply) -> bool {
    reply.body.windows(ELAPSED.len()).any(|window| window == ELAPSED)
}

/// The bytes of an answer, without the digits that say how long it took.
fn untimed(reply: &Reply) -> Bytes {
    let Some(at) = reply.body.windows(ELAPSED.len()).position(|window| window == ELAPSED) else {
        return reply.body.clone();
    };
    let (before, after) = reply.body.split_at(at + ELAPSED.len());
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    [before, &after[digits..]].concat().into()
}

/// What one stack is told, the other knows: they meet in the lake.
async fn writes_meet(one: &Probe, many: &Probe) -> anyhow::Result<()> {
    let added = many.post("/v1/vectors/index/points/add", &items(40..41)).await?.expect(200)?.json()?;
    ensure!(added["length"] == 41, "add answers {added}");
    one.get("/v1/vectors/index/points/items/p040").await?.expect(200).context("added apart, asked together")?;
    one.delete("/v1/vectors/index/points/items/p040").await?.expect(204)?;
    many.get("/v1/vectors/index/points/items/p040").await?.expect(404).context("deleted together, asked apart")?;
    let loaded = many.ingest("name=cities", "city\nLima\n").await?.expect(200)?.json()?;
    let rows = one.sql("SELECT city FROM cities").await?.expect(200)?.json()?;
    ensure!(rows["rows"] == json!([["Lima"]]), "loaded {loaded}, asked {rows}");
    Ok(())
}
