//! The store seen from outside: one contract on every backend, and what only some backends can get wrong.

mod broken;
mod contract;
mod directory;
mod objects;
mod spool;
mod store;
