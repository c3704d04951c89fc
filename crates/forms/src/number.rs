//! Numbers in JSON that every reader takes: so short that nothing overflows.

/// Digits of an integer, and of each side of a point: as many as every reader keeps exactly.
pub(crate) const MOST_DIGITS: u32 = 15;
/// Digits of an exponent.
const EXPONENT_DIGITS: u32 = 2;
/// The largest integer of either sign.
pub(crate) const MOST: i64 = 10i64.pow(MOST_DIGITS) - 1;

/// A number so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Number {
    Minus,
    /// A zero, which no digit follows.
    Zero,
    Whole(u32),
    Fraction(u32),
    Exponent {
        digits: u32,
        signed: bool,
    },
}

impl Number {
    /// With its first byte.
    pub(crate) fn begin(byte: u8) -> Option<Self> {
        if byte == b'-' { Some(Self::Minus) } else { Self::Minus.step(byte) }
    }

    /// With one byte more; none if it cannot have that.
    pub(crate) fn step(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Minus, b'0') => Some(Self::Zero),
            (Self::Minus, b'1'..=b'9') => Some(Self::Whole(1)),
            (Self::Whole(digits), b'0'..=b'9') if digits < MOST_DIGITS => Some(Self::Whole(digits + 1)),
            (Self::Zero | Self::Whole(_), b'.') => Some(Self::Fraction(0)),
            (Self::Fraction(digits), b'0'..=b'9') if digits < MOST_DIGITS => Some(Self::Fraction(digits + 1)),
            (Self::Zero | Self::Whole(_) | Self::Fraction(1..), b'e' | b'E') => {
                Some(Self::Exponent { digits: 0, signed: false })
            }
            (Self::Exponent { digits: 0, signed: false }, b'+' | b'-') => {
                Some(Self::Exponent { digits: 0, signed: true })
            }
            (Self::Exponent { digits, .. }, b'0'..=b'9') if digits < EXPONENT_DIGITS => {
                Some(Self::Exponent { digits: digits + 1, signed: true })
            }
            _ => None,
        }
    }

    /// Whether it is one already.
    pub(crate) fn may_end(self) -> bool {
        matches!(self, Self::Zero | Self::Whole(_) | Self::Fraction(1..) | Self::Exponent { digits: 1.., .. })
    }
}

/// An integer so far, which is to be in bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Integer {
    least: i64,
    most: i64,
    negative: bool,
    /// Without its sign.
    size: i64,
    digits: u32,
}

impl Integer {
    /// With its first byte; none if no integer in these bounds begins so.
    pub(crate) fn begin(least: i64, most: i64, byte: u8) -> Option<Self> {
        let negative = byte == b'-';
        let none = Self { least, most, negative, size: 0, digits: 0 };
        if !negative {
            return none.step(byte);
        }
        (b'1'..=b'9').any(|digit| none.step(digit).is_some()).then_some(none)
    }

    /// With one byte more; none if no integer in the bounds has that.
    pub(crate) fn step(self, byte: u8) -> Option<Self> {
        let zero = self.digits > 0 && self.size == 0 || self.negative && self.digits == 0 && byte == b'0';
        if !byte.is_ascii_digit() || zero || self.digits == MOST_DIGITS {
            return None;
        }
        let next = Self { size: self.size * 10 + i64::from(byte - b'0'), digits: self.digits + 1, ..self };
        next.can_fit().then_some(next)
    }

    /// Whether it is one already.
    pub(crate) fn may_end(self) -> bool {
        let value = if self.negative { -self.size } else { self.size };
        self.digits > 0 && (self.least..=self.most).contains(&value)
    }

    /// Whether it, or what more digits make of it, is in the bounds.
    fn can_fit(self) -> bool {
        let more = if self.size == 0 { 0 } else { MOST_DIGITS - self.digits };
        (0..=more).map(|digits| 10i64.pow(digits)).any(|shift| {
            let (low, high) = (self.size * shift, self.size * shift + shift - 1);
            let (low, high) = if self.negative { (-high, -low) } else { (low, high) };
            low <= self.most && high >= self.least
        })
    }
}
