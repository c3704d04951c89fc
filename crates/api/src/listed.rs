//! Lists in request bodies: a fault in one is told with the place of the element, as in ``items[3]: missing field `id` ``.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// The member `items` of a body.
pub(crate) fn items<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    from.deserialize_seq(List { name: "items", element: PhantomData })
}

/// The member `texts` of a body.
pub(crate) fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    from.deserialize_seq(List { name: "texts", element: PhantomData })
}

/// The member `ids` of a body.
pub(crate) fn ids<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    from.deserialize_seq(List { name: "ids", element: PhantomData })
}

/// The member `input` of a body: one text, or a list of them.
pub(crate) fn input<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    from.deserialize_any(OneOrMore)
}

struct List<T> {
    name: &'static str,
    element: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut elements = Vec::new();
        loop {
            let next = list.next_element();
            let named = |why| A::Error::custom(format_args!("{}[{}]: {why}", self.name, elements.len()));
            match next.map_err(named)? {
                Some(element) => elements.push(element),
                None => return Ok(elements),
            }
        }
    }
}

struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Vec<String>, A::Error> {
        List { name: "input", element: PhantomData }.visit_seq(list)
    }
}
