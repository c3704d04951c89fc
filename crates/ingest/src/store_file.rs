//! A file of the lake as a blocking writer sees it.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use storage::{Result, Store, Writer};
use tokio::runtime::Handle;

/// Bytes that are gathered before they are handed to the store.
const BUFFER: usize = 1 << 20;

/// A file that is written from threads which may block. It is begun with its first bytes and visible once finished;
/// dropped before that, it leaves nothing.
pub struct StoreFile {
    store: Store,
    path: String,
    runtime: Handle,
    buffer: BytesMut,
    writer: Option<Writer>,
}

impl StoreFile {
    /// A file at a path relative to the lake's root.
    pub fn new(store: Store, path: String, runtime: Handle) -> Self {
        Self { store, path, runtime, buffer: BytesMut::new(), writer: None }
    }

    /// Makes the file visible; answers its path and its size in bytes. Nothing may be written to it afterwards.
    pub fn finish(&mut self) -> Result<(String, u64)> {
        self.hand_over()?;
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.runtime.block_on(self.store.writer(&self.path))?,
        };
        let entry = self.runtime.block_on(writer.finish())?;
        Ok((std::mem::take(&mut self.path), entry.size))
    }

    fn hand_over(&mut self) -> Result<()> {
        let bytes: Bytes = self.buffer.split().freeze();
        if bytes.is_empty() {
            return Ok(());
        }
        self.runtime.block_on(async {
            let writer = match &mut self.writer {
                Some(writer) => writer,
                none => none.insert(self.store.writer(&self.path).await?),
            };
            writer.append(bytes).await
        })
    }
}

impl Write for StoreFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER {
            self.hand_over().map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    /// Does nothing: what is not finished is not visible anyway.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
