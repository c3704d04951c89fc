//! The members of a line: each of them once, and whole numbers with all of their digits.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use base::Facts;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// From here on a whole number may be none of 64 bits.
const VAST: f64 = 9.2e18;
/// What no reader makes a number of.
const VASTER: &str = "a number beyond 1.8e308, which no column of numbers holds; write it as a text";
const DEEPER: &str = "values nested deeper than 127 levels, which readers refuse";

/// Why a line is not taken.
pub(crate) enum Flaw {
    /// It is no JSON object.
    NoObject,
    /// It is one, and holds what could not be read back.
    Unreadable(&'static str),
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
    read.map_err(|failure| twice.map_or_else(|| flaw(line, &failure), Flaw::Twice))
}

/// What is wrong with a line that does not read. Who passes over values needs neither their size nor their depth.
fn flaw(line: &str, failure: &serde_json::Error) -> Flaw {
    match serde_json::from_str::<IgnoredAny>(line) {
        Err(_) => Flaw::NoObject,
        Ok(_) if failure.to_string().starts_with("number out of range") => Flaw::Unreadable(VASTER),
        Ok(_) => Flaw::Unreadable(DEEPER),
    }
}

/// The members of a line. A whole number beyond 64 bits is a text wherever it stands, since a number would lose digits.
pub(crate) fn read(line: &[u8]) -> serde_json::Result<Facts> {
    let mut members: Facts = serde_json::from_slice(line)?;
    if members.values().any(holds_vast) {
        let spelled: BTreeMap<String, &RawValue> = serde_json::from_slice(line)?;
        for (name, value) in &mut members {
            spelled.get(name).map_or(Ok(()), |raw| spell(value, raw))?;
        }
    }
    Ok(members)
}

fn holds_vast(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(holds_vast),
        Value::Object(members) => members.values().any(holds_vast),
        value => value.is_f64() && value.as_f64().is_some_and(|number| number.abs() > VAST),
    }
}

/// Makes texts of the vast whole numbers in a value, with the digits that it was written with.
fn spell(value: &mut Value, raw: &RawValue) -> serde_json::Result<()> {
    match value {
        value if !holds_vast(value) => {}
        Value::Array(items) => {
            let spelled: Vec<&RawValue> = serde_json::from_str(raw.get())?;
            items.iter_mut().zip(spelled).try_for_each(|(item, raw)| spell(item, raw))?;
        }
        Value::Object(members) => {
            let spelled: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get())?;
            let mut both = members.iter_mut().filter_map(|(name, value)| Some((value, spelled.get(name)?)));
            both.try_for_each(|(value, raw)| spell(value, raw))?;
        }
        value if is_whole(raw.get()) => *value = Value::from(raw.get()),
        _ => {}
    }
    Ok(())
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
