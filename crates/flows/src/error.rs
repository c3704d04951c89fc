//! What can go wrong where workers meet, beside what goes wrong in one of them.

use ::validate::ValidationError;
use base::{DatasetName, Facts, Fault, IndexName, Kind};
use serde_json::json;

use crate::iterate::Attempt;

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
    /// The catalog refused.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// The query failed.
    #[error(transparent)]
    Query(#[from] query::Error),
    /// The table of workers cannot be a roster.
    #[error("the table {table} is no worker roster: it has no column {}", missing.join(" and no column "))]
    RosterColumns {
        /// The table.
        table: DatasetName,
        /// What it lacks.
        missing: Vec<String>,
    },
    /// The table of packs could not be written.
    #[error(transparent)]
    Ingest(#[from] ingest::Error),
    /// A pack cannot be used.
    #[error(transparent)]
    Validate(#[from] ::validate::Error),
    /// A stream could not be read or written.
    #[error(transparent)]
    Evidence(evidence::Error),
    /// Lines for a stream under the name of a table, which is what SQL would find.
    #[error("{table} is a table, so that SQL would not find a stream of this name")]
    NameOfTable {
        /// The table.
        table: DatasetName,
    },
    /// Lines were appended to a stream whose name a table took at the same moment.
    #[error("{table} became a table at this moment: the lines were appended, and SQL does not find the stream")]
    NameTaken {
        /// The table.
        table: DatasetName,
    },
    /// No pack has this name.
    #[error("there is no pack {name:?}")]
    NoPack {
        /// The name.
        name: String,
    },
    /// A pack in the lake does not read.
    #[error("the pack {name:?} in system.validator_packs does not read")]
    PackDamaged {
        /// The pack.
        name: String,
    },
    /// A statement of a pack does not run on the lake as it is now.
    #[error("the pack {pack:?} cannot judge, its check {check} fails: {source}")]
    PackFailed {
        /// The pack.
        pack: String,
        /// Which of its assertions, from 1.
        check: usize,
        /// What the statement met.
        source: query::Error,
    },
    /// The language model refused the conversation.
    #[error(transparent)]
    Models(#[from] models::Error),
    /// A session is asked that cannot be run.
    #[error("{field} is refused: {rule}")]
    Iteration {
        /// The member of the request.
        field: &'static str,
        /// What it may be.
        rule: &'static str,
    },
    /// What the caller knows has the wrong form.
    #[error("context is refused: {why}")]
    Context {
        /// What is wrong with it.
        why: ValidationError,
    },
    /// A session ran to its end, and could not be recorded.
    #[error("the session could not be recorded, so that its result does not count; try again")]
    Unlogged(#[source] evidence::Error),
    /// A call of a run was worked on, and could not be recorded.
    #[error("what happened could not be recorded, so that the answer does not count; try again")]
    Unrecorded(#[source] evidence::Error),
    /// A session ended early and is recorded: what its model said last could not be judged.
    #[error("{source}")]
    Unjudged {
        /// Why not.
        source: Box<Error>,
        /// Its attempts, the one that could not be judged among them.
        history: Vec<Attempt>,
        /// Its name.
        trace_id: String,
    },
    /// A task of this program died.
    #[error("this request met a fault of the program; the log has the details under its request id")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The table of workers is larger than a roster can be.
    #[error("the table {table} is too large for a roster: 4 GiB of ids and names, each up to 64 KiB")]
    RosterTooLarge {
        /// The table.
        table: DatasetName,
    },
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
            Self::Catalog(inner) => inner.kind(),
            Self::Query(inner) => inner.kind(),
            Self::RosterColumns { .. } | Self::RosterTooLarge { .. } | Self::PackFailed { .. } => Kind::Unavailable,
            Self::Ingest(inner) => inner.kind(),
            Self::Validate(inner) => inner.kind(),
            Self::Evidence(inner) => inner.kind(),
            Self::NameOfTable { .. } | Self::NameTaken { .. } => Kind::Conflict,
            Self::NoPack { .. } => Kind::NotFound,
            Self::PackDamaged { .. } => Kind::Damaged,
            Self::Models(inner) => inner.kind(),
            Self::Iteration { .. } | Self::Context { .. } => Kind::Invalid,
            Self::Unlogged(_) | Self::Unrecorded(_) => Kind::Unavailable,
            Self::Unjudged { source, .. } => source.kind(),
            Self::Broken(_) => Kind::Bug,
            Self::EmptyText { .. } | Self::ModelDimension { .. } | Self::NoModel { .. } => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Embed(inner) => inner.code(),
            Self::Vectors(inner) => inner.code(),
            Self::Catalog(inner) => inner.code(),
            Self::Query(inner) => inner.code(),
            Self::RosterColumns { .. } => "flows.roster_columns",
            Self::RosterTooLarge { .. } => "flows.roster_too_large",
            Self::Ingest(inner) => inner.code(),
            Self::Validate(inner) => inner.code(),
            Self::Evidence(inner) => inner.code(),
            Self::NameOfTable { .. } => "flows.name_of_table",
            Self::NameTaken { .. } => "flows.name_taken",
            Self::NoPack { .. } => "flows.no_pack",
            Self::PackDamaged { .. } => "flows.pack_damaged",
            Self::PackFailed { .. } => "flows.pack_failed",
            Self::Models(inner) => inner.code(),
            Self::Iteration { .. } => "flows.bad_iteration",
            Self::Context { .. } => "flows.bad_context",
            Self::Unlogged(_) => "flows.session_not_recorded",
            Self::Unrecorded(_) => "flows.not_recorded",
            Self::Unjudged { source, .. } => source.code(),
            Self::Broken(_) => "flows.broken",
            Self::EmptyText { .. } => "flows.empty_text",
            Self::ModelDimension { .. } => "flows.model_dimension",
            Self::NoModel { .. } => "flows.no_model",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::Embed(inner) => inner.facts(),
            Self::Vectors(inner) => inner.facts(),
            Self::Catalog(inner) => inner.facts(),
            Self::Query(inner) => inner.facts(),
            Self::RosterColumns { table, missing } => {
                Facts::from_iter([("table".to_owned(), json!(table)), ("missing".to_owned(), json!(missing))])
            }
            Self::PackFailed { pack, check, .. } => {
                Facts::from_iter([("pack".to_owned(), json!(pack)), ("check".to_owned(), json!(check))])
            }
            Self::RosterTooLarge { table } => Facts::from_iter([("table".to_owned(), json!(table))]),
            Self::EmptyText { position } => Facts::from_iter([("position".to_owned(), json!(position))]),
            Self::ModelDimension { expected, .. } => Facts::from_iter([("dimension".to_owned(), json!(expected))]),
            Self::Ingest(inner) => inner.facts(),
            Self::Models(inner) => inner.facts(),
            Self::Unjudged { source, history, trace_id } => {
                let mut facts = source.facts();
                facts.insert("iterations".to_owned(), json!(history.len()));
                facts.insert("history".to_owned(), json!(history));
                facts.insert("trace_id".to_owned(), json!(trace_id));
                facts
            }
            _ => Facts::new(),
        }
    }
}
