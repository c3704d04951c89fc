//! A connection that closes politely.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a connection may go on sending a body that was refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the client still owes a part of the request's body.
#[derive(Clone, Default)]
pub(crate) struct Owed(Arc<AtomicBool>);

impl Owed {
    /// Notes whether `body` is read to its end.
    pub(crate) fn watch(&self, body: Incoming) -> Body {
        self.0.store(!hyper::body::Body::is_end_stream(&body), Ordering::Release);
        Body::new(Noted { body, owed: self.clone() })
    }

    fn paid(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether something of the body has not been read.
    pub(crate) fn is_owed(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

struct Noted {
    body: Incoming,
    owed: Owed,
}

impl hyper::body::Body for Noted {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.owed.paid();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket that, closing on a client which is still sending, first lets it finish for a while. Closed at once, the
/// socket would be reset, and the client would lose the very answer that tells it why its upload was refused.
pub(crate) struct Lingering<S> {
    socket: S,
    owed: Owed,
    patience: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + Unpin> Lingering<S> {
    pub(crate) fn new(socket: S, owed: Owed) -> Self {
        Self { socket, owed, patience: None }
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
        let mut scratch = [0; 16 << 10];
        while patience.as_mut().poll(cx).is_pending() {
            let mut rest = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.socket).poll_read(cx, &mut rest)) {
                Ok(()) if !rest.filled().is_empty() => {}
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.patience.is_none() {
            ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
        }
        if self.owed.is_owed() {
            ready!(self.poll_rest(cx));
        }
        Poll::Ready(Ok(()))
    }
}
