//! The roster: who exists, as one version of the lake has it. Half a million workers take some tens of megabytes.
//!
//! Ids and names lie one behind the other in one text; what repeats (cities, roles, blacklists) is kept once. Rows are
//! found by a table of hashes that read letters without regard to case.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

#[cfg(test)]
mod tests;

/// Says that a value is not known, where others are numbers of shared texts.
const UNKNOWN: u32 = u32::MAX;

/// The most workers that room is made for before they come.
const MOST_ROOM: usize = 1 << 22;
/// The bytes of an id and a name, usually.
const USUAL: usize = 32;

/// Whether a worker works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Yes.
    Active,
    /// No.
    Inactive,
    /// The roster does not say.
    Unknown,
    /// The roster holds the worker several times, with different values.
    Disputed,
}

/// A worker as the table of workers has it. What is not known is none, which is not the same as empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Row<'a> {
    /// The id, such as `W-17`.
    pub id: &'a str,
    /// The name.
    pub name: Option<&'a str>,
    /// What they do.
    pub role: Option<&'a str>,
    /// Where they work.
    pub city: Option<&'a str>,
    /// The state of the city.
    pub state: Option<&'a str>,
    /// How they stand, in the table's word.
    pub status: Option<&'a str>,
    /// Whether they work.
    pub active: Option<bool>,
    /// Clients that they may not be sent to, with `;` between.
    pub blacklist: Option<&'a str>,
}

/// Where a row's texts are.
#[derive(Debug, Clone, Copy)]
struct Line {
    at: u32,
    id: u16,
    name: u16,
    shared: [u32; 5],
    standing: Standing,
    named: bool,
}

const ROLE: usize = 0;
const CITY: usize = 1;
const STATE: usize = 2;
const STATUS: usize = 3;
const BLACKLIST: usize = 4;

/// Everybody who exists. Made once, then only read.
#[derive(Debug, Default)]
pub struct Roster {
    text: String,
    lines: Vec<Line>,
    shared: Vec<Box<str>>,
    /// Numbers of lines plus one, in the places that hashes say; 0 is free.
    slots: Vec<u32>,
    tells_standing: bool,
    absent: Option<String>,
}

/// A roster in the making.
#[derive(Debug, Default)]
pub struct RosterBuilder {
    roster: Roster,
    numbers: HashMap<Box<str>, u32>,
}

/// A row that a roster cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the roster holds more than it can: 4 GiB of ids and names, each up to 64 KiB")]
pub struct Overfull;

impl RosterBuilder {
    /// Begins a roster of a table that says whether workers are active, or does not.
    pub fn new(tells_standing: bool) -> Self {
        Self { roster: Roster { tells_standing, ..Roster::default() }, numbers: HashMap::new() }
    }

    /// Makes room for so many workers at once, so that no text is copied from room to larger room. Somebody else's word
    /// for their number is good for so much only.
    #[must_use]
    pub fn with_room(mut self, workers: usize) -> Self {
        let workers = workers.min(MOST_ROOM);
        // Without room it grows as it must.
        let _ = self.roster.lines.try_reserve_exact(workers);
        let _ = self.roster.text.try_reserve_exact(workers * USUAL);
        self
    }

    /// Adds a worker.
    pub fn push(&mut self, row: &Row<'_>) -> Result<(), Overfull> {
        let shared = [row.role, row.city, row.state, row.status, row.blacklist].map(|text| self.share(text));
        let standing = match row.active {
            Some(true) => Standing::Active,
            Some(false) => Standing::Inactive,
            None => Standing::Unknown,
        };
        let name = row.name.unwrap_or_default();
        let roster = &mut self.roster;
        let line = Line {
            at: u32::try_from(roster.text.len()).map_err(|_| Overfull)?,
            id: u16::try_from(row.id.len()).map_err(|_| Overfull)?,
            name: u16::try_from(name.len()).map_err(|_| Overfull)?,
            shared,
            standing,
            named: row.name.is_some(),
        };
        roster.text.push_str(row.id);
        roster.text.push_str(name);
        roster.lines.push(line);
        if u32::try_from(roster.lines.len()).is_ok_and(|count| count < UNKNOWN) { Ok(()) } else { Err(Overfull) }
    }

    fn share(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return UNKNOWN };
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.roster.shared.len() as u32;
        self.roster.shared.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    /// The roster, ready to be asked.
    pub fn finish(self) -> Roster {
        let mut roster = self.roster;
        roster.text.shrink_to_fit();
        roster.lines.shrink_to_fit();
        roster.slots = vec![0; (roster.lines.len() * 2).next_power_of_two()];
        for number in 0..roster.lines.len() {
            roster.place(number);
        }
        roster
    }
}

impl Roster {
    /// A roster of nobody, because there is no table: `table` names the one that was looked for.
    pub fn absent(table: &str) -> Self {
        Self { absent: Some(table.to_owned()), ..Self::default() }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nobody exists.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether the table says of anybody whether they are active.
    pub fn tells_standing(&self) -> bool {
        self.tells_standing
    }

    /// The table that was looked for and is not there.
    pub fn absent_table(&self) -> Option<&str> {
        self.absent.as_deref()
    }

    /// How much memory it holds, in bytes.
    pub fn bytes(&self) -> usize {
        let shared: usize = self.shared.iter().map(|text| text.len() + size_of::<Box<str>>()).sum();
        self.text.capacity() + self.lines.capacity() * size_of::<Line>() + self.slots.capacity() * 4 + shared
    }

    /// The worker of this id, without regard to case.
    pub fn get(&self, id: &str) -> Option<Worker<'_>> {
        let found = self.slots_of(id).find_map(|slot| {
            let number = (self.slots[slot] as usize).checked_sub(1);
            number.is_none_or(|number| alike(self.id(number), id)).then_some(number)
        });
        found.flatten().map(|number| Worker { roster: self, line: self.lines[number] })
    }

    /// Everybody, in the order of the table.
    pub fn workers(&self) -> impl Iterator<Item = Worker<'_>> {
        self.lines.iter().map(|line| Worker { roster: self, line: *line })
    }

    /// Whether a worker of this id exists.
    pub fn knows(&self, id: &str) -> bool {
        self.get(id).is_some()
    }

    /// What to say of somebody who is not in the roster.
    pub(crate) fn missing(&self, who: &str) -> String {
        match &self.absent {
            Some(table) => format!("{who} does not exist in the worker roster: the lake has no table {table}"),
            None => format!("{who} does not exist in the worker roster"),
        }
    }

    /// Puts a line where its id is sought. A second line of one id leaves the first, disputed unless they say the same.
    fn place(&mut self, number: usize) {
        let places: Vec<usize> = self.slots_of(self.id(number)).take_while(|slot| self.slots[*slot] != 0).collect();
        for slot in &places {
            let other = self.slots[*slot] as usize - 1;
            if alike(self.id(other), self.id(number)) {
                if !self.says_the_same(other, number) {
                    self.lines[other].standing = Standing::Disputed;
                }
                return;
            }
        }
        let free = self.slots_of(self.id(number)).nth(places.len());
        if let Some(free) = free {
            self.slots[free] = number as u32 + 1;
        }
    }

    /// The places to look for an id, in order.
    fn slots_of(&self, id: &str) -> impl Iterator<Item = usize> + use<> {
        let mask = self.slots.len().wrapping_sub(1);
        let first = hash(id);
        (0..self.slots.len()).map(move |step| (first as usize).wrapping_add(step) & mask)
    }

    fn id(&self, number: usize) -> &str {
        let line = &self.lines[number];
        let at = line.at as usize;
        &self.text[at..at + usize::from(line.id)]
    }

    fn name(&self, line: &Line) -> &str {
        let at = line.at as usize + usize::from(line.id);
        &self.text[at..at + usize::from(line.name)]
    }

    fn says_the_same(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.lines[one], &self.lines[other]);
        (one.shared, one.named, one.standing) == (other.shared, other.named, other.standing)
            && self.name(one) == self.name(other)
    }

    fn shared(&self, number: u32) -> Option<&str> {
        self.shared.get(number as usize).map(AsRef::as_ref)
    }
}

/// A worker of a roster.
#[derive(Debug, Clone, Copy)]
pub struct Worker<'r> {
    roster: &'r Roster,
    line: Line,
}

impl<'r> Worker<'r> {
    /// The id as the table spells it.
    pub fn id(&self) -> &'r str {
        let at = self.line.at as usize;
        &self.roster.text[at..at + usize::from(self.line.id)]
    }

    /// The name.
    pub fn name(&self) -> Option<&'r str> {
        self.line.named.then(|| self.roster.name(&self.line))
    }

    /// What they do.
    pub fn role(&self) -> Option<&'r str> {
        self.roster.shared(self.line.shared[ROLE])
    }

    /// Where they work.
    pub fn city(&self) -> Option<&'r str> {
        self.roster.shared(self.line.shared[CITY])
    }

    /// The state of the city.
    pub fn state(&self) -> Option<&'r str> {
        self.roster.shared(self.line.shared[STATE])
    }

    /// How they stand, in the table's word.
    pub fn status(&self) -> Option<&'r str> {
        self.roster.shared(self.line.shared[STATUS])
    }

    /// Whether they work.
    pub fn standing(&self) -> Standing {
        self.line.standing
    }

    /// Clients that they may not be sent to; none when that is not known.
    pub fn blacklist(&self) -> Option<impl Iterator<Item = &'r str>> {
        let listed = self.roster.shared(self.line.shared[BLACKLIST])?;
        Some(listed.split(';').map(str::trim).filter(|client| !client.is_empty()))
    }
}

/// Whether two texts are the same without regard to case and to how their marks are composed.
pub(crate) fn alike(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one.nfc().flat_map(char::to_lowercase).eq(other.nfc().flat_map(char::to_lowercase))
}

/// A text in lower case with its marks composed: equal for texts that are alike.
pub(crate) fn folded(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).collect()
}

/// FNV-1a over the text in lower case, with its bits mixed so that the low ones tell enough.
fn hash(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let start = 0xcbf2_9ce4_8422_2325;
    let hash = match text.is_ascii() {
        true => text.bytes().map(|byte| byte.to_ascii_lowercase()).fold(start, step),
        false => folded(text).bytes().fold(start, step),
    };
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}
