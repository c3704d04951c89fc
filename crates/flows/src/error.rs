//! What can go wrong where workers meet, beside what goes wrong in one of them.

use base::{Facts, Fault, IndexName, Kind};
use serde_json::json;

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a flow did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The texts did not become vectors.
    #[error(transparent)]
    Embed(#[from] embed::Error),
    /// The index refused.
    #[error(transparent)]
    Vectors(#[from] vectors::Error),
    /// An item without a text.
    #[error("items[{position}]: the text is empty")]
    EmptyText {
        /// Its place in the batch, from 0.
        position: usize,
    },
    /// An index cannot be made with a model whose vectors it could not hold.
    #[error("the model {model:?} makes vectors of {expected} dimensions, not {given}")]
    ModelDimension {
        /// The model.
        model: String,
        /// The dimension of its vectors.
        expected: usize,
        /// The dimension asked for.
        given: u32,
    },
    /// Texts are given to an index that has no model, and the default model's vectors do not fit into it.
    #[error(
        "the index {index} takes no text: it has {dimension} dimensions and no model of its own, and the default model \
         {default:?} makes vectors of {expected}; create the index with \"model\", or use vectors"
    )]
    NoModel {
        /// The index.
        index: IndexName,
        /// Its dimension.
        dimension: u32,
        /// The default model.
        default: String,
        /// The dimension of its vectors.
        expected: usize,
    },
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Embed(inner) => inner.kind(),
            Self::Vectors(inner) => inner.kind(),
            Self::EmptyText { .. } | Self::ModelDimension { .. } | Self::NoModel { .. } => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Embed(inner) => inner.code(),
            Self::Vectors(inner) => inner.code(),
            Self::EmptyText { .. } => "flows.empty_text",
            Self::ModelDimension { .. } => "flows.model_dimension",
            Self::NoModel { .. } => "flows.no_model",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::Embed(inner) => inner.facts(),
            Self::Vectors(inner) => inner.facts(),
            Self::EmptyText { position } => Facts::from_iter([("position".to_owned(), json!(position))]),
            Self::ModelDimension { expected, .. } => Facts::from_iter([("dimension".to_owned(), json!(expected))]),
            Self::NoModel { .. } => Facts::new(),
        }
    }
}
