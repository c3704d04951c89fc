//! Writing an object piece by piece with flat memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{PutMode, PutMultipartOptions, WriteMultipart};
use tokio::io::AsyncWrite;
use tokio::runtime::Handle;

use crate::error::{Error, Result};
use crate::store::{Entry, Store};
use crate::task;

/// How many parts may be on their way to the store at once.
const IN_FLIGHT: usize = 2;

/// An object being written. It becomes visible at [`Writer::finish`]; dropped before that, it leaves nothing.
pub struct Writer {
    state: State,
}

/// The upload is lent to the future that moves a part, and comes back with its outcome.
enum State {
    Idle(Box<Upload>),
    Moving(BoxFuture<'static, (Box<Upload>, Result<()>)>),
    Failed,
}

struct Upload {
    store: Store,
    path: String,
    location: Path,
    mode: PutMode,
    buffer: BytesMut,
    size: u64,
    parts: Option<WriteMultipart>,
}

impl Writer {
    pub(crate) fn new(store: Store, path: String, location: Path, mode: PutMode) -> Self {
        let upload = Upload { store, path, location, mode, buffer: BytesMut::new(), size: 0, parts: None };
        Self { state: State::Idle(Box::new(upload)) }
    }

    /// Adds bytes; waits while too many parts are on their way.
    pub async fn append(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            let mut upload = self.settled().await?;
            let taken = bytes.split_to(upload.room().min(bytes.len()));
            upload.take(&taken);
            self.state = State::begin(upload);
        }
        Ok(())
    }

    /// Makes the object visible, synced as the store's durability demands.
    pub async fn finish(mut self) -> Result<Entry> {
        self.settled().await?.finish().await
    }

    /// The upload, once no part holds it. A failure ends the writer.
    async fn settled(&mut self) -> Result<Box<Upload>> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Idle(upload) => Ok(upload),
            State::Moving(moving) => {
                let (upload, moved) = moving.await;
                moved.map(|()| upload)
            }
            State::Failed => Err(Error::Io { what: "go on after a failed write", source: "writer".into() }),
        }
    }

    fn poll_settled(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.state {
            State::Idle(_) => Poll::Ready(Ok(())),
            State::Failed => Poll::Ready(Err(io::Error::other("an earlier write failed"))),
            State::Moving(moving) => {
                let (upload, moved) = ready!(moving.poll_unpin(context));
                self.state = if moved.is_ok() { State::Idle(upload) } else { State::Failed };
                Poll::Ready(moved.map_err(io::Error::other))
            }
        }
    }
}

impl State {
    /// Sets a part in motion when the buffer holds one.
    fn begin(mut upload: Box<Upload>) -> Self {
        if upload.room() > 0 {
            return Self::Idle(upload);
        }
        Self::Moving(Box::pin(async move {
            let moved = upload.move_part().await;
            (upload, moved)
        }))
    }
}

impl Upload {
    /// How many bytes the buffer takes before it holds a part.
    fn room(&self) -> usize {
        self.store.nature().part.saturating_sub(self.buffer.len())
    }

    fn take(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        self.size += bytes.len() as u64;
    }

    async fn move_part(&mut self) -> Result<()> {
        let part = self.buffer.split().freeze();
        let mut parts = match self.parts.take() {
            Some(parts) => parts,
            None => begin(self.store.clone(), &self.path, &self.location, self.mode.clone()).await?,
        };
        let ready = parts.wait_for_capacity(IN_FLIGHT).await;
        parts.put(part);
        self.parts = Some(parts);
        ready.map_err(|error| self.store.fault(&self.path, error))
    }

    async fn finish(mut self: Box<Self>) -> Result<Entry> {
        let rest = self.buffer.split().freeze();
        let Some(mut parts) = self.parts.take() else {
            return self.store.write(&self.path, rest, self.mode.clone()).await;
        };
        if !rest.is_empty() {
            parts.put(rest);
        }
        let finished = parts.finish().await;
        let result = finished.map_err(|error| self.store.write_fault(&self.path, &self.mode, error))?;
        Ok(self.store.written(&self.path, self.size, result.e_tag))
    }
}

/// Begins an upload in parts; the store finds the condition for its end among the extensions.
async fn begin(store: Store, path: &str, location: &Path, mode: PutMode) -> Result<WriteMultipart> {
    let mut options = PutMultipartOptions::default();
    options.extensions.insert(mode);
    let begun = store.backend().put_multipart_opts(location, options).await;
    let upload = begun.map_err(|error| store.fault(path, error))?;
    Ok(WriteMultipart::new_with_chunk_size(upload, store.nature().part))
}

impl Drop for Upload {
    /// Parts of an abandoned upload would lie in the store unseen, so they are given up in the background.
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take()
            && Handle::try_current().is_ok()
        {
            let path = self.path.clone();
            task::spawn("abort upload", async move {
                if let Err(error) = parts.abort().await {
                    tracing::warn!(path, %error, "an abandoned upload could not be given up");
                }
            });
        }
    }
}

impl AsyncWrite for Writer {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_settled(context))?;
        let State::Idle(mut upload) = std::mem::replace(&mut self.state, State::Failed) else {
            return Poll::Ready(Err(io::Error::other("an earlier write failed")));
        };
        let taken = upload.room().min(bytes.len());
        upload.take(&bytes[..taken]);
        self.state = State::begin(upload);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_settled(context)
    }

    /// Waits for the parts on their way; only `finish` makes the object visible.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_settled(context)
    }
}
