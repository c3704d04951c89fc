//! `vector_search` in SQL: the same searches, as the query engine asks them.

use async_trait::async_trait;
use base::IndexName;
use query::{FieldType, Near, Neighbour, SearchFault, SearchField, VectorSearch};

use crate::texts::Texts;

#[async_trait]
impl VectorSearch for Texts {
    async fn search(&self, index: &IndexName, near: Near, k: usize) -> Result<Vec<Neighbour>, SearchFault> {
        let found = match near {
            Near::Text(text) => self.search_text(index, text, k).await?,
            Near::Vector(vector) => self.vectors.search(index, vectors::Near { vector, k, fingerprint: None }).await?,
        };
        Ok(found.results.into_iter().map(neighbour).collect())
    }

    async fn fields(&self, index: &IndexName) -> Result<Vec<SearchField>, SearchFault> {
        let fields = self.vectors.fields(index).await?;
        Ok(fields.into_iter().map(|field| SearchField { name: field.name, ty: type_of(field.ty) }).collect())
    }
}

fn neighbour(hit: vectors::Hit) -> Neighbour {
    Neighbour { id: hit.id, distance: f64::from(hit.distance), metadata: hit.metadata }
}

fn type_of(ty: vectors::FieldType) -> FieldType {
    match ty {
        vectors::FieldType::Text => FieldType::Text,
        vectors::FieldType::Integer => FieldType::Integer,
        vectors::FieldType::Number => FieldType::Number,
        vectors::FieldType::Boolean => FieldType::Boolean,
        vectors::FieldType::Json => FieldType::Json,
    }
}
