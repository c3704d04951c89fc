//! Decides a column's type from all of its values.

use catalog::ColumnType;

use crate::block::Block;
use crate::cell::Cell;
use crate::value;

#[cfg(test)]
mod tests;

/// The forms that the values of a column have been seen to take. It only grows, so that the order of the values and
/// the way a file is cut into blocks decide nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forms(u8);

impl Forms {
    const BOOLEAN: Self = Self(1);
    const INTEGER: Self = Self(1 << 1);
    /// An integer with more digits than a double is trusted with.
    const WIDE_INTEGER: Self = Self(1 << 2);
    const DECIMAL: Self = Self(1 << 3);
    const DATE: Self = Self(1 << 4);
    const TIMESTAMP: Self = Self(1 << 5);
    const MOMENT: Self = Self(1 << 6);
    const TEXT: Self = Self(1 << 7);

    /// The form of one value. An empty value takes none: it contradicts no type.
    pub fn of(text: &[u8]) -> Self {
        match text.first() {
            None => Self::default(),
            Some(b'-' | b'0'..=b'9') => Self::of_number(text),
            Some(b't' | b'T' | b'f' | b'F') if value::boolean(text).is_some() => Self::BOOLEAN,
            Some(_) => Self::TEXT,
        }
    }

    fn of_number(text: &[u8]) -> Self {
        match value::integer(text) {
            Some(number) if value::is_wide(number) => Self::WIDE_INTEGER,
            Some(_) => Self::INTEGER,
            None if value::double(text).is_some() => Self::DECIMAL,
            None if value::date(text).is_some() => Self::DATE,
            None if value::timestamp(text).is_some() => Self::TIMESTAMP,
            None if value::moment(text).is_some() => Self::MOMENT,
            None => Self::TEXT,
        }
    }

    fn of_cell(block: &Block, cell: Cell) -> Self {
        if cell.is_escaped() {
            return Self::TEXT;
        }
        let text = cell.bytes(block.text());
        if block.is_typed() && cell.is_quoted() { Self::of_string(text) } else { Self::of(text) }
    }

    /// The form of a string that is known to be one: JSON has no other way to write days and times, and `""` is text.
    fn of_string(text: &[u8]) -> Self {
        let times = Self::DATE.0 | Self::TIMESTAMP.0 | Self::MOMENT.0;
        match text.first() {
            Some(b'0'..=b'9') if Self::of_number(text).0 & times != 0 => Self::of_number(text),
            _ => Self::TEXT,
        }
    }

    /// Adds the forms of a column's values in one block.
    pub fn see(&mut self, block: &Block, column: usize) {
        for cell in block.column(column) {
            if self.is_final() {
                return;
            }
            self.add(Self::of_cell(block, cell));
        }
    }

    /// Adds forms.
    pub fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Notes that an integer was wide.
    pub fn add_wide(&mut self) {
        self.add(Self::WIDE_INTEGER);
    }

    /// Whether no further value can change the type.
    pub fn is_final(self) -> bool {
        self != Self::default() && self.decide() == ColumnType::String
    }

    /// The type that holds every value seen without loss; text when they disagree or when there is none.
    pub fn decide(self) -> ColumnType {
        let within = |forms: Self| self.0 != 0 && self.0 & !forms.0 == 0;
        if within(Self::BOOLEAN) {
            ColumnType::Bool
        } else if within(Self(Self::INTEGER.0 | Self::WIDE_INTEGER.0)) {
            ColumnType::Int64
        } else if within(Self(Self::INTEGER.0 | Self::DECIMAL.0)) {
            ColumnType::Float64
        } else if within(Self::DATE) {
            ColumnType::Date
        } else if within(Self::TIMESTAMP) {
            ColumnType::Timestamp
        } else if within(Self::MOMENT) {
            ColumnType::TimestampTz
        } else {
            ColumnType::String
        }
    }
}
