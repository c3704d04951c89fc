//! Searches in SQL: the same, as the query engine asks them.

use async_trait::async_trait;
use base::{AsOf, IndexName, Version};
use query::{FieldType, IndexSearch, IndexSearches, Neighbour, SearchFault, SearchField};
use vectors::{Effort, Filter, Hit};

use crate::search::{Given, Search, Sought};
use crate::texts::Texts;

#[async_trait]
impl IndexSearches for Texts {
    async fn search(
        &self,
        index: &IndexName,
        IndexSearch { sought, k, filter }: IndexSearch,
        as_of: Option<Version>,
    ) -> Result<Vec<Neighbour>, SearchFault> {
        let as_of = as_of.map(AsOf::Version);
        let filter = filter.as_deref().map(Filter::read).transpose()?;
        let sought = match sought {
            query::Sought::Meaning(text) => Sought::Meaning(text),
            query::Sought::Vector(vector) => Sought::Vector(Given { vector, fingerprint: None }),
            query::Sought::Words(text) => Sought::Words(text),
            query::Sought::Both(text) => Sought::Both(text, None),
        };
        let (index, effort) = (index.clone(), Effort::default());
        let search = Search { index, sought, k, filter, effort, rerank: false, as_of };
        // A statement is no step of a run.
        let found = self.search(search, None).await?;
        Ok(found.results.into_iter().map(neighbour).collect())
    }

    async fn fields(&self, index: &IndexName, as_of: Option<Version>) -> Result<Vec<SearchField>, SearchFault> {
        let fields = self.vectors.fields(index, as_of.map(AsOf::Version).as_ref()).await?;
        Ok(fields.into_iter().map(|field| SearchField { name: field.name, ty: type_of(field.ty) }).collect())
    }
}

fn neighbour(hit: Hit) -> Neighbour {
    Neighbour { id: hit.id, distance: hit.distance.map(f64::from), score: hit.score, metadata: hit.metadata }
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
