//! A rotation at random that costs little: afterwards every dimension carries about as much as any other, whatever the
//! vectors were, so that one sign a dimension says much about each vector.

use crate::kernel::Kernel;

/// Each round mixes as many dimensions as the largest power of two that fits, from the front and from the back in turn.
const ROUNDS: usize = 4;

/// A rotation, decided by its seed.
#[derive(Debug)]
pub(crate) struct Rotation {
    width: usize,
    /// How many dimensions a round mixes.
    span: usize,
    /// For each round, the numbers that its dimensions are multiplied with: the signs, and what keeps lengths.
    signs: [Vec<f32>; ROUNDS],
    kernel: Kernel,
}

impl Rotation {
    /// Of vectors of `width` dimensions, at least one.
    pub fn new(width: usize, seed: u64, kernel: Kernel) -> Self {
        let span = 1 << width.ilog2();
        let length = 1.0 / (span as f32).sqrt();
        let mut dice = Dice(seed);
        let signs =
            std::array::from_fn(|_| (0..span).map(|_| if dice.roll() >> 63 == 0 { length } else { -length }).collect());
        Self { width, span, signs, kernel }
    }

    /// Rotates a vector in place.
    pub fn turn(&self, vector: &mut [f32], space: &mut Vec<f32>) {
        space.resize(self.span, 0.0);
        for (round, signs) in self.signs.iter().enumerate() {
            let first = if round % 2 == 0 { 0 } else { self.width - self.span };
            let part = &mut vector[first..first + self.span];
            part.iter_mut().zip(signs).for_each(|(value, sign)| *value *= sign);
            self.mix(part, space);
        }
    }

    /// The sums of all numbers with all patterns of signs that are orthogonal to each other.
    fn mix(&self, part: &mut [f32], space: &mut [f32]) {
        let rounds = self.span.ilog2();
        for _ in 0..rounds / 2 {
            self.kernel.butterfly(part, space);
            self.kernel.butterfly(space, part);
        }
        if rounds % 2 == 1 {
            self.kernel.butterfly(part, space);
            part.copy_from_slice(space);
        }
    }
}

/// Numbers that look random and follow from a seed (the generator splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub u64);

impl Dice {
    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// `count` of the numbers below `all`, each at most once, ascending.
    pub fn choose(&mut self, count: usize, all: usize) -> Vec<usize> {
        let mut left = count.min(all);
        let mut chosen = Vec::with_capacity(left);
        for number in 0..all {
            if left > 0 && self.roll() % ((all - number) as u64) < left as u64 {
                chosen.push(number);
                left -= 1;
            }
        }
        chosen
    }
}
