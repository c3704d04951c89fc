//! The members of a line: each of them once, and whole numbers with all of their digits.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use base::Facts;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// From here on a whole number may be none of 64 bits.
const VAST: f64 = 9.2e18;

/// Why a line is not taken.
pub(crate) enum Flaw {
    /// It is no JSON object.
    NoObject,
    /// An object in it has this member twice.
    Twice(String),
}

/// Checks that a line is a JSON object, in which no object has a member twice.
pub(crate) fn check(line: &str) -> Result<(), Flaw> {
    if !line.starts_with('{') {
        return Err(Flaw::NoObject);
    }
    let (mut twice, mut reader) = (None, serde_json::Deserializer::from_str(line));
    let read = Once(&mut twice).deserialize(&mut reader).and_then(|()| reader.end());
    read.map_err(|_| twice.map_or(Flaw::NoObject, Flaw::Twice))
}

/// The members of a line. A whole number beyond 64 bits is a text, since a number would lose digits.
pub(crate) fn read(line: &[u8]) -> serde_json::Result<Facts> {
    let mut members: Facts = serde_json::from_slice(line)?;
    if members.values().any(is_vast) {
        let spelled: BTreeMap<String, &RawValue> = serde_json::from_slice(line)?;
        for (name, value) in members.iter_mut().filter(|(_, value)| is_vast(value)) {
            if let Some(digits) = spelled.get(name).map(|raw| raw.get()).filter(|text| is_whole(text)) {
                *value = Value::from(digits);
            }
        }
    }
    Ok(members)
}

fn is_vast(value: &Value) -> bool {
    value.is_f64() && value.as_f64().is_some_and(|number| number.abs() > VAST)
}

fn is_whole(number: &str) -> bool {
    number.strip_prefix('-').unwrap_or(number).bytes().all(|byte| byte.is_ascii_digit())
}

/// A value of which nothing is kept but the first member that an object has twice.
struct Once<'a>(&'a mut Option<String>);

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Once(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if seen.contains(&name) {
                *self.0 = Some(name);
                return Err(A::Error::custom("a member stands twice"));
            }
            members.next_value_seed(Once(self.0))?;
            seen.insert(name);
        }
        Ok(())
    }
}
