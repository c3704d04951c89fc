//! Chance that a seed decides.

use std::time::Duration;

use base::Dice;
use testkit::SeededDice;

/// A stream of choices. The same seed makes the same ones.
#[derive(Debug)]
pub struct Chance(SeededDice);

impl Chance {
    /// The choices of a seed; `stream` tells apart those that must not disturb each other.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(SeededDice::new(seed.wrapping_mul(0x2545_F491_4F6C_DD1D).wrapping_add(stream.wrapping_mul(0x9E37_79B9))))
    }

    /// A number below `end`.
    pub fn below(&self, end: u64) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0.roll();
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) % end.max(1)
    }

    /// Whether this is one of the `permille` in a thousand.
    pub fn permille(&self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// One of these.
    pub fn one_of<T: Copy>(&self, choices: &[T]) -> T {
        let at = usize::try_from(self.below(choices.len() as u64)).unwrap_or(0);
        choices[at]
    }

    /// A span between two, in milliseconds.
    pub fn millis(&self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.below(most - least + 1))
    }
}
