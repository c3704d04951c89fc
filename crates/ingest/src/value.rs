//! Reads one value from the bytes of a cell, exactly or not at all.

use std::ops::RangeInclusive;

pub mod written;

#[cfg(test)]
mod tests;

/// The most significant digits of which every one survives in a double.
const DOUBLE_DIGITS: u32 = 15;
/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// From 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z, in microseconds since 1970.
pub const MOMENTS: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;
/// The same in days.
pub const DAYS: RangeInclusive<i32> = -719_162..=2_932_896;

/// `true` or `false` in any case.
#[inline]
pub fn boolean(text: &[u8]) -> Option<bool> {
    match text.len() {
        4 if text.eq_ignore_ascii_case(b"true") => Some(true),
        5 if text.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

/// `-?(0|[1-9][0-9]*)` within 64 bits.
#[inline]
pub fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(text);
    match digits {
        [] => return None,
        [b'0'] => return Some(0),
        [b'0', ..] => return None,
        _ if digits.len() > 19 => return None,
        _ => {}
    }
    let mut value = 0_u64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Nineteen digits stay below 2^64, so this cannot overflow.
        value = value * 10 + u64::from(digit);
    }
    if negative { 0_i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// Whether an integer has more digits than a double is trusted with.
#[inline]
pub fn is_wide(value: i64) -> bool {
    value.unsigned_abs() >= 10_u64.pow(DOUBLE_DIGITS)
}

/// Ordinary decimal or exponent notation, `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`, of at most 15 significant
/// digits; integers are among them.
#[inline]
pub fn double(text: &[u8]) -> Option<f64> {
    let (negative, rest) = sign(text);
    let decimal = Decimal::read(rest)?;
    let magnitude = decimal.value(rest)?;
    Some(if negative { -magnitude } else { magnitude })
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    }
}

/// The digits of an unsigned decimal and where its point stands.
struct Decimal {
    digits: u64,
    exponent: i32,
}

impl Decimal {
    #[inline]
    fn read(text: &[u8]) -> Option<Self> {
        let mut digits = 0_u64;
        let mut significant = 0;
        let mut take = |byte: u8| {
            digits = digits * 10 + u64::from(byte - b'0');
            significant += u32::from(digits != 0);
            significant <= DOUBLE_DIGITS
        };
        let whole = count_digits(text);
        if whole == 0 || (whole > 1 && text[0] == b'0') || !text[..whole].iter().all(|&byte| take(byte)) {
            return None;
        }
        let mut rest = &text[whole..];
        let mut exponent = 0;
        if let [b'.', after @ ..] = rest {
            let fraction = count_digits(after);
            if fraction == 0 || !after[..fraction].iter().all(|&byte| take(byte)) {
                return None;
            }
            exponent = -i32::try_from(fraction).ok()?;
            rest = &after[fraction..];
        }
        if let [b'e' | b'E', after @ ..] = rest {
            exponent = exponent.checked_add(self::exponent(after)?)?;
        } else if !rest.is_empty() {
            return None;
        }
        Some(Self { digits, exponent })
    }

    /// The nearest double; none when it would be infinite or so small that digits are lost.
    #[inline]
    fn value(&self, text: &[u8]) -> Option<f64> {
        let power = EXACT_POWERS.get(self.exponent.unsigned_abs() as usize);
        // Below 2^53 and a power up to 10^22 are both exact, so that one operation rounds once, correctly.
        #[expect(clippy::cast_precision_loss, reason = "at most 15 digits, which a double holds exactly")]
        let digits = self.digits as f64;
        match power {
            Some(power) if self.exponent < 0 => return Some(digits / power),
            Some(power) => return Some(digits * power),
            None if self.digits == 0 => return Some(0.0),
            None => {}
        }
        let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        value.is_normal().then_some(value)
    }
}

fn count_digits(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 6 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |value, byte| value * 10 + i32::from(byte - b'0'));
    Some(if negative { -value } else { value })
}

/// `YYYY-MM-DD` as days since 1970-01-01.
#[inline]
pub fn date(text: &[u8]) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    (year >= 1 && (1..=12).contains(&month) && day >= 1 && day <= days_of(year, month))
        .then(|| days_since_epoch(year, month, day))
}

/// `YYYY-MM-DDTHH:MM[:SS[.f…]]` without offset, as microseconds since 1970-01-01T00:00:00.
#[inline]
pub fn timestamp(text: &[u8]) -> Option<i64> {
    let (micros, rest) = wall_clock(text)?;
    rest.is_empty().then_some(micros)
}

/// The same with `Z`, `±HH:MM` or `±HH` behind it, as microseconds since 1970-01-01T00:00:00Z. In UTC, too, its year has
/// four digits.
#[inline]
pub fn moment(text: &[u8]) -> Option<i64> {
    let (micros, rest) = wall_clock(text)?;
    let (negative, hours, minutes) = match *rest {
        [b'Z'] => return Some(micros),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => (sign == b'-', two(h1, h2)?, two(m1, m2)?),
        [sign @ (b'+' | b'-'), h1, h2] => (sign == b'-', two(h1, h2)?, 0),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let offset = i64::from(hours * 60 + minutes) * 60_000_000;
    let utc = if negative { micros + offset } else { micros - offset };
    MOMENTS.contains(&utc).then_some(utc)
}

/// Reads date and time; answers the microseconds and what follows.
fn wall_clock(text: &[u8]) -> Option<(i64, &[u8])> {
    let (day, rest) = text.split_at_checked(10)?;
    let day = i64::from(date(day)?);
    let &[b'T', h1, h2, b':', m1, m2, ref rest @ ..] = rest else { return None };
    let (hour, minute) = (two(h1, h2)?, two(m1, m2)?);
    let (second, micros, rest) = seconds(rest)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let of_day = i64::from((hour * 60 + minute) * 60 + second);
    Some(((day * 86_400 + of_day) * 1_000_000 + micros, rest))
}

/// Reads `:SS` and a fraction of at most six digits, if they are there.
fn seconds(text: &[u8]) -> Option<(i32, i64, &[u8])> {
    let &[b':', s1, s2, ref rest @ ..] = text else { return Some((0, 0, text)) };
    let second = two(s1, s2)?;
    let [b'.', fraction @ ..] = rest else { return Some((second, 0, rest)) };
    let count = count_digits(fraction);
    if !(1..=6).contains(&count) {
        return None;
    }
    let padded = fraction[..count].iter().chain(std::iter::repeat_n(&b'0', 6 - count));
    let micros = padded.fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
    Some((second, micros, &fraction[count..]))
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<i32> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
}

fn days_of(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar. Years begin in March here, so that the leap day is the last.
fn days_since_epoch(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}
