//! Time and chance that tests decide.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use base::{Clock, Dice, Seams, Timestamp};

/// A clock that stands still until it is set.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.micros()))
    }

    /// Sets the clock.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A clock that goes on by a fixed step each time it is asked.
#[derive(Debug)]
pub struct SteppingClock {
    next: AtomicI64,
    step: i64,
}

impl SteppingClock {
    /// A clock that first shows `start` and goes on by `step` microseconds.
    pub fn new(start: Timestamp, step: i64) -> Self {
        Self { next: AtomicI64::new(start.micros()), step }
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.next.fetch_add(self.step, Ordering::SeqCst))
    }
}

/// Dice that roll the same sequence for the same seed.
#[derive(Debug)]
pub struct SeededDice(AtomicU64);

impl SeededDice {
    /// Dice with this seed.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// One step of SplitMix64.
    fn word(&self) -> u64 {
        let state = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst).wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Dice for SeededDice {
    fn roll(&self) -> [u8; 16] {
        let mut rolled = [0; 16];
        rolled[..8].copy_from_slice(&self.word().to_be_bytes());
        rolled[8..].copy_from_slice(&self.word().to_be_bytes());
        rolled
    }
}

/// The moment at which the clocks of [`seams`] and [`fixed_seams`] begin: 2026-01-02T03:04:05Z.
pub const START: Timestamp = Timestamp::from_micros(1_767_323_045_000_000);

/// Seeded dice and a clock that goes on by a millisecond each time it is asked.
pub fn seams(seed: u64) -> Seams {
    Seams::new(Arc::new(SteppingClock::new(START, 1000)), Arc::new(SeededDice::new(seed)))
}

/// Seeded dice and a clock that stands still.
pub fn fixed_seams(seed: u64) -> Seams {
    Seams::new(Arc::new(FixedClock::at(START)), Arc::new(SeededDice::new(seed)))
}
