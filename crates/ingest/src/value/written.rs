//! Numbers as they are written, in whatever notation, for columns whose type a table has decided: what counts is that
//! nothing of them is lost.

use super::{count_digits, exponent, sign};

#[cfg(test)]
mod tests;

/// More significant digits than any double has when it is written out in full.
const DIGITS: usize = 768;

/// An integer of 64 bits, also as `1.0`, `1e2` or `+5`.
pub fn whole(text: &[u8]) -> Option<i64> {
    super::integer(text).or_else(|| Written::read(text)?.units(0)?.try_into().ok())
}

/// The number of units of the last place of a decimal of `scale` places, when `precision` digits hold it.
pub fn decimal(text: &[u8], precision: u8, scale: i8) -> Option<i128> {
    let units = Written::read(text)?.units(scale.into())?;
    (units.unsigned_abs() < 10_u128.pow(precision.into())).then_some(units)
}

/// A float of 32 bits whose own digits, as far as they are written, are those that are written.
pub fn single(text: &[u8]) -> Option<f32> {
    let near: f32 = std::str::from_utf8(text).ok()?.parse().ok()?;
    Written::read(text)?.spells(near.into(), &format!("{near:e}")).then_some(near)
}

/// The same for a double, which may have more than 15 digits.
pub fn double(text: &[u8]) -> Option<f64> {
    let near = || std::str::from_utf8(text).ok()?.parse().ok();
    let is_written = |near: &f64| Written::read(text).is_some_and(|it| it.spells(*near, &format!("{near:e}")));
    super::double(text).or_else(|| near().filter(is_written))
}

/// The digits of a number and where they stand.
struct Written<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    /// How many of these digits come before the zeros at their end.
    kept: usize,
    /// The power of ten of the last digit that is kept.
    power: i32,
}

impl<'a> Written<'a> {
    /// Reads `[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
    fn read(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = text.strip_prefix(b"+").map_or_else(|| sign(text), |text| (false, text));
        let (whole, rest) = text.split_at(count_digits(text));
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] if count_digits(rest) > 0 => rest.split_at(count_digits(rest)),
            _ => (&[][..], rest),
        };
        let power = match rest {
            [] => 0,
            [b'e' | b'E', rest @ ..] => exponent(rest)?,
            _ => return None,
        };
        if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
            return None;
        }
        let zeros = whole.iter().chain(fraction).rev().take_while(|&&digit| digit == b'0').count();
        let kept = whole.len() + fraction.len() - zeros;
        let power = power + i32::try_from(zeros).ok()? - i32::try_from(fraction.len()).ok()?;
        Some(Self { negative, whole, fraction, kept, power: if kept == 0 { 0 } else { power } })
    }

    /// The digits without zeros at either end.
    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).copied().take(self.kept).skip_while(|&digit| digit == b'0')
    }

    /// How many units of ten to `-scale` it is, when that is a whole number.
    fn units(&self, scale: i32) -> Option<i128> {
        let missing = u32::try_from(self.power + scale).ok()?;
        let digits = self.digits().try_fold(0_i128, |units, digit| {
            units.checked_mul(10)?.checked_add(i128::from(digit - b'0')) //
        });
        let units = digits?.checked_mul(10_i128.checked_pow(missing)?)?;
        Some(if self.negative { -units } else { units })
    }

    /// Whether a float is written so: in the shortest way, in that of a double, or with as many digits as these. The
    /// first two may round a last 5 the other way.
    fn spells(&self, float: f64, shortest: &str) -> bool {
        let count = self.digits().take(DIGITS).count();
        self.is(shortest) || self.is(&format!("{float:e}")) || self.is(&format!("{float:.*e}", count.saturating_sub(1)))
    }

    fn is(&self, other: &str) -> bool {
        Written::read(other.as_bytes()).is_some_and(|other| {
            (other.negative, other.power) == (self.negative, self.power) && other.digits().eq(self.digits())
        })
    }
}
