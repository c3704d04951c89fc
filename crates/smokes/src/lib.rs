//! Smokes: each proves one main path on isolated stacks of the binary that it is given.
//!
//! It never looks inside: it starts the binary, asks over HTTP and asserts, and it ends only what it started. Reading
//! order: [`proofs`] (what there is to prove), [`stack`] (a lake and its processes), [`probe`] and [`held`] (requests
//! and answers as bytes), then a module for each proof, named as it is.

mod proofs;

pub mod held;
pub mod probe;
pub mod stack;

mod chatd;
mod d1;
mod d2;
mod d3;
mod d4;
mod d5;
mod d6;
mod g1;
mod g1p;
mod g2;
mod iceberg;
mod points;
mod split;
mod time_travel;
mod validatord;

pub use proofs::{Proof, proofs};
