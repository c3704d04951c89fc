//! The doctor: whether everything a lake needs is as it must be, why that matters, and what mends it.
//!
//! It never mends anything, fetches nothing, and leaves nothing behind where it looked; what a check cannot look at it says
//! aloud. Reading order: [`finding`] (what a check says), [`subject`] (what is looked at), [`examine`] (the checks in their
//! order), then the checks: [`machine`] (toolchain, disk, fsync, clock), [`lake`] (the store, conditional puts, the roster, packs),
//! [`model`] (texts and Ollama), [`ports`]; and [`mend`] (commands that mend).

pub mod examine;
pub mod finding;
pub mod lake;
pub mod machine;
pub mod mend;
pub mod model;
pub mod ports;
pub mod subject;

pub use examine::{CHECKS, examine};
pub use finding::{Finding, Report, Status};
pub use subject::Subject;
