//! Outsiders: what other engines ask of a table by Iceberg's REST protocol, and what the table comes to by it.
//!
//! It never commits, never knows which tables there are, and never believes what a request says of its own files.
//! Reading order: [`asked`] (a request's body) with `flaw` (what is wrong with one that does not read), `rules` (what a
//! table has to be, whoever changes it), [`creation`] (new tables), [`changes`] (what they require, and the metadata
//! that they lead to), [`inspect`] (what a new snapshot really is), [`loaded`] (what is answered), [`error`].

pub mod asked;
pub mod changes;
pub mod creation;
pub mod error;
mod flaw;
pub mod inspect;
pub mod loaded;
mod rules;

pub use asked::Asked;
pub use changes::{Ground, Identifier, TableChanges, Transaction};
pub use creation::{Adoption, NewTable};
pub use error::{Error, Result};
pub use inspect::{Found, Inspector};
pub use loaded::LoadedTable;
