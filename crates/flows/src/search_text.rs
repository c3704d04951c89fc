//! A search by meaning: the text becomes a vector of the index's model, and its nearest items are found.

use base::{AsOf, IndexName};
use embed::Ask;
use models::Overflow;
use vectors::{Found, Near};

use crate::error::Result;
use crate::texts::Texts;

impl Texts {
    /// The items of an index nearest in meaning to `text`, now or as a version has them; `near` says how many, and what
    /// else holds of them.
    pub async fn search_text(
        &self,
        index: &IndexName,
        text: String,
        near: Near,
        as_of: Option<&AsOf>,
    ) -> Result<Found> {
        let near = self.near_text(index, text, near, as_of).await?;
        Ok(self.vectors.search(index, near, as_of).await?)
    }

    /// The same search, by the vector of the text.
    pub(crate) async fn near_text(
        &self,
        index: &IndexName,
        text: String,
        near: Near,
        as_of: Option<&AsOf>,
    ) -> Result<Near> {
        let model = Some(self.model_of(index, as_of).await?.name.clone());
        let ask = Ask { texts: vec![text], model, overflow: Overflow::Error };
        let embedded = self.embed.embed(ask).await?;
        let vector = embedded.vectors.first().map(|vector| vector.to_vec()).unwrap_or_default();
        Ok(Near { vector, fingerprint: Some(embedded.fingerprint), ..near })
    }
}
