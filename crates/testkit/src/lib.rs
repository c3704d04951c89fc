//! Parts for tests: clocks that tests set, seeded dice, lakes in temporary directories.
//!
//! It is never part of the product. Reading order: [`seam`], [`lake`].

pub mod lake;
pub mod seam;

pub use lake::TestLake;
pub use seam::{FixedClock, SeededDice, SteppingClock, fixed_seams, seams};
