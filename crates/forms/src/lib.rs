//! Forms: what a text is held to while it is being said, byte by byte: some JSON, or JSON of a schema.
//!
//! It never chooses what is said and knows neither words nor models: it says which bytes can come next, and whether what
//! came is whole. Reading order: [`form`] (all ways in which a text can be read) with `text` and `number`, `schema` (a JSON
//! Schema becomes a form), [`error`].

pub mod error;
pub mod form;
mod number;
mod schema;
mod text;

pub use error::{Error, Result};
pub use form::{Form, Read};
