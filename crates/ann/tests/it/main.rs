//! What codes promise, from outside.

mod blob;
mod recall;
mod sample;
mod space;
