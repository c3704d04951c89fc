//! Searches in SQL: the same, as the query engine asks them.

use async_trait::async_trait;
use base::{AsOf, IndexName, Version};
use query::{Asked, FieldType, Near, Neighbour, SearchFault, SearchField, VectorSearch};
use vectors::Filter;

use crate::search::{Answer, Sought};
use crate::texts::Texts;

#[async_trait]
impl VectorSearch for Texts {
    async fn search(
        &self,
        index: &IndexName,
        asked: Asked,
        as_of: Option<Version>,
    ) -> Result<Vec<Neighbour>, SearchFault> {
        let as_of = as_of.map(AsOf::Version);
        let filter = asked.filter.as_deref().map(Filter::read).transpose()?;
        let near = vectors::Near { k: asked.k, filter, ..vectors::Near::default() };
        let sought = match asked.near {
            Near::Text(text) => Sought::Meaning(text, near),
            Near::Vector(vector) => Sought::Vector(vectors::Near { vector, ..near }),
            Near::Words(text) => Sought::Words(text, near),
            Near::Both(text) => Sought::Both(text, near),
        };
        Ok(match self.search(index, sought, false, as_of.as_ref()).await? {
            Answer::Near(found) => found.results.into_iter().map(neighbour).collect(),
            Answer::Ranked(ranking) => ranking.results.into_iter().map(ranked).collect(),
        })
    }

    async fn fields(&self, index: &IndexName, as_of: Option<Version>) -> Result<Vec<SearchField>, SearchFault> {
        let fields = self.vectors.fields(index, as_of.map(AsOf::Version).as_ref()).await?;
        Ok(fields.into_iter().map(|field| SearchField { name: field.name, ty: type_of(field.ty) }).collect())
    }
}

fn neighbour(hit: vectors::Hit) -> Neighbour {
    Neighbour { id: hit.id, distance: Some(hit.distance.into()), score: None, metadata: hit.metadata }
}

fn ranked(ranked: vectors::Ranked) -> Neighbour {
    let distance = ranked.distance.map(f64::from);
    Neighbour { id: ranked.id, distance, score: Some(ranked.score), metadata: ranked.metadata }
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
