//! Reading objects from a directory.

use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path as Location;
use object_store::{Attributes, GetOptions, GetResult, GetResultPayload, Result};
use tokio::sync::Semaphore;

use super::{Root, generic, meta, told};
use crate::task;

/// A read of at most this many bytes is done at once, in the call that opens the file; a longer one in such pieces.
/// Whoever stops reading holds one of them, so thousands who do must not fill the memory.
const PIECE: u64 = 128 << 10;
/// How many pieces are read at once. Others wait outside the threads for blocking work, where a queue of them would keep
/// short reads waiting behind it.
pub(super) const PIECES_AT_ONCE: usize = 4;

impl Root {
    pub(super) fn get(&self, location: &Location, options: &GetOptions) -> Result<GetResult> {
        let (file, metadata) = self.open_object(location)?;
        let meta = meta(location, &metadata);
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            Some(range) => range.as_range(meta.size).map_err(generic)?,
            None => 0..meta.size,
        };
        let stream = match options.head {
            true => stream::empty().boxed(),
            false if range.end - range.start <= PIECE => whole(&file, range.clone())?,
            false => self.pieces(file, range.clone()),
        };
        Ok(GetResult { payload: GetResultPayload::Stream(stream), meta, range, attributes: Attributes::new() })
    }

    pub(super) fn get_ranges(&self, location: &Location, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let (file, metadata) = self.open_object(location)?;
        let read = |range: &Range<u64>| {
            let end = range.end.min(metadata.len());
            read_exact(&file, range.start.min(end)..end).map_err(generic)
        };
        ranges.iter().map(read).collect()
    }

    /// Reads a piece when the one before is consumed.
    fn pieces(&self, file: File, range: Range<u64>) -> BoxStream<'static, Result<Bytes>> {
        let (file, turns) = (Arc::new(file), Arc::clone(&self.piece_turns));
        let starts = stream::iter(range.clone().step_by(PIECE as usize));
        let read = move |start: u64| {
            let (file, end) = (Arc::clone(&file), range.end.min(start + PIECE));
            read_in_turn(Arc::clone(&turns), file, start..end)
        };
        starts.then(read).boxed()
    }

    /// Opens an object's file. What is no file, or lies below one, is no object.
    pub(super) fn open_object(&self, location: &Location) -> Result<(File, Metadata)> {
        let opened = File::open(self.place(location)).and_then(|file| {
            let metadata = file.metadata()?;
            if metadata.is_file() { Ok((file, metadata)) } else { Err(io::ErrorKind::NotFound.into()) }
        });
        opened.map_err(|error| match error.kind() {
            io::ErrorKind::NotADirectory => told(location, io::ErrorKind::NotFound.into()),
            io::ErrorKind::InvalidFilename => told(location, io::ErrorKind::NotFound.into()),
            _ => told(location, error),
        })
    }
}

fn whole(file: &File, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes>>> {
    let bytes = read_exact(file, range).map_err(generic)?;
    Ok(stream::once(async move { Ok(bytes) }).boxed())
}

async fn read_in_turn(turns: Arc<Semaphore>, file: Arc<File>, range: Range<u64>) -> Result<Bytes> {
    let turn = turns.acquire_owned().await.map_err(generic)?;
    let read = move || {
        // A read goes on when nobody waits for it any more, and so holds its turn itself.
        let _turn = turn;
        read_exact(&file, range).map_err(generic)
    };
    task::blocking("read", read).await?
}

fn read_exact(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut buffer = vec![0; length];
    file.read_exact_at(&mut buffer, range.start)?;
    Ok(buffer.into())
}
