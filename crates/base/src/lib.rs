//! The words every other room speaks: names, versions, ids, units, kinds of error, and the clock and dice seams.
//!
//! It never does I/O, never runs async code and knows no other crate of the house. Reading order:
//! [`fault`] (how errors are told apart), [`name`] and [`version`] (what requests point at), [`id`], [`seam`]
//! (where time and chance enter), [`unit`] (sizes and durations as people write them), [`distance`].

pub mod distance;
pub mod fault;
pub mod id;
pub mod name;
pub mod seam;
pub mod unit;
pub mod version;

pub use distance::{Distance, DistanceError};
pub use fault::{Facts, Fault, Kind};
pub use id::{CommitId, QueryId, RequestId};
pub use name::{DatasetName, IndexName, IndexNameError, NameError};
pub use seam::{Clock, Dice, Seams, Timestamp, Wait};
pub use unit::{ByteSize, Span};
pub use version::{AsOf, AsOfError, Tag, Version};
