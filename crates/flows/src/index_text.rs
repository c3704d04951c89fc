//! Texts into an index: they become vectors of the index's model, and are added as one batch.

use base::IndexName;
use embed::Ask;
use models::Overflow;
use serde_json::{Map, Value};
use vectors::{Added, Item};

use crate::error::{Error, Result};
use crate::texts::Texts;

/// A text under an id.
#[derive(Debug, Clone)]
pub struct TextItem {
    /// The id; an item of the same id is replaced.
    pub id: String,
    /// The text.
    pub text: String,
    /// What is known of it. Absent keeps what the replaced item had, an empty map clears it.
    pub metadata: Option<Map<String, Value>>,
    /// Whether the index keeps the text beside its vector, so that searches by words find it.
    pub keep_text: bool,
}

impl TextItem {
    fn with(self, vector: Vec<f32>) -> Item {
        let text = self.keep_text.then(|| self.text.into());
        Item { id: self.id, vector, metadata: self.metadata, text }
    }
}

impl Texts {
    /// Adds texts to an index, all of them or none.
    pub async fn index_text(&self, index: &IndexName, items: Vec<TextItem>, overflow: Overflow) -> Result<Added> {
        let model = self.model_of(index, None).await?;
        if let Some(position) = items.iter().position(|item| item.text.is_empty()) {
            return Err(Error::EmptyText { position });
        }
        if items.is_empty() {
            return Ok(self.vectors.add(index, Vec::new(), None).await?);
        }
        let texts = items.iter().map(|item| item.text.clone()).collect();
        let embedded = self.embed.embed(Ask { texts, model: Some(model.name.clone()), overflow }).await?;
        let items = items.into_iter().zip(embedded.vectors).map(|(item, vector)| item.with(vector.to_vec())).collect();
        Ok(self.vectors.add(index, items, Some(embedded.fingerprint)).await?)
    }
}
