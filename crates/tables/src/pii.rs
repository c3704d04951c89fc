//! Personal data: which columns hold it, noted in a table's properties by field id, so that a rename keeps it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use iceberg::spec::TableMetadata;
use serde::{Deserialize, Serialize};

use crate::column::Column;

/// What a table's property begins with that classifies a column; its field id follows.
const PROPERTY: &str = "lakehouse.pii.";
/// The property's value for a column of which somebody said that it holds no personal data.
const NO: &str = "none";

/// The class of personal data that a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pii {
    /// Addresses of electronic mail.
    Email,
    /// Telephone numbers.
    Phone,
    /// Numbers by which a state knows a person.
    Ssn,
    /// Names of persons.
    Name,
    /// Days of birth.
    BirthDate,
    /// Postal addresses.
    Address,
    /// Anything else about a person.
    Other,
}

impl Pii {
    /// Every class.
    pub const ALL: [Self; 7] =
        [Self::Email, Self::Phone, Self::Ssn, Self::Name, Self::BirthDate, Self::Address, Self::Other];

    /// The word as it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Ssn => "ssn",
            Self::Name => "name",
            Self::BirthDate => "birth_date",
            Self::Address => "address",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Pii {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Pii {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.into_iter().map(Self::as_str).collect();
            format!("{text:?} is no class of personal data: use one of {}", all.join(", "))
        })
    }
}

/// Says why a property cannot be set: it would classify what is no column, or as what is no class.
pub fn expect_property(key: &str, value: &str) -> Result<(), String> {
    match key.strip_prefix(PROPERTY) {
        Some(id) if id.parse::<i32>().is_err() => Err(format!("{id:?} is no column's id")),
        Some(_) if value != NO => value.parse::<Pii>().map(drop),
        _ => Ok(()),
    }
}

/// The id of the column that a property of this name classifies.
pub fn column_of(key: &str) -> Option<i32> {
    key.strip_prefix(PROPERTY)?.parse().ok()
}

/// The columns of which a table's properties say something; `None` where they say that a column holds nothing personal.
/// A class that a newer release or another writer noted counts as [`Pii::Other`].
pub fn noted(metadata: &TableMetadata) -> BTreeMap<i32, Option<Pii>> {
    let note = |(key, value): (&String, &String)| {
        Some((column_of(key)?, (value != NO).then(|| value.parse().unwrap_or(Pii::Other))))
    };
    metadata.properties().iter().filter_map(note).collect()
}

/// The property that classifies the column of this id.
pub fn property(id: i32, kind: Option<Pii>) -> (String, String) {
    (format!("{PROPERTY}{id}"), kind.map_or(NO, Pii::as_str).to_owned())
}

/// The properties for those of the columns that are classified, and of which the table says nothing yet.
pub fn new_notes(columns: &[Column], base: &TableMetadata) -> HashMap<String, String> {
    let known = noted(base);
    let new = columns.iter().filter(|column| column.pii.is_some() && !known.contains_key(&column.id));
    new.map(|column| property(column.id, column.pii)).collect()
}
