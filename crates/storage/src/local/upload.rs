//! An upload in parts: one temporary file that grows and is published at the end.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::path::Path as Location;
use object_store::{MultipartUpload, PutMode, PutPayload, PutResult, Result, UploadPart};

use super::write::Temp;
use super::{Root, generic};
use crate::task;

#[derive(Debug)]
pub(super) struct Upload {
    root: Arc<Root>,
    temp: Arc<Temp>,
    location: Location,
    mode: PutMode,
    size: u64,
}

impl Upload {
    pub(super) fn begin(root: &Arc<Root>, location: Location, mode: PutMode) -> Result<Self> {
        let temp = Arc::new(Temp::create(root).map_err(generic)?);
        Ok(Self { root: Arc::clone(root), temp, location, mode, size: 0 })
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        let (temp, offset) = (Arc::clone(&self.temp), self.size);
        self.size += payload.content_length() as u64;
        Box::pin(async move {
            let written = task::blocking("write part", move || temp.write_at(&payload, offset)).await?;
            written.map_err(generic)
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (root, temp) = (Arc::clone(&self.root), Arc::clone(&self.temp));
        let (location, mode) = (self.location.clone(), self.mode.clone());
        task::blocking("finish upload", move || root.publish(&temp, &location, &mode)).await?
    }

    /// The temporary file vanishes with the last part that writes to it.
    async fn abort(&mut self) -> Result<()> {
        Ok(())
    }
}
