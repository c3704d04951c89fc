//! Which roles run here, which of them listen, and where the others are.

use std::collections::BTreeMap;

use api::Role;
use url::Url;

use crate::assemble::Extent;
use crate::config::{Config, upstream};
use crate::exit::Usage;

/// The roles of one process.
#[derive(Debug)]
pub struct Plan {
    /// In the order in which they start: workers first, the gateway last.
    listening: Vec<Role>,
    /// For a process with a gateway: each worker, and its URL when it runs elsewhere.
    upstreams: BTreeMap<Role, Option<Url>>,
}

impl Plan {
    /// Without names: everything in one process behind the gateway's port. With names: those roles, each on its port.
    pub fn of(config: &Config, names: &[String]) -> Result<Self, Usage> {
        let mut named = names.iter().map(|name| role(name)).collect::<Result<Vec<_>, _>>()?;
        named.sort_by_key(|role| (*role == Role::Gateway, *role));
        named.dedup();
        let alone = named.is_empty();
        let listening = if alone { vec![Role::Gateway] } else { named };
        let mut upstreams = BTreeMap::new();
        if listening.contains(&Role::Gateway) {
            for worker in workers() {
                let runs_here = alone || listening.contains(&worker);
                upstreams.insert(worker, url_of(config, worker, runs_here)?);
            }
        }
        Ok(Self { listening, upstreams })
    }

    /// The roles with a port of their own, in the order in which they start.
    pub fn listening(&self) -> impl Iterator<Item = Role> {
        self.listening.iter().copied()
    }

    /// What the gateway of this process reaches; no URL means in this process.
    pub fn upstreams(&self) -> impl Iterator<Item = (Role, Option<&Url>)> {
        self.upstreams.iter().map(|(role, url)| (*role, url.as_ref()))
    }

    /// What has to be opened for the workers that run here; nothing for a gateway alone.
    pub fn extent(&self) -> Option<Extent> {
        let workers: Vec<Role> = self.here().filter(|role| *role != Role::Gateway).collect();
        let lake = workers.iter().any(|role| !matches!(role, Role::Embedd | Role::Chatd));
        let (embeds, chats) = (workers.contains(&Role::Embedd), workers.contains(&Role::Chatd));
        (!workers.is_empty()).then_some(Extent { lake, embeds, chats })
    }

    /// Whether some role here turns texts into vectors, or asks for it.
    pub fn uses_models(&self) -> bool {
        self.here().any(|role| matches!(role, Role::Embedd | Role::Vectord | Role::Queryd | Role::Validatord))
    }

    /// Whether vector indexes are filled here.
    pub fn keeps_indexes(&self) -> bool {
        self.here().any(|role| role == Role::Vectord)
    }

    /// The roles of this process, behind its gateway or on ports of their own.
    fn here(&self) -> impl Iterator<Item = Role> {
        let behind = self.upstreams.iter().filter(|(_, url)| url.is_none()).map(|(role, _)| *role);
        behind.chain(self.listening())
    }
}

/// A URL that is written wins; a worker that neither runs here nor is written is sought at its usual port.
fn url_of(config: &Config, worker: Role, runs_here: bool) -> Result<Option<Url>, Usage> {
    let usual = format!("http://127.0.0.1:{}", worker.default_port());
    let written = match config.upstreams.of(worker) {
        Some(written) => written,
        None if runs_here => return Ok(None),
        None => &usual,
    };
    let wrong = |reason| Usage(format!("upstreams.{worker}: {written:?} {reason}"));
    upstream(written).map(Some).map_err(wrong)
}

fn workers() -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().filter(|role| *role != Role::Gateway)
}

fn role(name: &str) -> Result<Role, Usage> {
    name.parse().map_err(|error: api::role::RoleError| Usage(format!("--roles: {error}")))
}
