//! A socket that lets both sides finish: a client that has nothing more to send still gets its answer, and one whose
//! request the parser refuses is told so as everybody else is.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::exchange::Exchange;
use super::plain::Plain;
use crate::linger::Owed;

/// How long work goes on for a client that has closed its sending side before any of the answer is there. It may wait
/// for the answer, or have gone away, and only sending something would tell.
const GRACE: Duration = Duration::from_secs(5);

/// How long whoever reads the request may take for what has come of its body, once nothing more comes: until all is taken
/// nobody can tell whether a part is missing.
const UNREAD: Duration = Duration::from_secs(1);

/// A socket on which requests and answers take turns.
pub(super) struct Talk<S> {
    socket: S,
    exchange: Exchange,
    owed: Owed,
    plain: Plain,
    /// Whether the client has closed its sending side.
    ended: bool,
    grace: Option<Pin<Box<Sleep>>>,
    unread: Option<Pin<Box<Sleep>>>,
    /// Whoever waits to be told of that end.
    waiting: Option<Waker>,
    /// What is said in place of the parser, as far as it is not sent.
    refusal: Option<Bytes>,
}

impl<S> Talk<S> {
    pub(super) fn new(socket: S, exchange: Exchange, owed: Owed, plain: Plain) -> Self {
        let (grace, unread) = (None, None);
        Self { socket, exchange, owed, plain, ended: false, grace, unread, waiting: None, refusal: None }
    }

    /// Ready when the end of what the client sends may be told: a part of the request is missing, or nobody waits for an
    /// answer, or not for longer.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.exchange.is_quiet() {
            return Poll::Ready(Ok(()));
        }
        self.waiting = Some(cx.waker().clone());
        if self.owed.is_owed() {
            ready!(self.unread.get_or_insert_with(|| Box::pin(sleep(UNREAD))).as_mut().poll(cx));
            return Poll::Ready(Ok(()));
        }
        if self.exchange.is_asked() {
            ready!(self.grace.get_or_insert_with(|| Box::pin(sleep(GRACE))).as_mut().poll(cx));
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    /// Whether these bytes are the parser's own, which come when no request did: then they are replaced.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        if self.refusal.is_none() && self.exchange.is_quiet() {
            self.refusal = self.plain.in_place_of(bytes).map(Bytes::from);
        }
        self.refusal.is_some()
    }
}

impl<S: AsyncWrite + Unpin> Talk<S> {
    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(refusal) = self.refusal.as_mut().filter(|refusal| refusal.has_remaining()) {
            match ready!(Pin::new(&mut self.socket).poll_write(cx, refusal))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => refusal.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Talk<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.ended {
            let before = into.remaining();
            ready!(Pin::new(&mut self.socket).poll_read(cx, into))?;
            if before == 0 || into.remaining() < before {
                return Poll::Ready(Ok(()));
            }
            self.ended = true;
        }
        self.poll_end(cx)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Talk<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.replaces(pieces.first().map_or(&[], |piece| piece)) {
            return Poll::Ready(Ok(pieces.iter().map(|piece| piece.len()).sum()));
        }
        Pin::new(&mut self.socket).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusal(cx))?;
        ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
        if self.exchange.sent()
            && let Some(waiting) = self.waiting.take()
        {
            waiting.wake();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusal(cx))?;
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
