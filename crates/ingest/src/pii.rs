//! Notices columns that hold personal data, by their names and by some of their values. Nothing is dropped: a noticed
//! column is noted as such, and its values stay out of statistics.
//!
//! The rule: a name that says it is enough ([`Strength::Says`]). A name that only hints needs values that agree, and a
//! column whose name says nothing needs at least two different values of one form. Values agree when at least six in ten
//! of those looked at have the form, so that one stray value decides nothing.

use std::collections::HashSet;

use catalog::{ColumnType, Pii};

mod forms;
mod given_names;
mod hints;

#[cfg(test)]
mod tests;

use hints::Strength;

/// Values of a column that are looked at.
pub const SAMPLE: usize = 1000;
/// Longer values are texts, not personal data.
const LONGEST: usize = 200;
/// Different values of a form that a column must hold when its name says nothing.
const LEAST: usize = 2;

/// What some of the values of a column look like.
pub struct Sample {
    hint: Option<(Pii, Strength)>,
    values: usize,
    /// Values of each form, and the different ones among the first of them.
    forms: [(usize, HashSet<u64>); forms::FORMS.len()],
    /// Values shaped like the name of one person, and those with a given name that many people bear.
    names: (usize, usize),
}

impl Sample {
    /// A sample of the column of this name, without values yet.
    pub fn of(column: &str) -> Self {
        Self { hint: hints::hint(column), values: 0, forms: Default::default(), names: (0, 0) }
    }

    /// Whether there is room for more values.
    pub fn wants_more(&self) -> bool {
        self.values < SAMPLE
    }

    /// Looks at one value; empty ones say nothing.
    pub fn see(&mut self, value: &str) {
        let value = value.trim();
        if value.is_empty() || !self.wants_more() {
            return;
        }
        self.values += 1;
        if value.len() > LONGEST {
            return;
        }
        for ((_, matches), (count, different)) in forms::FORMS.iter().zip(&mut self.forms) {
            if matches(value) {
                *count += 1;
                if different.len() < LEAST {
                    different.insert(fold(value));
                }
            }
        }
        if let Some(words) = forms::person(value) {
            let bears = words.clone().any(given_names::is_known);
            let alone = words.count() == 1 && !self.is_hinted(Pii::Name);
            self.names.0 += usize::from(!alone);
            self.names.1 += usize::from(!alone && bears);
        }
    }

    /// What the column holds, when its values are of this type.
    pub fn decide(&self, ty: &ColumnType) -> Option<Pii> {
        if let Some((kind, Strength::Says)) = self.hint.filter(|(kind, _)| can_hold(ty, *kind)) {
            return Some(kind);
        }
        if *ty != ColumnType::String {
            return None;
        }
        let counted = forms::FORMS.iter().zip(&self.forms);
        let mut agreed = counted.filter(|((kind, _), (count, different))| {
            self.agree(*count) && (different.len() >= LEAST || self.is_hinted(*kind))
        });
        agreed.next().map(|((kind, _), _)| *kind).or_else(|| self.holds_names().then_some(Pii::Name))
    }

    /// Names are told from other capitalised words by the given names that many people bear.
    fn holds_names(&self) -> bool {
        let (shaped, known) = self.names;
        let enough = self.is_hinted(Pii::Name) || shaped >= LEAST;
        enough && self.agree(shaped) && known * 10 >= self.values * 3
    }

    fn is_hinted(&self, kind: Pii) -> bool {
        self.hint.is_some_and(|(hinted, _)| hinted == kind)
    }

    fn agree(&self, count: usize) -> bool {
        count > 0 && count * 10 >= self.values * 6
    }
}

/// Whether a column of this type can hold such data: a truth value holds none, and a number is no name.
fn can_hold(ty: &ColumnType, kind: Pii) -> bool {
    use ColumnType::{Bool, Date, Float64, Int64, String, Timestamp, TimestampTz};
    match ty {
        String => true,
        Int64 => matches!(kind, Pii::Phone | Pii::Ssn | Pii::BirthDate | Pii::Other),
        Date | Timestamp | TimestampTz => kind == Pii::BirthDate,
        Bool | Float64 | ColumnType::Other(_) => false,
    }
}

/// Tells values apart; that two in a very great many fold alike does no harm.
fn fold(value: &str) -> u64 {
    value.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
