//! Text to vectors: batches, the cache with one computation per text, the deadline and the fingerprint of every vector.
//!
//! It never calls a model itself, never keeps a text and never touches the lake.
