//! The sockets: bound before anything heavy, served until told to stop, drained.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::role::Role;
use crate::shared::Shared;

mod connections;
mod exchange;
mod exposure;
mod line;
mod plain;
mod talk;
mod wire;

use connections::Connections;
pub use exposure::Exposure;
use line::Line;
use plain::Plain;

/// How long accepting pauses when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound socket that does not answer yet.
#[derive(Debug)]
pub struct Edge {
    role: Role,
    listener: TcpListener,
    address: SocketAddr,
}

impl Edge {
    /// Binds at once, so that a busy port fails before any work is done. `bind` is an address and a port; port 0 takes
    /// a free one. Addresses outside loopback need `exposure`.
    pub fn bind(role: Role, bind: &str, exposure: Exposure) -> Result<Self, Error> {
        let wanted = parse_bind(role, bind)?;
        exposure.check(role, wanted)?;
        let failed = |cause| Error::Bind { role, bind: bind.to_owned(), cause };
        let listener = TcpListener::bind(wanted).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { role, listener, address })
    }

    /// The address that was bound, with its real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The role that answers here.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Answers requests until `stop` resolves; then takes no more, lets those under way finish for as long as the
    /// limits of `shared` say, and breaks off the rest. Needs a tokio runtime.
    pub async fn serve(self, router: Router, shared: Shared, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let Self { role, listener, address } = self;
        let failed = |cause| Error::Bind { role, bind: address.to_string(), cause };
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let (drained, broken_off) = (GracefulShutdown::new(), CancellationToken::new());
        let connections = Connections::at_most(shared.limits.connections);
        let plain = Plain { role, shared: shared.clone() };
        let accept = async {
            loop {
                let Some((socket, peer)) = accepted(&listener).await else { continue };
                let Some(ticket) = connections.admit(peer.ip()) else {
                    turn_away(&plain, &socket);
                    continue;
                };
                let line = Line {
                    router: router.clone(),
                    limits: Arc::clone(&shared.limits),
                    traffic: shared.metrics.traffic(role),
                    broken_off: broken_off.clone(),
                    plain: plain.clone(),
                };
                let answering = line.answer(socket, peer, drained.watcher());
                storage::task::spawn("connection", async move {
                    answering.await;
                    drop(ticket);
                });
            }
        };
        tokio::select! {
            () = stop => {}
            () = accept => {}
        }
        drop(listener);
        if tokio::time::timeout(shared.limits.drain.0, drained.shutdown()).await.is_err() {
            tracing::warn!(role = role.name(), "requests under way were broken off at the end of the drain time");
        }
        broken_off.cancel();
        Ok(())
    }
}

/// One connection; none when the system could not give it.
async fn accepted(listener: &tokio::net::TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(connection) => Some(connection),
        Err(why) => {
            tracing::warn!(%why, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Closes a connection for which there is no room, with a word if the client takes it at once.
fn turn_away(plain: &Plain, socket: &TcpStream) {
    plain.shared.metrics.turned_away(plain.role);
    let _ = socket.try_write(&plain.no_room());
}

fn parse_bind(role: Role, bind: &str) -> Result<SocketAddr, Error> {
    let numeric = match bind.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => bind.to_owned(),
    };
    numeric.parse().map_err(|_| Error::BindAddress { role, given: bind.to_owned() })
}
