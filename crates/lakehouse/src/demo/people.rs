//! People for the demo: generated, the same on every machine, from the real occupations, wages and places.
//!
//! No real person is described. Names are drawn by lot and stand in no relation to any other column.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::sample::{Place, Wage, places, wages};

#[cfg(test)]
mod tests;

/// How many people the first month's file holds.
pub const PEOPLE: u32 = 20_000;
/// How many join in the second month.
const JOINERS: u32 = 640;

const HEADER: &str =
    "badge,name,email,occupation_code,occupation,city,state,shift,hourly_rate,years,status,available_from,note";

const GIVEN: [&str; 32] = [
    "Alex", "Ariel", "Avery", "Bailey", "Cameron", "Casey", "Charlie", "Dakota", "Devon", "Drew", "Eden", "Elliot",
    "Emerson", "Finley", "Harper", "Hayden", "Jamie", "Jordan", "Kai", "Kendall", "Lee", "Logan", "Morgan", "Parker",
    "Quinn", "Reese", "Riley", "Robin", "Rowan", "Sage", "Skyler", "Taylor",
];
const FAMILY: [&str; 40] = [
    "Adler", "Baker", "Barnes", "Bell", "Brook", "Carver", "Chandler", "Cole", "Cooper", "Dale", "Draper", "Field",
    "Fisher", "Fletcher", "Ford", "Foster", "Glover", "Harbor", "Hill", "Hunter", "Lake", "Lane", "Marsh", "Mason",
    "Meadow", "Miller", "Moss", "Parker", "Porter", "Potter", "Reed", "Ridge", "Rivers", "Sawyer", "Shepherd", "Stone",
    "Tanner", "Turner", "Weaver", "Wells",
];
const SHIFTS: [&str; 3] = ["first", "second", "third"];
const NOTES: [&str; 5] = [
    "",
    "Prefers weekends.",
    "Certified, renewal due in spring.",
    "Has own transport;\nwilling to travel 40 miles.",
    "Said \"call after four\", twice.",
];

/// Which month's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Month {
    October,
    November,
}

/// One generated person.
#[derive(Debug, Clone, PartialEq)]
struct Person {
    badge: u32,
    name: String,
    code: String,
    title: String,
    city: String,
    state: String,
    shift: &'static str,
    /// Cents an hour.
    rate: u64,
    years: u64,
    active: bool,
    available_day: u64,
    note: &'static str,
}

/// The month's roster as CSV. November's differs from October's as months do: some left, some came, some earn more,
/// some changed shift or are no longer available.
pub fn roster(month: Month) -> String {
    let market = Market::carried();
    let mut csv = format!("{HEADER}\n");
    for badge in 1..=PEOPLE {
        let person = market.person(badge);
        match month {
            Month::October => person.write(&mut csv),
            Month::November => person.a_month_later().into_iter().for_each(|later| later.write(&mut csv)),
        }
    }
    if month == Month::November {
        (PEOPLE + 1..=PEOPLE + JOINERS).for_each(|badge| market.person(badge).write(&mut csv));
    }
    csv
}

/// Where people work, and what is paid there.
struct Market {
    places: Vec<Place>,
    /// Running totals of population, for drawing a place by its size.
    crowd: Vec<u64>,
    /// Per state its occupations, and the running totals of their employment.
    jobs: BTreeMap<String, (Vec<Wage>, Vec<u64>)>,
}

impl Market {
    fn carried() -> Self {
        let mut paid: BTreeMap<String, Vec<Wage>> = BTreeMap::new();
        for wage in wages() {
            paid.entry(wage.state.clone()).or_default().push(wage);
        }
        let places: Vec<Place> = places().into_iter().filter(|place| paid.contains_key(&place.state)).collect();
        let crowd = running_totals(places.iter().map(|place| place.population));
        let counted = |wages: Vec<Wage>| {
            let heads = running_totals(wages.iter().map(|wage| wage.employment));
            (wages, heads)
        };
        Self { places, crowd, jobs: paid.into_iter().map(|(state, wages)| (state, counted(wages))).collect() }
    }

    fn person(&self, badge: u32) -> Person {
        let mut lot = Lot::of(badge);
        let place = &self.places[lot.weighted(&self.crowd)];
        let (wages, heads) = &self.jobs[&place.state];
        let wage = &wages[lot.weighted(heads)];
        let spread = (wage.high - wage.low).max(0.0) * 100.0;
        Person {
            badge,
            name: format!("{} {}", lot.one_of(&GIVEN), lot.one_of(&FAMILY)),
            code: wage.code.clone(),
            title: wage.title.clone(),
            city: place.name.clone(),
            state: place.state.clone(),
            shift: lot.one_of(&SHIFTS),
            rate: (wage.low * 100.0) as u64 + lot.below(spread as u64 + 1) / 25 * 25,
            years: lot.below(26),
            active: lot.below(100) < 88,
            available_day: lot.below(28) + 1,
            note: lot.one_of(&NOTES),
        }
    }
}

impl Person {
    /// The same person in the next month's file, unless they left.
    fn a_month_later(mut self) -> Option<Self> {
        let mut lot = Lot::of(self.badge ^ 0x5eed_0000);
        match lot.below(100) {
            0..3 => return None,
            3..9 => self.rate += 25 + lot.below(8) * 25,
            9..13 => self.shift = lot.one_of(&SHIFTS),
            13..16 => self.active = !self.active,
            _ => {}
        }
        Some(self)
    }

    fn write(&self, csv: &mut String) {
        let Self { badge, name, code, title, city, state, shift, years, note, .. } = self;
        let email = format!("{}.{badge}@people.example", name.replace(' ', ".").to_ascii_lowercase());
        let status = if self.active { "active" } else { "inactive" };
        let rate = format!("{}.{:02}", self.rate / 100, self.rate % 100);
        let day = self.available_day;
        // Writing to a String cannot fail.
        let _ = writeln!(
            csv,
            "{badge:06},{name},{email},{code},{},{},{state},{shift},{rate},{years},{status},2026-12-{day:02},{}",
            quoted(title),
            quoted(city),
            quoted(note),
        );
    }
}

/// A field as CSV wants it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn running_totals(weights: impl Iterator<Item = u64>) -> Vec<u64> {
    weights
        .scan(0, |total, weight| {
            *total += weight;
            Some(*total)
        })
        .collect()
}

/// Lots drawn from a number: the same number draws the same lots, everywhere (SplitMix64).
struct Lot(u64);

impl Lot {
    fn of(number: u32) -> Self {
        Self(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    fn below(&mut self, limit: u64) -> u64 {
        self.draw() % limit.max(1)
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.draw() as usize % choices.len()]
    }

    /// An index, drawn by weight from running totals.
    fn weighted(&mut self, totals: &[u64]) -> usize {
        let ticket = self.below(totals.last().copied().unwrap_or(1));
        totals.partition_point(|total| *total <= ticket)
    }
}
