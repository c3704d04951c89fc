//! `Texts`: what the flows between texts and vectors share.

use std::sync::Arc;

use base::{AsOf, IndexName};
use embed::Embed;
use models::Card;
use vectors::Vectors;

use crate::error::{Error, Result};
use crate::record::Recorder;

/// Texts in vector indexes. Cheap to clone.
#[derive(Clone)]
pub struct Texts {
    pub(crate) embed: Embed,
    pub(crate) vectors: Vectors,
    pub(crate) recorder: Recorder,
}

impl Texts {
    /// The meeting of a source of vectors and the indexes that hold them.
    pub fn new(embed: Embed, vectors: Vectors) -> Self {
        Self { embed, vectors, recorder: Recorder::none() }
    }

    /// The same, writing down searches that belong to a run.
    #[must_use]
    pub fn with_recorder(self, recorder: Recorder) -> Self {
        Self { recorder, ..self }
    }

    /// The indexes.
    pub fn vectors(&self) -> &Vectors {
        &self.vectors
    }

    /// The model that makes the vectors of an index: its own, or else the default one, if that fits.
    pub(crate) async fn model_of(&self, index: &IndexName, as_of: Option<&AsOf>) -> Result<Arc<Card>> {
        let state = self.vectors.model_of(index, as_of).await?;
        let name = state.model.as_ref().map(|model| model.name.as_str());
        let card = self.embed.card_of(name, state.fingerprint.as_deref()).await?;
        if name.is_some() || usize::try_from(state.dimension).is_ok_and(|dimension| dimension == card.dimension) {
            return Ok(card);
        }
        let (default, expected) = (card.name.clone(), card.dimension);
        Err(Error::NoModel { index: index.clone(), dimension: state.dimension, default, expected })
    }
}
