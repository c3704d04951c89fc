//! Making an index: the model that it names says which vectors it will hold.

use base::{Distance, IndexName};
use vectors::{Description, IndexModel};

use crate::error::{Error, Result};
use crate::texts::Texts;

/// An index to be made.
#[derive(Debug, Clone)]
pub struct NewIndex {
    /// Its name.
    pub name: IndexName,
    /// Length of its vectors.
    pub dimension: u32,
    /// Its measure of distance.
    pub distance: Distance,
    /// Links of each item in a graph.
    pub m: u32,
    /// How many candidates a search of a graph keeps.
    pub ef_search: Option<u32>,
    /// The model that makes vectors of its texts.
    pub model: Option<String>,
    /// Who makes it, for the log.
    pub author: String,
}

impl Texts {
    /// Makes an index. Its model must be known, and make vectors of its dimension.
    pub async fn create_index(&self, new: NewIndex) -> Result<Description> {
        let model = match &new.model {
            Some(model) => Some(self.fitting_model(model, new.dimension).await?),
            None => None,
        };
        let NewIndex { name, dimension, distance, m, ef_search, author, .. } = new;
        let new = vectors::NewIndex { name, dimension, distance, m, ef_search, model, author };
        Ok(self.vectors.create(new).await?)
    }

    async fn fitting_model(&self, model: &str, dimension: u32) -> Result<IndexModel> {
        let card = self.embed.card(Some(model)).await?;
        if usize::try_from(dimension).is_ok_and(|dimension| dimension == card.dimension) {
            return Ok(IndexModel { name: card.name.clone(), fingerprint: card.fingerprint.clone() });
        }
        Err(Error::ModelDimension { model: card.name.clone(), expected: card.dimension, given: dimension })
    }
}
