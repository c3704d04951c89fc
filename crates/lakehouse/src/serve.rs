//! A running stack: sockets first, then the lake, then the doors; ended in reverse.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use api::{Edge, Role, Shared, Upstream};
use axum::Router;
use axum::response::{IntoResponse, Response};
use client::Client;
use http::{Request, StatusCode};
use models::Models;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::assemble::{Assembly, shared};
use crate::config::{Config, url_of};
use crate::open_files;
use crate::output::Output;

mod plan;
mod signals;

pub use plan::Plan;

/// How long a role of this process may take to answer its first health check.
const HEALTH_BUDGET: Duration = Duration::from_secs(30);

/// How often memory that was freed is given back.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(5);

/// Files that a process has open beside its connections.
const OTHER_FILES: usize = 512;
/// The longest refusal of a message of agents, in bytes.
const LONGEST_REFUSAL: usize = 64 << 10;
/// Fewest connections that are worth a start.
const LEAST_ROOM: usize = 64;

/// One role that answers on a port of its own.
struct Door {
    role: Role,
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<Result<(), api::Error>>,
}

/// Everything that runs; the last started is the first to end.
pub struct Running {
    doors: Vec<Door>,
    assembly: Option<Assembly>,
    /// Seals indexes by itself, where they are filled.
    keeper: Option<JoinHandle<()>>,
    /// Gives memory back, where indexes are filled.
    giver: Option<JoinHandle<()>>,
}

/// Binds every socket, opens the rooms that the workers need, and opens the doors.
pub async fn start(config: &Config, plan: Plan) -> anyhow::Result<Running> {
    let edges = bind(config, &plan)?;
    let shared = shared(config, room(open_files::raise())?)?;
    let assembly = match plan.extent() {
        Some(extent) => Some(Assembly::open(config, extent, shared.clone()).await?),
        None => None,
    };
    let mut running = Running { doors: Vec::new(), assembly, keeper: None, giver: None };
    for edge in edges {
        let router = running.router(edge.role(), &shared, &plan)?;
        running.open(edge, router, &shared);
    }
    running.answer().await?;
    if plan.uses_models() {
        running.prepare();
    }
    if plan.keeps_indexes() {
        running.keep();
        running.rest();
    }
    Ok(running)
}

/// How many connections fit beside the other files that a process opens.
fn room(files: usize) -> anyhow::Result<usize> {
    let room = files.saturating_sub(OTHER_FILES);
    ensure!(
        room >= LEAST_ROOM,
        "this process may open {files} files, too few for the lake and its connections; allow it {} with `ulimit -n`",
        2 * OTHER_FILES
    );
    Ok(room)
}

/// A busy port, or one that this process may not take, ends the start before anything heavy.
fn bind(config: &Config, plan: &Plan) -> anyhow::Result<Vec<Edge>> {
    let edge = |role| Ok(Edge::bind(role, &config.bind(role).to_string(), config.exposure(role))?);
    plan.listening().map(edge).collect()
}

/// Whether the start failed because another process has the port.
pub fn is_taken(error: &anyhow::Error) -> bool {
    let in_use = |cause: &io::Error| cause.kind() == io::ErrorKind::AddrInUse;
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(in_use))
}

/// Gives memory back now and then.
async fn give_back() {
    let mut ticks = tokio::time::interval(GIVE_BACK_EVERY);
    while storage::task::blocking("give memory back", allocator::give_back).await.is_ok() {
        ticks.tick().await;
    }
}

impl Running {
    fn router(&self, role: Role, shared: &Shared, plan: &Plan) -> anyhow::Result<Router> {
        if role != Role::Gateway {
            let door = self.assembly.as_ref().and_then(|assembly| assembly.door(role));
            return door.with_context(|| format!("{role} has no door"));
        }
        let agents = agents(api::gateway(self.upstreams(plan), shared.clone())?);
        Ok(api::gateway_beside(self.upstreams(plan), agents, shared.clone())?)
    }

    /// Where the gateway of this process reaches each worker.
    fn upstreams(&self, plan: &Plan) -> BTreeMap<Role, Upstream> {
        let mut upstreams = BTreeMap::new();
        for (worker, url) in plan.upstreams() {
            let here = self.assembly.as_ref().and_then(|assembly| assembly.door(worker));
            let upstream = match (url, here) {
                (Some(url), _) => Upstream::There(url.clone()),
                (None, Some(door)) => Upstream::Here(door),
                (None, None) => continue,
            };
            upstreams.insert(worker, upstream);
        }
        upstreams
    }

    /// Fetches the model in the background when it is not here yet; nothing waits for it.
    fn prepare(&self) {
        if let Some(assembly) = &self.assembly {
            assembly.prepare();
        }
    }

    /// Seals what has grown large or old in the background.
    fn keep(&mut self) {
        let vectors = self.assembly.as_ref().and_then(Assembly::vectors);
        self.keeper = vectors.map(|vectors| storage::task::spawn("keep indexes", vectors.keeper().run()));
    }

    /// Gives memory back in the background: what a load or an index took is not needed by the next search.
    fn rest(&mut self) {
        self.giver = Some(storage::task::spawn("give memory back", give_back()));
    }

    fn open(&mut self, edge: Edge, router: Router, shared: &Shared) {
        let stop = CancellationToken::new();
        let (role, address) = (edge.role(), edge.local_addr());
        let task =
            storage::task::spawn(role.name(), edge.serve(router, shared.clone(), stop.clone().cancelled_owned()));
        self.doors.push(Door { role, address, stop, task });
    }

    /// Waits until each door answers.
    async fn answer(&self) -> anyhow::Result<()> {
        for door in &self.doors {
            let client = Client::remote(&door.url())?;
            let health = tokio::time::timeout(HEALTH_BUDGET, client.health()).await;
            let health = health.with_context(|| format!("{} does not answer", door.role))??;
            ensure!(health.service == door.role.name(), "{} answers as {}", door.role, health.service);
        }
        Ok(())
    }

    /// The models of this process.
    pub fn models(&self) -> Option<&Models> {
        self.assembly.as_ref().map(Assembly::models)
    }

    /// The URL of the gateway, or of the first role when there is none.
    pub fn gateway(&self) -> anyhow::Result<String> {
        let gateway = self.doors.iter().find(|door| door.role == Role::Gateway);
        gateway.or(self.doors.first()).map(Door::url).context("nothing listens")
    }

    /// Says that everything answers: the ready file first, then one line on standard output.
    pub async fn announce(&self, ready_file: Option<&Path>, output: Output) -> anyhow::Result<()> {
        let gateway = self.doors.iter().find(|door| door.role == Role::Gateway).map(Door::url);
        let workers = self.doors.iter().filter(|door| door.role != Role::Gateway);
        let roles: BTreeMap<&str, String> = workers.map(|door| (door.role.name(), door.url())).collect();
        let document = json!({ "gateway": gateway, "roles": roles, "pid": std::process::id() });
        if let Some(file) = ready_file {
            write_by_rename(file, &document.to_string()).await.context("cannot write the ready file")?;
        }
        if let Some(gateway) = &gateway {
            tracing::info!(
                uri = format!("{gateway}/iceberg"),
                "other engines find the tables by Iceberg's REST protocol"
            );
        }
        if output.json { output.document(&document) } else { Ok(output.line(self.gateway()?)?) }
    }

    /// Runs until the process is told to stop, then ends in order; a second signal ends at once.
    pub async fn until_stopped(self) -> anyhow::Result<()> {
        signals::told_to_stop().await?;
        tracing::info!("stopping: requests under way may finish");
        let _watch = storage::task::spawn("second signal", signals::exit_on_next());
        self.stop().await;
        Ok(())
    }

    /// Closes the doors, the last opened first, then the lake.
    pub async fn stop(self) {
        for door in self.doors.into_iter().rev() {
            door.stop.cancel();
            match door.task.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(role = door.role.name(), %error, "the role ended badly"),
                Err(_) => tracing::error!(role = door.role.name(), "the role ended badly"),
            }
        }
        // A seal under way is cut off: what it has not committed are strays.
        self.keeper.iter().chain(&self.giver).for_each(JoinHandle::abort);
        if let Some(assembly) = self.assembly {
            assembly.close().await;
        }
    }
}

/// The route of agents, whose tools ask `gateway`.
fn agents(gateway: Router) -> Router {
    let asked = tower::service_fn(move |request: Request<client::Body>| {
        gateway.clone().oneshot(request.map(axum::body::Body::new))
    });
    let service = mcp::over_http(Client::local(asked));
    Router::new().route_service("/mcp", service).layer(axum::middleware::map_response(in_json_rpc))
}

/// What agents send that is no message is refused in the words of their protocol.
async fn in_json_rpc(response: Response) -> Response {
    if response.status() != StatusCode::UNSUPPORTED_MEDIA_TYPE {
        return response;
    }
    let (head, body) = response.into_parts();
    let said = axum::body::to_bytes(body, LONGEST_REFUSAL).await.unwrap_or_default();
    match mcp::refused(&said) {
        Some(refusal) => (StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response(),
        None => Response::from_parts(head, said.into()),
    }
}

impl Door {
    fn url(&self) -> String {
        url_of(self.address)
    }
}

/// Readers of the file see all of it or none.
async fn write_by_rename(file: &Path, text: &str) -> io::Result<()> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    tokio::fs::write(&unfinished, text).await?;
    tokio::fs::rename(&unfinished, file).await
}
