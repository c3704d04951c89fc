//! Whole lives of a lake in a time of their own: three writers, a store that fails, and a judge, all from one seed.
//!
//! It is never part of the product: tests run it, and nothing imports it. Reading order: [`timeline`] (time that passes
//! when nobody can go on), [`chance`], [`weather`] (what befalls each call of the store), [`process`] (a writer that is
//! killed, suspended and started again), [`rows`], [`engine`], [`deed`] and [`writer`] (what writers do), [`ledger`]
//! (what they were told), [`model`] (what a lake should hold), [`judge`] (what must hold afterwards), [`run`].

#![expect(clippy::expect_used, clippy::panic, reason = "a simulation that finds a fault ends as a failed test does")]

pub mod chance;
pub mod deed;
pub mod engine;
pub mod judge;
pub mod ledger;
pub mod model;
pub mod process;
pub mod rows;
pub mod run;
pub mod timeline;
pub mod weather;
pub mod writer;

pub use run::{Outcome, run};
