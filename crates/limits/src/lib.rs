//! Limits: what the query engine computes with, held to the range of numbers, to memory and to time.
//!
//! It never plans or runs a query itself and knows neither tables nor statements: it is given plans, and hands on plans
//! that keep to the limits. Reading order: [`error`]; what a function may answer: [`overflow`] (which expressions are
//! replaced, and by what), [`sum`], `bounded` and [`windows`] (memory), `effort` (time); what aggregates may hold:
//! [`foresight`]; how a query learns that nobody waits for it any more: [`pace`], [`watched`] (while it is planned) and
//! [`yielding`] (while joins run).

mod bounded;
mod effort;
pub mod error;
pub mod foresight;
pub mod overflow;
pub mod pace;
pub mod sum;
pub mod watched;
pub mod windows;
pub mod yielding;

pub use error::{Error, Result};
pub use foresight::Foresight;
pub use overflow::CheckedExpressions;
pub use pace::Pace;
pub use sum::checked_sum;
pub use windows::BATCH_ROWS;
pub use yielding::YieldingJoins;
