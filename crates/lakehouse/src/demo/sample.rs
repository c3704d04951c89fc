//! The data that the binary carries: real wages, occupations and places. Sources: `testdata/demo/SOURCES.md`.

use std::collections::BTreeSet;

/// Employment and wages of staffed occupations per state (US Bureau of Labor Statistics, May 2025, public domain).
pub const WAGES: &str = include_str!("../../../../testdata/demo/wages.csv");
/// Occupations and their groups (Standard Occupational Classification, public domain).
pub const OCCUPATIONS: &str = include_str!("../../../../testdata/demo/occupations.csv");
/// Places of the US with over 15,000 people (GeoNames, CC BY 4.0).
pub const PLACES: &str = include_str!("../../../../testdata/demo/places.csv");

/// Sentences of our own that say what people can do.
pub const SKILLS: &str = include_str!("../../../../testdata/demo/skills.csv");

/// A place where people can work.
pub struct Place {
    pub name: String,
    pub state: String,
    pub population: u64,
}

/// What an occupation pays in a state, in dollars an hour.
pub struct Wage {
    pub state: String,
    pub code: String,
    pub title: String,
    pub employment: u64,
    pub low: f64,
    pub high: f64,
}

/// The carried places, in the file's order.
pub fn places() -> Vec<Place> {
    let place = |row: Vec<String>| match row.as_slice() {
        [_, name, state, _, _, population, ..] => {
            Some(Place { name: name.clone(), state: state.clone(), population: population.parse().ok()? })
        }
        _ => None,
    };
    rows(PLACES).filter_map(place).collect()
}

/// The carried wages that state both employment and the middle half's hourly range, in the file's order.
pub fn wages() -> Vec<Wage> {
    let wage = |row: Vec<String>| match row.as_slice() {
        [state, _, code, title, employment, _, _, low, _, high, ..] => Some(Wage {
            state: state.clone(),
            code: code.clone(),
            title: title.clone(),
            employment: employment.parse().ok()?,
            low: low.parse().ok()?,
            high: high.parse().ok()?,
        }),
        _ => None,
    };
    rows(WAGES).filter_map(wage).collect()
}

/// The codes of the occupations that are paid somewhere.
pub fn staffed() -> BTreeSet<String> {
    rows(WAGES).filter_map(|row| row.into_iter().nth(2)).collect()
}

/// The rows of a file without its header. Its fields may be quoted and never hold a line end.
pub fn rows(file: &str) -> impl Iterator<Item = Vec<String>> {
    file.lines().skip(1).map(fields)
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().into_iter().for_each(|field| field.push(other)),
        }
    }
    fields
}
