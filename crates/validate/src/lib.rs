//! Validators: what a model proposes is judged against rules and the roster, before it counts.
//!
//! It never does I/O, never calls a model and never reads a clock: the roster is loaded by others, a check is a pure
//! function. Reading order: [`artifact`] (what is judged), [`invalid`] and [`report`] (what a judgement says),
//! [`roster`] (who exists) with [`register`] (the table that says so), `fields` (how members are read), [`judge`] with `fill`, `email` (and its `disclosure` and
//! `addressed`) and `playbook`, [`extract`] (the proposal inside a model's answer),
//! [`pack`] with `schema` (checks as data), [`error`].

mod addressed;
pub mod artifact;
mod disclosure;
mod email;
pub mod error;
pub mod extract;
mod fields;
mod fill;
pub mod invalid;
pub mod judge;
pub mod pack;
mod playbook;
pub mod register;
pub mod report;
pub mod roster;
mod schema;

pub use artifact::{Artifact, CONTEXT, Kind};
pub use error::{Error, Result};
pub use extract::extract_json;
pub use invalid::ValidationError;
pub use judge::{eligible, is_grounded, judge};
pub use pack::{Assertion, Offence, Pack};
pub use report::{Finding, Report, Severity};
pub use roster::{Roster, RosterBuilder, Row, Standing, Worker};
