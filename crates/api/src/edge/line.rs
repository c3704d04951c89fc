//! One connection, from its opening to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::HeaderValue;
use http::header::{AUTHORIZATION, CONNECTION};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::exchange::Exchange;
use super::plain::Plain;
use super::talk::Talk;
use super::wire::Wire;
use crate::host::Arrived;
use crate::limits::Limits;
use crate::linger::{Lingering, Owed};
use crate::metrics::Traffic;

/// Most bytes of a request's head: its line and its headers. More is answered 431.
const MAX_HEAD: usize = 64 << 10;
/// Most headers of a request. More is answered 431.
const MAX_HEADERS: usize = 100;
/// What a connection gathers before it writes, or reads ahead; a client that does not read its answer holds that much.
const MAX_BUFFER: usize = 128 << 10;

/// What one connection needs.
pub(super) struct Line {
    pub(super) router: Router,
    pub(super) limits: Arc<Limits>,
    pub(super) traffic: Traffic,
    pub(super) broken_off: CancellationToken,
    pub(super) plain: Plain,
}

impl Line {
    /// Answers the requests of one client until either side has enough.
    pub(super) async fn answer(self, socket: TcpStream, peer: SocketAddr, watcher: Watcher) {
        let Self { router, limits, traffic, broken_off, plain } = self;
        let Ok(own) = socket.local_addr() else { return };
        let (arrived, owed, exchange) = (Arrived { own, peer }, Owed::default(), Exchange::default());
        let _ = socket.set_nodelay(true);
        let wire = Wire::new(socket, traffic, limits.send_timeout.0);
        let polite = Lingering::new(wire, owed.clone());
        let io = TokioIo::new(Talk::new(polite, exchange.clone(), owed.clone(), plain));
        let service = service_fn(move |request| {
            exchange.ask();
            let (answer, exchange) = (enter(router.clone(), request, arrived, owed.clone()), exchange.clone());
            async move { answer.await.map(|answer| exchange.answer(answer)) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout.0);
        http.max_headers(MAX_HEADERS).max_header_size(MAX_HEAD).max_buf_size(MAX_BUFFER);
        let connection = http.serve_connection(io, service);
        let ended = broken_off.run_until_cancelled(watcher.watch(connection)).await;
        if let Some(Err(why)) = ended {
            tracing::debug!(%why, "a connection broke");
        }
    }
}

/// An answer that leaves a part of the request unread is the last one of its connection, and says so.
async fn enter(
    router: Router,
    request: http::Request<Incoming>,
    arrived: Arrived,
    owed: Owed,
) -> Result<Response, Infallible> {
    let mut request = request.map(|body| owed.watch(body));
    if let Some(token) = request.headers_mut().get_mut(AUTHORIZATION) {
        token.set_sensitive(true);
    }
    request.extensions_mut().insert(arrived);
    let mut answer = router.oneshot(request).await?;
    if owed.is_owed() {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer)
}
