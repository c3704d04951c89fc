//! Where time and chance enter the house. Everything else asks these two, so that tests and replays can answer.

use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// A moment in UTC, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_micros())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with microseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::<Utc>::from_timestamp_micros(self.0).unwrap_or_default();
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl FromStr for Timestamp {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc).into())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Ends when a span of time has passed.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the time, and lets it pass.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;

    /// Lets `span` pass: of the machine's time, unless the clock has one of its own. To be called on a runtime.
    fn wait(&self, span: Duration) -> Wait {
        Box::pin(tokio::time::sleep(span))
    }
}

/// Rolls chance: ids, suffixes, jitter.
pub trait Dice: Send + Sync {
    /// Sixteen random bytes.
    fn roll(&self) -> [u8; 16];
}

/// The clock and the dice, handed to whoever needs them. Cheap to clone.
#[derive(Clone)]
pub struct Seams {
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
}

impl Seams {
    /// Seams of one's own making: a fixed clock, seeded dice.
    pub fn new(clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        Self { clock, dice }
    }

    /// The machine's clock and random numbers.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemDice))
    }

    /// Now, in UTC.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets `span` pass.
    pub fn wait(&self, span: Duration) -> Wait {
        self.clock.wait(span)
    }

    /// Sixteen random bytes.
    pub fn roll(&self) -> [u8; 16] {
        self.dice.roll()
    }

    /// A random (version 4) UUID.
    pub fn uuid(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.roll()).into_uuid()
    }
}

impl fmt::Debug for Seams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seams")
    }
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Utc::now().into()
    }
}

struct SystemDice;

impl Dice for SystemDice {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for random numbers")]
    fn roll(&self) -> [u8; 16] {
        rand::random()
    }
}
