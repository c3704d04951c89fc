//! Parts for tests: clocks that tests set, seeded dice, lakes in temporary directories, a real S3 server.
//!
//! It is never part of the product. Reading order: [`seam`], [`lake`], [`s3`], [`skip`].

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

pub mod lake;
pub mod s3;
pub mod seam;
pub mod skip;

pub use lake::TestLake;
pub use s3::S3Server;
pub use seam::{FixedClock, SeededDice, SteppingClock, fixed_seams, seams};
pub use skip::skip;
