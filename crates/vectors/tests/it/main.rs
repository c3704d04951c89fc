//! Vector indexes seen from outside, on real lakes.

#![expect(clippy::unwrap_used, reason = "a helper that fails has failed its test")]

mod coding;
mod concurrent;
mod extremes;
mod filtering;
mod formats;
mod items;
mod keeping;
mod lake;
mod lifecycle;
mod lost;
mod merging;
mod models;
mod nearest;
mod processes;
mod refusals;
mod sealing;
mod wording;
