//! Values of metadata that filters compare.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde_json::Value;

/// Beyond this, numbers of double precision are not compared as whole ones: they are far from all whole numbers there are.
const FAR: f64 = (1_u128 << 100) as f64;

/// A value that can be compared. Those of different kinds are never the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Truth(bool),
    Number(Number),
    Text(Box<str>),
}

/// A number by its value, however it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Whole(i128),
    /// Not whole, or far.
    Other(f64),
}

impl Key {
    /// The value of a member; none for null, lists and objects.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(truth) => Some(Self::Truth(*truth)),
            Value::Number(number) => Number::of(number).map(Self::Number),
            Value::String(text) => Some(Self::Text(text.as_str().into())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The value that a member has after it was stored: reading what was written may round a number to its neighbour.
    pub fn of_asked(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Self::of(&serde_json::from_str(&number.to_string()).ok()?),
            other => Self::of(other),
        }
    }

    /// Of which kind it is; the kinds are ordered as their values are.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Truth(_) => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
        }
    }

    /// Whether both are texts, and the one begins with the other.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        matches!((self, prefix), (Self::Text(text), Self::Text(prefix)) if text.starts_with(prefix.as_ref()))
    }

    /// How many bytes of memory it takes, about.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + if let Self::Text(text) = self { text.len() } else { 0 }
    }
}

impl Number {
    fn of(number: &serde_json::Number) -> Option<Self> {
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        whole.map(Self::Whole).or_else(|| number.as_f64().map(Self::of_double))
    }

    fn of_double(number: f64) -> Self {
        if number.fract() == 0.0 && number.abs() < FAR { Self::Whole(number as i128) } else { Self::Other(number) }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(b),
            (Self::Other(a), Self::Other(b)) => a.total_cmp(b),
            (Self::Whole(a), Self::Other(b)) => whole_to_other(*a, *b),
            (Self::Other(a), Self::Whole(b)) => whole_to_other(*b, *a).reverse(),
        }
    }
}

/// Compares a whole number with one that is not whole, or far. A cast of a far one ends at the greatest whole number.
fn whole_to_other(whole: i128, other: f64) -> Ordering {
    if whole <= other.floor() as i128 { Ordering::Less } else { Ordering::Greater }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Whole(number) => number.hash(state),
            Self::Other(number) => number.to_bits().hash(state),
        }
    }
}
