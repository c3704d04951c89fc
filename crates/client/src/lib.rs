//! The same verbs as a typed client, over the network or straight into an in-process service.
//!
//! It never decides anything about the lake: it asks a gateway and hands back typed answers or the gateway's own
//! [`Problem`]. Nothing is buffered whole; uploads and result streams flow in pieces. Reading order: [`body`] (bytes on
//! the way), [`error`], [`transport`] (network or in process), [`client`] (the one raw door), then the verbs by role:
//! [`storage`], [`catalog`], [`versions`], [`upkeep`], [`ingest`], [`sql`], [`embed`], [`vectors`], [`chat`], [`validate`].

pub mod body;
pub mod catalog;
pub mod chat;
pub mod client;
pub mod embed;
pub mod error;
pub mod ingest;
pub mod sql;
pub mod storage;
pub mod transport;
pub mod upkeep;
pub mod validate;
pub mod vectors;
pub mod versions;

pub use body::Body;
pub use catalog::{
    Classified, Column, Listing, Manifest, ManifestObject, Register, RegisterObject, Registered, Schema, SnapshotPage,
    Versions,
};
pub use chat::{ChatAnswer, ChatMessage, ChatProvider, ChatProviders, ChatRequest, ChatUsage};
pub use client::{Client, Health};
pub use embed::{Embed, EmbedModels, EmbedStats, Embedded};
pub use error::{Error, Problem, Result};
pub use ingest::{Ingested, Load, RejectedRow, Source};
pub use sql::{Ask, Format, ResultColumn, Rows, Streamed};
pub use storage::{Download, Object, ObjectPage, Stored};
pub use upkeep::{Compact, Compacted, CompactedDataset, Expire, Expired, Stray, Sweep, Swept};
pub use validate::{
    Iterate, Iterated, Iteration, NotIterated, PackAssertion, PackKept, PackTried, Retrieve, StreamAppended,
    StreamLines, TryPack, Validate, Validated, ValidationError, ValidationFinding, ValidationReport, ValidatorPack,
    ValidatorPacks,
};
pub use vectors::{
    Added, Found, Hit, Index, IndexSealed, Indexes, MergeInto, Merged, NewIndex, Ranks, Recall, Removed, Search,
    StoredItem, Survey, TextBatch, TextItem, Unwanted, VectorBatch, VectorItem,
};
pub use versions::{
    ColumnChange, Dropped, LakeDiff, NamedChange, PutTag, RollBack, RolledBack, SchemaChange, TableChange, TagChange,
    TagLine, Tags,
};
