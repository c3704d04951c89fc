//! One value as text: JSON, or plain as CSV has it.

use std::io::Write;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use query::Result;

use crate::stream::unwritable;

/// Writes the value in a row, which is not null.
type Write1<'a> = Box<dyn Fn(usize, &mut Vec<u8>) -> Result<()> + 'a>;

/// Writes a finite number in a row; answers it either way.
type WriteFloat<'a> = Box<dyn Fn(usize, &mut Vec<u8>) -> f64 + 'a>;

/// Converts a count of some unit to microseconds; none when that is out of range.
type ToMicros = fn(i64) -> Option<i64>;

/// Writes the values of one column.
pub(crate) struct Cells<'a> {
    array: &'a dyn Array,
    write: Write1<'a>,
}

/// Whether texts stand in quotes, as JSON has them, or by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Plain,
}

impl<'a> Cells<'a> {
    pub(crate) fn new(array: &'a dyn Array, form: Form) -> Result<Self> {
        Ok(Self { array, write: writer(array, form)? })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row) || *self.array.data_type() == DataType::Null
    }

    /// The value; `null` where there is none.
    pub(crate) fn json(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        (self.write)(row, out)
    }

    /// Bytes of a text or blob; 0 for anything else.
    pub(crate) fn text_bytes(&self, row: usize) -> usize {
        match self.array.data_type() {
            DataType::Utf8 => self.array.as_string::<i32>().value(row).len(),
            DataType::LargeUtf8 => self.array.as_string::<i64>().value(row).len(),
            DataType::Utf8View => self.array.as_string_view().value(row).len(),
            DataType::Binary => self.array.as_binary::<i32>().value(row).len(),
            DataType::BinaryView => self.array.as_binary_view().value(row).len(),
            _ => 0,
        }
    }

    /// The value, which must be there.
    pub(crate) fn plain(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        (self.write)(row, out)
    }
}

macro_rules! numbers {
    ($array:expr, $type:ty) => {{
        let values = $array.as_primitive::<$type>();
        Box::new(move |row, out: &mut Vec<u8>| write!(out, "{}", values.value(row)).map_err(unwritable))
    }};
}

macro_rules! decimals {
    ($array:expr, $type:ty, $form:expr) => {{
        let values = $array.as_primitive::<$type>();
        Box::new(move |row, out: &mut Vec<u8>| {
            text(&values.value_as_string(row), $form, out);
            Ok(())
        })
    }};
}

macro_rules! texts {
    ($values:expr, $form:expr) => {{
        let values = $values;
        Box::new(move |row, out: &mut Vec<u8>| {
            text(values.value(row), $form, out);
            Ok(())
        })
    }};
}

macro_rules! blobs {
    ($values:expr, $form:expr) => {{
        let values = $values;
        Box::new(move |row, out: &mut Vec<u8>| {
            text(&STANDARD.encode(values.value(row)), $form, out);
            Ok(())
        })
    }};
}

fn writer<'a>(array: &'a dyn Array, form: Form) -> Result<Write1<'a>> {
    Ok(match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean();
            Box::new(move |row, out: &mut Vec<u8>| write!(out, "{}", values.value(row)).map_err(unwritable))
        }
        DataType::Int8 => numbers!(array, Int8Type),
        DataType::Int16 => numbers!(array, Int16Type),
        DataType::Int32 => numbers!(array, Int32Type),
        DataType::Int64 => numbers!(array, Int64Type),
        DataType::UInt8 => numbers!(array, UInt8Type),
        DataType::UInt16 => numbers!(array, UInt16Type),
        DataType::UInt32 => numbers!(array, UInt32Type),
        DataType::UInt64 => numbers!(array, UInt64Type),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => floats(array, form),
        DataType::Decimal32(_, _) => decimals!(array, Decimal32Type, form),
        DataType::Decimal64(_, _) => decimals!(array, Decimal64Type, form),
        DataType::Decimal128(_, _) => decimals!(array, Decimal128Type, form),
        DataType::Decimal256(_, _) => decimals!(array, Decimal256Type, form),
        DataType::Utf8 => texts!(array.as_string::<i32>(), form),
        DataType::LargeUtf8 => texts!(array.as_string::<i64>(), form),
        DataType::Utf8View => texts!(array.as_string_view(), form),
        DataType::Binary => blobs!(array.as_binary::<i32>(), form),
        DataType::LargeBinary => blobs!(array.as_binary::<i64>(), form),
        DataType::BinaryView => blobs!(array.as_binary_view(), form),
        DataType::FixedSizeBinary(_) => blobs!(array.as_fixed_size_binary(), form),
        DataType::Date32 => days(array.as_primitive::<Date32Type>().values(), 1, form),
        DataType::Date64 => days(array.as_primitive::<Date64Type>().values(), 86_400_000, form),
        DataType::Timestamp(unit, zone) => moments(array, *unit, zone.is_some(), form),
        DataType::List(_) => list(array, |array, row| array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(array, |array, row| array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(_, _) => list(array, |array, row| array.as_fixed_size_list().value(row)),
        DataType::Struct(_) => object(array)?,
        DataType::Map(_, _) => map(array),
        DataType::Dictionary(_, _) => dictionary(array, form)?,
        _ => other(array, form)?,
    })
}

/// JSON has no NaN and no infinities: they are texts there.
fn floats(array: &dyn Array, form: Form) -> Write1<'_> {
    let write: WriteFloat<'_> = match array.data_type() {
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            Box::new(|row, out: &mut Vec<u8>| shortest(values.value(row), values.value(row), out))
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            Box::new(|row, out: &mut Vec<u8>| shortest(values.value(row), f64::from(values.value(row)), out))
        }
        _ => {
            let values = array.as_primitive::<Float16Type>();
            Box::new(|row, out: &mut Vec<u8>| {
                let value = values.value(row).to_f32();
                shortest(value, f64::from(value), out)
            })
        }
    };
    Box::new(move |row, out: &mut Vec<u8>| {
        let value = write(row, out);
        if value.is_nan() {
            text("NaN", form, out);
        } else if value.is_infinite() {
            text(if value > 0.0 { "Infinity" } else { "-Infinity" }, form, out);
        }
        Ok(())
    })
}

/// Writes a finite number as the shortest text that reads back as the same; answers it either way.
fn shortest(value: impl serde::Serialize, wide: f64, out: &mut Vec<u8>) -> f64 {
    if wide.is_finite() && serde_json::to_writer(&mut *out, &value).is_err() {
        return f64::NAN;
    }
    wide
}

/// `YYYY-MM-DD` from counts of `per_day` units since 1970.
fn days<'a, T: Copy + Into<i64>>(values: &'a [T], per_day: i64, form: Form) -> Write1<'a> {
    Box::new(move |row, out| {
        let mut written = Vec::with_capacity(10);
        date(values[row].into().div_euclid(per_day), &mut written);
        quoted(&written, form, out);
        Ok(())
    })
}

/// `YYYY-MM-DDTHH:MM:SS[.ffffff]`, with `Z` for moments in UTC.
fn moments(array: &dyn Array, unit: TimeUnit, utc: bool, form: Form) -> Write1<'_> {
    let (values, micros): (&[i64], ToMicros) = match unit {
        TimeUnit::Second => {
            (array.as_primitive::<TimestampSecondType>().values(), |value| value.checked_mul(1_000_000))
        }
        TimeUnit::Millisecond => {
            (array.as_primitive::<TimestampMillisecondType>().values(), |value| value.checked_mul(1000))
        }
        TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().values(), Some),
        TimeUnit::Nanosecond => {
            (array.as_primitive::<TimestampNanosecondType>().values(), |value| Some(value.div_euclid(1000)))
        }
    };
    Box::new(move |row, out| {
        let micros = micros(values[row]);
        let micros = micros.ok_or_else(|| query::Error::Failed("a time is out of range".to_owned()))?;
        let mut written = Vec::with_capacity(27);
        date(micros.div_euclid(86_400_000_000), &mut written);
        time(micros.rem_euclid(86_400_000_000), &mut written)?;
        if utc {
            written.push(b'Z');
        }
        quoted(&written, form, out);
        Ok(())
    })
}

/// The civil date of a day number, by the usual count of 400-year eras from 0000-03-01.
fn date(days: i64, out: &mut Vec<u8>) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // Writing to a vector does not fail.
    let _ = write!(out, "{year:04}-{month:02}-{day:02}");
}

fn time(micros: i64, out: &mut Vec<u8>) -> Result<()> {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    write!(out, "T{hours:02}:{minutes:02}:{seconds:02}").map_err(unwritable)?;
    if fraction != 0 {
        write!(out, ".{fraction:06}").map_err(unwritable)?;
    }
    Ok(())
}

fn list(array: &dyn Array, item: fn(&dyn Array, usize) -> ArrayRef) -> Write1<'_> {
    Box::new(move |row, out| {
        let items = item(array, row);
        let cells = Cells::new(items.as_ref(), Form::Json)?;
        out.push(b'[');
        for at in 0..items.len() {
            if at > 0 {
                out.push(b',');
            }
            cells.json(at, out)?;
        }
        out.push(b']');
        Ok(())
    })
}

fn object(array: &dyn Array) -> Result<Write1<'_>> {
    let values = array.as_struct();
    let cells = values.columns().iter().map(|column| Cells::new(column.as_ref(), Form::Json));
    let cells = cells.collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move |row, out| {
        out.push(b'{');
        for (at, (field, cell)) in values.fields().iter().zip(&cells).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            text(field.name(), Form::Json, out);
            out.push(b':');
            cell.json(row, out)?;
        }
        out.push(b'}');
        Ok(())
    }))
}

/// A map is an object; keys that are no texts are written as texts.
fn map(array: &dyn Array) -> Write1<'_> {
    Box::new(move |row, out| {
        let entries = array.as_map().value(row);
        let keys = Cells::new(entries.column(0).as_ref(), Form::Plain)?;
        let values = Cells::new(entries.column(1).as_ref(), Form::Json)?;
        out.push(b'{');
        for at in 0..entries.len() {
            if at > 0 {
                out.push(b',');
            }
            let mut key = Vec::new();
            keys.plain(at, &mut key)?;
            text(&String::from_utf8_lossy(&key), Form::Json, out);
            out.push(b':');
            values.json(at, out)?;
        }
        out.push(b'}');
        Ok(())
    })
}

fn dictionary(array: &dyn Array, form: Form) -> Result<Write1<'_>> {
    let dictionary = array.as_any_dictionary();
    let keys = dictionary.normalized_keys();
    let values = Cells::new(dictionary.values().as_ref(), form)?;
    Ok(Box::new(move |row, out| values.plain(keys[row], out)))
}

/// Times of day, intervals and whatever else: as the engine writes them.
fn other(array: &dyn Array, form: Form) -> Result<Write1<'_>> {
    let options = FormatOptions::new().with_display_error(false);
    let formatter = ArrayFormatter::try_new(array, &options).map_err(unwritable)?;
    Ok(Box::new(move |row, out| {
        text(&formatter.value(row).try_to_string().map_err(unwritable)?, form, out);
        Ok(())
    }))
}

fn quoted(plain: &[u8], form: Form, out: &mut Vec<u8>) {
    if form == Form::Json {
        out.push(b'"');
        out.extend_from_slice(plain);
        out.push(b'"');
    } else {
        out.extend_from_slice(plain);
    }
}

/// A text, escaped where JSON needs it.
pub(crate) fn text(value: &str, form: Form, out: &mut Vec<u8>) {
    if form == Form::Plain {
        out.extend_from_slice(value.as_bytes());
        return;
    }
    out.push(b'"');
    let mut from = 0;
    for (at, byte) in value.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&value.as_bytes()[from..at]);
        escape(byte, out);
        from = at + 1;
    }
    out.extend_from_slice(&value.as_bytes()[from..]);
    out.push(b'"');
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            out.extend_from_slice(b"\\u00");
            for digit in [byte >> 4, byte & 15] {
                out.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
