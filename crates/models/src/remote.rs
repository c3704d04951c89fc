//! Models behind the embedding routes of another Lakehouse process.

use std::sync::Arc;

use async_trait::async_trait;

use crate::embedder::{Card, Embedder, Overflow};
use crate::error::{Error, Result};
use crate::http::Server;

/// One model of a server.
pub(crate) struct Remote {
    server: Arc<Server>,
    model: String,
}

impl Remote {
    /// The model that the server calls `model`.
    pub(crate) fn new(server: Arc<Server>, model: &str) -> Self {
        Self { server, model: model.to_owned() }
    }
}

#[async_trait]
impl Embedder for Remote {
    async fn card(&self) -> Result<Arc<Card>> {
        Err(Error::UnknownModel { model: format!("{}/{}", self.server.name(), self.model), near: Vec::new() })
    }

    async fn embed(&self, _texts: &[Arc<str>], _overflow: Overflow) -> Result<Vec<Vec<f32>>> {
        Err(Error::UnknownModel { model: format!("{}/{}", self.server.name(), self.model), near: Vec::new() })
    }
}
