//! `vector_search` in SQL: the same searches, as the query engine asks them.

use async_trait::async_trait;
use base::{AsOf, IndexName, Version};
use query::{FieldType, Near, Neighbour, SearchFault, SearchField, VectorSearch};

use crate::texts::Texts;

#[async_trait]
impl VectorSearch for Texts {
    async fn search(
        &self,
        index: &IndexName,
        near: Near,
        k: usize,
        as_of: Option<Version>,
    ) -> Result<Vec<Neighbour>, SearchFault> {
        let (as_of, wanted) = (as_of.map(AsOf::Version), vectors::Near { k, ..vectors::Near::default() });
        let found = match near {
            Near::Text(text) => self.search_text(index, text, wanted, as_of.as_ref()).await?,
            Near::Vector(vector) => {
                self.vectors.search(index, vectors::Near { vector, ..wanted }, as_of.as_ref()).await?
            }
        };
        Ok(found.results.into_iter().map(neighbour).collect())
    }

    async fn fields(&self, index: &IndexName, as_of: Option<Version>) -> Result<Vec<SearchField>, SearchFault> {
        let fields = self.vectors.fields(index, as_of.map(AsOf::Version).as_ref()).await?;
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
