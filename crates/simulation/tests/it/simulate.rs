//! Every seed is a life of a lake; each must end well, and the same way every time.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use simulation::deed::Deed;
use simulation::run;

/// Every so many seeds, one is run twice.
const TWICE: u64 = 50;

/// A number from the environment.
#[expect(clippy::disallowed_methods, reason = "the soak runner says how long through the environment")]
fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs one seed; how many calls of the store it made, and which deeds stand.
fn check(seed: u64) -> (usize, BTreeMap<&'static str, usize>) {
    let outcome = catch_unwind(|| run(seed));
    assert!(outcome.is_ok(), "LAKEHOUSE_SOAK_SEED={seed}: it panicked");
    let outcome = outcome.unwrap();
    let (faults, trace) = (&outcome.faults, outcome.trace.join("\n"));
    assert!(faults.is_empty(), "LAKEHOUSE_SOAK_SEED={seed}: {faults:#?} after\n{trace}");
    if seed.is_multiple_of(TWICE) {
        let again = run(seed);
        let differs = again.trace.iter().zip(&outcome.trace).find(|(again, before)| again != before);
        assert_eq!(again.digest(), outcome.digest(), "LAKEHOUSE_SOAK_SEED={seed}: another trace: {differs:?}");
    }
    (outcome.trace.len(), outcome.stands)
}

/// What many seeds came to.
#[derive(Default)]
struct Tally {
    calls: usize,
    stands: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn add(&mut self, (calls, stands): (usize, BTreeMap<&'static str, usize>)) {
        self.calls += calls;
        for (kind, times) in stands {
            *self.stands.entry(kind).or_default() += times;
        }
    }
}

#[test]
fn three_writers_make_one_history_whatever_the_store_does() {
    let (first, seeds) = (number("LAKEHOUSE_SOAK_SEED", 1), number("LAKEHOUSE_SOAK_SEEDS", 2_000));
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (next, tally) = (AtomicU64::new(first), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + seeds {
                        return;
                    }
                    let checked = check(seed);
                    tally.lock().unwrap().add(checked);
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    println!("{seeds} seeds from {first}: {} calls of the store; stands: {:?}", tally.calls, tally.stands);
    // Few seeds, as whoever repeats one asks for, need not hold every kind of deed.
    assert!(seeds < 1_000 || tally.stands.len() == Deed::KINDS, "some deeds never stand: {:?}", tally.stands);
}

/// Files that were written for a table which lost its name meanwhile became another one's; records that expired while
/// a rollback was reading them were called damaged.
#[test]
fn seeds_that_once_found_something_end_well() {
    for seed in [10_342, 21_334, 103_920, 106_709] {
        check(seed);
    }
}
