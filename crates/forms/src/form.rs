//! Forms that an answer is held to, byte by byte: some JSON, or JSON of a schema.
//!
//! What was said so far is kept as all the ways in which it can be read; a byte that no way can go on with is refused.
//! Every way comes to an end that is valid JSON.

use indexmap::IndexSet;

use crate::number::{Integer, Number};
use crate::text::{Inside, Text};

#[cfg(test)]
mod tests;

/// So many blanks may follow one another: a new line and a deep indentation.
const MOST_BLANKS: u8 = 24;
/// So deep values may lie in one another; readers of JSON have such a limit too.
const DEEPEST: usize = 64;
/// So many ways are followed at once, which is also how many alternatives a place may have. Of more than these, which only
/// alternatives in alternatives make, the first go on: what is said fits the form all the same.
pub(crate) const MOST_WAYS: usize = 256;

/// So many ways with one byte more are made before it is asked which of them are distinct.
const TRIED: usize = 16 * MOST_WAYS;

/// What an answer may be.
#[derive(Debug)]
pub struct Form {
    /// Values name the values inside them by their places.
    values: Vec<Value>,
    root: usize,
}

/// What a value may be.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// Any value.
    Any,
    /// An object with members of any names and with this value.
    Open(usize),
    /// An object with these members, in this order.
    Object(Vec<Member>),
    Array {
        items: usize,
        least: u64,
        most: u64,
    },
    /// A text with so many characters.
    Text {
        least: u64,
        most: u64,
    },
    Number,
    Integer {
        least: i64,
        most: i64,
    },
    /// One of these, byte by byte; sorted.
    Literal(Vec<Box<[u8]>>),
    /// One of other values, none of which is such a choice itself.
    Either(Vec<usize>),
}

/// A member of an object.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Member {
    /// Its name as JSON.
    pub(crate) name: Box<[u8]>,
    pub(crate) value: usize,
    pub(crate) required: bool,
}

/// What was said so far, in all the ways in which it can be read.
#[derive(Debug, Clone)]
pub struct Read<'a> {
    form: &'a Form,
    ways: Vec<Way>,
}

/// One way: what is still open, the outermost first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Way {
    open: Vec<Step>,
    blanks: u8,
}

/// What a way expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Value(usize),
    Literal(Literal),
    Text(Text),
    Number(Number),
    Integer(Integer),
    /// The rest of an object whose members have any names and this value.
    Open(usize, Place),
    /// The rest of an object: its member `next` or a later one.
    Object {
        value: usize,
        next: usize,
        place: Place,
    },
    /// The rest of the name of a member.
    Name {
        value: usize,
        member: usize,
        at: usize,
    },
    /// What stands between a name and its value.
    Colon,
    /// The rest of an array of so many items so far.
    Array {
        value: usize,
        count: u64,
        place: Place,
    },
}

/// The rest of one of a value's literals from `low` to before `high`, which have the same `at` first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Literal {
    value: usize,
    low: usize,
    high: usize,
    at: usize,
}

/// Where between its parts an object or an array stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Begin,
    After,
    Comma,
}

/// Where every form has what may be anything.
pub(crate) const ANY: usize = 0;
/// Where every form has the words of JSON.
const WORDS: usize = 1;

impl Form {
    /// An object with any members.
    pub fn json() -> Self {
        Self::of([Value::Open(ANY)], Self::place(0))
    }

    /// Of these values, which name one another by [`Form::place`].
    pub(crate) fn of(values: impl IntoIterator<Item = Value>, root: usize) -> Self {
        let words = [&b"false"[..], b"null", b"true"].map(Into::into).to_vec();
        let known = [Value::Any, Value::Literal(words)];
        Self { root, values: known.into_iter().chain(values).collect() }
    }

    /// The place of the value that is the one after `before` others.
    pub(crate) fn place(before: usize) -> usize {
        WORDS + 1 + before
    }

    /// Nothing said yet.
    pub fn begin(&self) -> Read<'_> {
        // No answer begins with blanks.
        let way = Way { open: vec![Step::Value(self.root)], blanks: MOST_BLANKS };
        Read { form: self, ways: vec![way] }
    }
}

impl Read<'_> {
    /// Says more; whether any way goes on with it.
    pub fn say(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            let mut next = Vec::new();
            for way in self.ways.drain(..) {
                self.form.step(way, *byte, &mut next);
                if next.len() > TRIED {
                    break;
                }
            }
            self.ways = distinct(next);
        }
        !self.ways.is_empty()
    }

    /// Whether all these bytes can be said next.
    pub fn takes(&self, bytes: &[u8]) -> bool {
        let Some((first, rest)) = bytes.split_first() else { return true };
        let mut next = Vec::new();
        for way in &self.ways {
            self.form.step(way.clone(), *first, &mut next);
            if rest.is_empty() && !next.is_empty() {
                return true;
            }
            if next.len() > TRIED {
                break;
            }
        }
        Read { form: self.form, ways: distinct(next) }.say(rest)
    }

    /// Whether what was said is whole.
    pub fn is_whole(&self) -> bool {
        self.ways.iter().any(|way| match way.open.as_slice() {
            [] => true,
            [last] => last.may_end(),
            _ => false,
        })
    }

    /// Whether what was said is whole, and nothing can follow.
    pub fn is_over(&self) -> bool {
        self.ways.iter().all(|way| way.open.is_empty())
    }
}

/// Ways that expect the same are one: each item of an array would double them otherwise.
fn distinct(ways: Vec<Way>) -> Vec<Way> {
    match ways.len() {
        0 | 1 => ways,
        _ => ways.into_iter().collect::<IndexSet<_>>().into_iter().take(MOST_WAYS).collect(),
    }
}

impl Step {
    /// Whether this is a number that could end here.
    fn may_end(&self) -> bool {
        match self {
            Self::Number(number) => number.may_end(),
            Self::Integer(integer) => integer.may_end(),
            _ => false,
        }
    }

    /// Whether blanks may stand here.
    fn takes_blanks(&self) -> bool {
        matches!(self, Self::Value(_) | Self::Open(..) | Self::Object { .. } | Self::Array { .. })
    }
}

impl Way {
    /// The same with more that is expected, the last of it first.
    fn with<const COUNT: usize>(mut self, steps: [Step; COUNT]) -> Self {
        self.open.extend(steps);
        self.blanks = 0;
        self
    }
}

impl Form {
    /// All ways in which a way goes on with a byte.
    fn step(&self, mut way: Way, byte: u8, next: &mut Vec<Way>) {
        let Some(step) = way.open.pop() else { return };
        if step.takes_blanks() && matches!(byte, b' ' | b'\n') {
            if way.blanks < MOST_BLANKS {
                let blanks = way.blanks + 1;
                next.push(Way { blanks, ..way.with([step]) });
            }
            return;
        }
        match step {
            Step::Value(value) => self.value(way, value, byte, next),
            Step::Literal(literal) => self.literal(way, literal, byte, next),
            Step::Text(text) => match text.step(byte) {
                Some(Inside::Ended) => next.push(way.with([])),
                Some(Inside::Goes(text)) => next.push(way.with([Step::Text(text)])),
                None => {}
            },
            Step::Number(number) => match number.step(byte) {
                Some(number) => next.push(way.with([Step::Number(number)])),
                None if number.may_end() => self.step(way, byte, next),
                None => {}
            },
            Step::Integer(integer) => match integer.step(byte) {
                Some(integer) => next.push(way.with([Step::Integer(integer)])),
                None if integer.may_end() => self.step(way, byte, next),
                None => {}
            },
            Step::Colon if byte == b':' => next.push(way.with([])),
            Step::Colon => {}
            Step::Open(of, place) => next.extend(open(way, of, (place, byte))),
            Step::Object { value, next: member, place } => self.object(way, [value, member], (place, byte), next),
            Step::Name { value, member, at } => next.extend(self.name(way, [value, member, at], byte)),
            Step::Array { value, count, place } => self.array(way, (value, count), (place, byte), next),
        }
    }

    /// Whether a value may begin with a byte, as far as that is quickly told.
    fn opens(&self, value: usize, byte: u8) -> bool {
        match &self.values[value] {
            Value::Any | Value::Either(_) => true,
            Value::Open(_) | Value::Object(_) => byte == b'{',
            Value::Array { .. } => byte == b'[',
            Value::Text { .. } => byte == b'"',
            Value::Number | Value::Integer { .. } => byte == b'-' || byte.is_ascii_digit(),
            Value::Literal(all) => {
                let before = all.partition_point(|text| text.first().is_none_or(|other| *other < byte));
                all.get(before).is_some_and(|text| text.first() == Some(&byte))
            }
        }
    }

    /// Begins a value.
    fn value(&self, way: Way, value: usize, byte: u8, next: &mut Vec<Way>) {
        let flat = way.open.len() < DEEPEST;
        match (&self.values[value], byte) {
            (Value::Either(values), _) => {
                let opening = values.iter().filter(|value| self.opens(**value, byte));
                opening.for_each(|value| self.value(way.clone(), *value, byte, next));
            }
            (Value::Any, b'{') if flat => next.push(way.with([Step::Open(ANY, Place::Begin)])),
            (Value::Open(of), b'{') if flat => next.push(way.with([Step::Open(*of, Place::Begin)])),
            (Value::Object(_), b'{') if flat => {
                next.push(way.with([Step::Object { value, next: 0, place: Place::Begin }]));
            }
            (Value::Any | Value::Array { .. }, b'[') if flat => {
                next.push(way.with([Step::Array { value, count: 0, place: Place::Begin }]));
            }
            (Value::Any, b'"') => next.push(way.with([Step::Text(Text::new(0, u64::MAX))])),
            (Value::Text { least, most }, b'"') => next.push(way.with([Step::Text(Text::new(*least, *most))])),
            (Value::Any, b'a'..=b'z') => self.literal(way, self.literals(WORDS), byte, next),
            (Value::Literal(_), _) => self.literal(way, self.literals(value), byte, next),
            (Value::Any | Value::Number, _) => {
                next.extend(Number::begin(byte).map(|number| way.with([Step::Number(number)])));
            }
            (Value::Integer { least, most }, _) => {
                let begun = Integer::begin(*least, *most, byte);
                next.extend(begun.map(|integer| way.with([Step::Integer(integer)])));
            }
            _ => {}
        }
    }

    fn literals(&self, value: usize) -> Literal {
        Literal { value, low: 0, high: self.all(value).len(), at: 0 }
    }

    fn all(&self, value: usize) -> &[Box<[u8]>] {
        match &self.values[value] {
            Value::Literal(all) => all,
            _ => &[],
        }
    }

    /// Goes on with those literals that have this byte next; they lie side by side, the shortest first.
    fn literal(&self, way: Way, literal: Literal, byte: u8, next: &mut Vec<Way>) {
        let Literal { value, low, high, at } = literal;
        let all = &self.all(value)[low..high];
        let before = all.partition_point(|text| text.get(at).is_none_or(|other| *other < byte));
        let after = all.partition_point(|text| text.get(at).is_none_or(|other| *other <= byte));
        let ended = before < after && all[before].len() == at + 1;
        if ended {
            next.push(way.clone().with([]));
        }
        let literal = Literal { value, low: low + before + usize::from(ended), high: low + after, at: at + 1 };
        if literal.low < literal.high {
            next.push(way.with([Step::Literal(literal)]));
        }
    }

    /// Goes on between the members of an object: with the next one, with one behind it when that may be left out, or with
    /// the end when all may.
    fn object(&self, way: Way, [value, from]: [usize; 2], (place, byte): (Place, u8), next: &mut Vec<Way>) {
        let Value::Object(members) = &self.values[value] else { return };
        let left = &members[from..];
        match byte {
            b'}' if place != Place::Comma && !left.iter().any(|member| member.required) => next.push(way.with([])),
            b',' if place == Place::After && !left.is_empty() => {
                next.push(way.with([Step::Object { value, next: from, place: Place::Comma }]));
            }
            b'"' if place != Place::After => {
                let first = left.iter().position(|member| member.required).unwrap_or(left.len());
                for (member, one) in members.iter().enumerate().skip(from).take(first + 1) {
                    let after = Step::Object { value, next: member + 1, place: Place::After };
                    let name = Step::Name { value, member, at: 1 };
                    next.push(way.clone().with([after, Step::Value(one.value), Step::Colon, name]));
                }
            }
            _ => {}
        }
    }

    /// Goes on in the name of a member.
    fn name(&self, way: Way, [value, member, at]: [usize; 3], byte: u8) -> Option<Way> {
        let Value::Object(members) = &self.values[value] else { return None };
        let name = &members[member].name;
        (name.get(at) == Some(&byte)).then_some(())?;
        let whole = at + 1 == name.len();
        Some(if whole { way.with([]) } else { way.with([Step::Name { value, member, at: at + 1 }]) })
    }

    /// Goes on between the items of an array.
    fn array(&self, way: Way, (value, count): (usize, u64), (place, byte): (Place, u8), next: &mut Vec<Way>) {
        let (items, least, most) = match &self.values[value] {
            Value::Array { items, least, most } => (*items, *least, *most),
            _ => (ANY, 0, u64::MAX),
        };
        match byte {
            b']' if place != Place::Comma && count >= least => next.push(way.with([])),
            b',' if place == Place::After && count < most => {
                next.push(way.with([Step::Array { value, count, place: Place::Comma }]));
            }
            _ if place != Place::After && count < most => {
                let after = Step::Array { value, count: count + 1, place: Place::After };
                self.value(way.with([after]), items, byte, next);
            }
            _ => {}
        }
    }
}

/// Goes on between the members of an object whose members have any names.
fn open(way: Way, of: usize, (place, byte): (Place, u8)) -> Option<Way> {
    match byte {
        b'}' if place != Place::Comma => Some(way.with([])),
        b',' if place == Place::After => Some(way.with([Step::Open(of, Place::Comma)])),
        b'"' if place != Place::After => {
            let name = Step::Text(Text::new(0, u64::MAX));
            Some(way.with([Step::Open(of, Place::After), Step::Value(of), Step::Colon, name]))
        }
        _ => None,
    }
}
