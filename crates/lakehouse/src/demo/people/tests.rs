use std::collections::BTreeMap;

use super::*;

/// Records by badge; a quoted note may hold a line end, so lines that begin no record continue the last one.
fn by_badge(csv: &str) -> BTreeMap<String, String> {
    let mut records = BTreeMap::new();
    let mut badge = String::new();
    for line in csv.lines().skip(1) {
        let begins = line.len() > 6 && line.as_bytes()[6] == b',' && line.bytes().take(6).all(|b| b.is_ascii_digit());
        if begins {
            badge = line[..6].to_owned();
        }
        records.entry(badge.clone()).or_insert_with(String::new).push_str(line);
    }
    records
}

#[test]
fn the_same_people_are_made_every_time() {
    assert_eq!(roster(Month::October), roster(Month::October));
}

#[test]
fn months_differ_as_months_do() {
    let october = by_badge(&roster(Month::October));
    let november = by_badge(&roster(Month::November));
    assert_eq!(october.len(), PEOPLE as usize);
    let left = october.keys().filter(|badge| !november.contains_key(*badge)).count();
    let joined = november.keys().filter(|badge| !october.contains_key(*badge)).count();
    let changed = october.iter().filter(|(badge, row)| november.get(*badge).is_some_and(|later| later != *row)).count();
    assert!((400..800).contains(&left), "{left} left");
    assert_eq!(joined, JOINERS as usize);
    assert!((1_500..3_000).contains(&changed), "{changed} changed");
}

#[test]
fn nothing_protected_is_a_column() {
    for word in ["gender", "sex", "ethnic", "race", "age", "birth", "religion"] {
        assert!(HEADER.split(',').all(|column| column != word && !column.contains("birth")), "{word}");
    }
}
