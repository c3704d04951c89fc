//! What the models promise, seen from outside.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on has failed, in its helpers too")]

mod chats;
mod faults;
mod files;
mod minilm;
mod ollama;
mod providers;
mod remote;
mod reranking;
mod servers;
mod smollm;
mod support;
mod talking;
