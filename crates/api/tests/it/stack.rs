//! A whole system over a lake in a temporary directory.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use api::{Edge, Exposure, Limits, Role, Shared, Upstream};
use axum::Router;
use axum::body::Body;
use base::{ByteSize, Seams, Span};
use bytes::Bytes;
use catalog::Catalog;
use embed::Embed;
use evidence::Evidence;
use flows::{
    Chats, EvidenceConfig, Iterate, Packs, Recorder, Rosters, StreamTables, Texts, Validator, ValidatorConfig,
};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use ingest::Ingest;
use models::{Models, Provider, Routing};
use query::Query;
use serde_json::Value;
use storage::{CacheDir, Objects};
use testkit::TestLake;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use vectors::Vectors;

use crate::{chats, iterating, words};

/// The cap of an object in these tests.
pub const OBJECT_LIMIT: u64 = 1 << 20;
/// The cap of an upload in these tests.
pub const UPLOAD_LIMIT: u64 = 1 << 20;

/// The directory, beside the lake's own, from where requests may load files.
pub const INBOX: &str = "inbox";

/// The rooms of one process, and the lake they share.
pub struct Stack {
    pub lake: TestLake,
    pub shared: Shared,
    pub doors: BTreeMap<Role, Router>,
}

impl Stack {
    pub async fn open() -> Self {
        Self::with(limits()).await
    }

    pub async fn with(limits: Limits) -> Self {
        Self::over(Shared::new(Seams::system(), limits)).await
    }

    pub async fn over(shared: Shared) -> Self {
        Self::of(shared, None, &EvidenceConfig::default()).await
    }

    /// A stack that ranks texts anew by the model of this directory.
    pub async fn reranking(directory: PathBuf) -> Self {
        Self::of(Shared::new(Seams::system(), limits()), Some(directory), &EvidenceConfig::default()).await
    }

    /// A stack that records of runs what the settings say.
    pub async fn recording(config: &EvidenceConfig) -> Self {
        Self::of(Shared::new(Seams::system(), limits()), None, config).await
    }

    async fn of(shared: Shared, reranker: Option<PathBuf>, record: &EvidenceConfig) -> Self {
        let lake = TestLake::open().await;
        let seams = shared.seams.clone();
        let catalog = Catalog::open(lake.store.clone(), &catalog::Config::default(), seams.clone()).await.unwrap();
        let settings = ingest::Config {
            max_ingest_bytes: ByteSize(UPLOAD_LIMIT),
            allowed_roots: vec![lake.path().join(INBOX)],
            ..ingest::Config::default()
        };
        let ingest = Ingest::new(catalog.clone(), &settings, seams.clone());
        let embed = Embed::new(models(reranker).await, &embed::Config::default());
        let cache = CacheDir::open(&lake.path().join("cache")).await.unwrap();
        let vectors = Vectors::new(catalog.clone(), cache, &vectors::Config::default(), seams.clone());
        let ingest = ingest.with_sealer(vectors.sealer());
        let evidence = Evidence::new(lake.store.clone(), shared.seams.clone());
        let recorder = Recorder::new(evidence.clone(), record, shared.seams.clone());
        let texts = Texts::new(embed.clone(), vectors).with_recorder(recorder.clone());
        let query = Query::new(catalog.clone(), &query::Config::default(), seams).unwrap();
        let query = query.with_search(Arc::new(texts.clone()));
        let query = query.with_streams(Arc::new(StreamTables::new(evidence.clone())));
        let rosters = Rosters::new(query.clone(), ValidatorConfig::default().roster.parse().unwrap());
        let packs = Packs::new(rosters.clone(), ingest.clone(), evidence.clone(), shared.seams.clone());
        let validator = Validator::new(rosters, packs, shared.seams.clone()).with_recorder(recorder.clone());
        let model = Arc::new(iterating::Script::default());
        let iterate = Iterate::new(validator, texts.clone(), model, evidence.clone(), shared.seams.clone());
        let iterate = iterate.with_recorder(recorder.clone());
        let settings = ::storage::Config { object_limit: ByteSize(OBJECT_LIMIT), ..testkit::lake::config() };
        let objects = Objects::new(lake.store.clone(), &settings);
        let doors = BTreeMap::from([
            (Role::Storaged, api::storaged(objects, shared.clone())),
            (Role::Catalogd, api::catalogd(catalog, shared.clone())),
            (Role::Ingestd, api::ingestd(ingest, shared.clone())),
            (Role::Queryd, api::queryd(query, shared.clone())),
            (Role::Vectord, api::vectord(texts, shared.clone())),
            (Role::Embedd, api::embedd(embed, shared.clone())),
            (Role::Validatord, api::validatord(iterate, evidence, shared.clone())),
            (Role::Chatd, api::chatd(Chats::new(chats::chat(), recorder), shared.clone())),
        ]);
        Self { lake, shared, doors }
    }

    /// A gateway that calls every role in this process.
    pub fn gateway(&self) -> Router {
        let here = self.doors.iter().map(|(role, door)| (*role, Upstream::Here(door.clone())));
        api::gateway(here.collect(), self.shared.clone()).unwrap()
    }

    /// A gateway in front of roles with a port each, all on real sockets.
    pub fn split(&self) -> Split {
        let stop = Stop::default();
        let mut upstreams = BTreeMap::new();
        for (role, door) in &self.doors {
            let address = stop.serve_as(*role, door.clone(), self.shared.clone());
            upstreams.insert(*role, Upstream::parse(*role, &format!("http://{address}")).unwrap());
        }
        let gateway = api::gateway(upstreams, self.shared.clone()).unwrap();
        let address = stop.serve_as(Role::Gateway, gateway.clone(), self.shared.clone());
        Split { gateway, address, _stop: stop }
    }
}

/// Limits small enough to be reached.
pub fn limits() -> Limits {
    let allowed_hosts = vec!["lake.example".to_owned()];
    Limits {
        json_limit: ByteSize(64 << 10),
        batch_limit: ByteSize(1 << 20),
        drain: Span::secs(1),
        allowed_hosts,
        ..Limits::default()
    }
}

/// Models of which the default one answers on a port; the embedded one's files are not here.
async fn models(reranker_dir: Option<PathBuf>) -> Models {
    let provider = Provider::at(models::Kind::Openai, &words::serve().await);
    let providers = BTreeMap::from([("words".to_owned(), provider)]);
    let settings = models::Config { download: false, providers, reranker_dir, ..models::Config::default() };
    let nowhere = "http://127.0.0.1:1".to_owned();
    Models::new(&settings, Routing { default_model: words::MODEL.to_owned(), ollama_url: nowhere, upstream: None })
        .unwrap()
}

/// A gateway whose roles answer on sockets.
pub struct Split {
    pub gateway: Router,
    pub address: SocketAddr,
    _stop: Stop,
}

/// Ends the edges it serves when it is dropped.
#[derive(Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Serves a door on a free port.
    pub fn serve(&self, role: Role, door: Router) -> SocketAddr {
        self.serve_as(role, door, Shared::new(Seams::system(), limits()))
    }

    /// Serves a door on a free port, with limits and counters of its own.
    pub fn serve_as(&self, role: Role, door: Router, shared: Shared) -> SocketAddr {
        let edge = Edge::bind(role, "127.0.0.1:0", Exposure::default()).unwrap();
        let address = edge.local_addr();
        let stopped = self.0.clone().cancelled_owned();
        ::storage::task::spawn("test edge", edge.serve(door, shared, stopped));
        address
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let answer = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub fn request(method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

pub async fn get(router: &Router, path: &str) -> Answer {
    send(router, request(Method::GET, path, &[], Body::empty())).await
}

pub async fn put(router: &Router, key: &str, bytes: impl Into<Body>) -> Answer {
    send(router, request(Method::PUT, &format!("/v1/storage/objects/{key}"), &[], bytes)).await
}

pub async fn ingest(router: &Router, name: &str, csv: &str) -> Answer {
    let path = format!("/v1/ingest?name={name}");
    send(router, request(Method::POST, &path, &[("content-type", "text/csv")], csv.to_owned())).await
}

pub async fn post_json(router: &Router, path: &str, body: &str) -> Answer {
    send(router, request(Method::POST, path, &[("content-type", "application/json")], body.to_owned())).await
}

pub async fn sql(router: &Router, sql: &str) -> Answer {
    post_json(router, "/v1/sql", &serde_json::json!({ "sql": sql }).to_string()).await
}
