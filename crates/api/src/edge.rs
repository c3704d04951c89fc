//! The sockets: bound before anything heavy, served until told to stop, drained.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::error::Error;
use crate::host::Arrived;
use crate::linger::{Lingering, Owed};
use crate::role::Role;

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
    /// a free one. Addresses outside loopback are refused.
    pub fn bind(role: Role, bind: &str) -> Result<Self, Error> {
        let wanted = parse_bind(role, bind)?;
        if !wanted.ip().is_loopback() {
            return Err(Error::NonLoopback { role, bind: bind.to_owned() });
        }
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

    /// Answers requests until `stop` resolves; then takes no more, lets those under way finish for at most `drain`,
    /// and breaks off the rest. Needs a tokio runtime.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()>, drain: Duration) -> Result<(), Error> {
        let Self { role, listener, address } = self;
        let failed = |cause| Error::Bind { role, bind: address.to_string(), cause };
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let (drained, broken_off) = (GracefulShutdown::new(), CancellationToken::new());
        let accept = async {
            loop {
                let Some(socket) = accepted(&listener).await else { continue };
                let line = Line { router: router.clone(), port: address.port(), broken_off: broken_off.clone() };
                storage::task::spawn("connection", line.answer(socket, drained.watcher()));
            }
        };
        tokio::select! {
            () = stop => {}
            () = accept => {}
        }
        drop(listener);
        if tokio::time::timeout(drain, drained.shutdown()).await.is_err() {
            tracing::warn!(role = role.name(), "requests under way were broken off at the end of the drain time");
        }
        broken_off.cancel();
        Ok(())
    }
}

/// One connection; none when the system could not give it.
async fn accepted(listener: &tokio::net::TcpListener) -> Option<TcpStream> {
    match listener.accept().await {
        Ok((socket, _)) => Some(socket),
        Err(why) => {
            tracing::warn!(%why, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// What one connection needs.
struct Line {
    router: Router,
    port: u16,
    broken_off: CancellationToken,
}

impl Line {
    async fn answer(self, socket: TcpStream, watcher: Watcher) {
        let Self { router, port, broken_off } = self;
        let owed = Owed::default();
        let _ = socket.set_nodelay(true);
        let io = TokioIo::new(Lingering::new(socket, owed.clone()));
        let service = service_fn(move |request| enter(router.clone(), request, port, owed.clone()));
        let mut http = http1::Builder::new();
        let connection = http.timer(TokioTimer::new()).serve_connection(io, service);
        let ended = broken_off.run_until_cancelled(watcher.watch(connection)).await;
        if let Some(Err(why)) = ended {
            tracing::debug!(%why, "a connection broke");
        }
    }
}

async fn enter(
    router: Router,
    request: http::Request<Incoming>,
    port: u16,
    owed: Owed,
) -> Result<Response, Infallible> {
    let mut request = request.map(|body| owed.watch(body));
    request.extensions_mut().insert(Arrived { port });
    router.oneshot(request).await
}

fn parse_bind(role: Role, bind: &str) -> Result<SocketAddr, Error> {
    let numeric = match bind.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => bind.to_owned(),
    };
    numeric.parse().map_err(|_| Error::BindAddress { role, given: bind.to_owned() })
}
