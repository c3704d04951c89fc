//! Builds Arrow arrays straight from the cells of a block.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, BooleanArray, PrimitiveArray, new_null_array};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use catalog::ColumnType;

use crate::block::Block;
use crate::cell::Cell;
use crate::value::{self, written};

#[cfg(test)]
mod tests;

/// A column of one block, or the first row whose value the type cannot hold.
pub type Built = std::result::Result<ArrayRef, usize>;

/// Builds a column of one block. Types as which no text is read fit no value, only nulls.
///
/// Text becomes a binary array: the block was checked to be UTF-8 as a whole, and the Parquet schema says so.
pub fn build(ty: &ColumnType, block: &Block, column: usize) -> Built {
    match ty {
        ColumnType::Bool => booleans(block, column),
        ColumnType::Int64 => numbers::<Int64Type>(block, column, false, value::integer),
        ColumnType::Float64 => numbers::<Float64Type>(block, column, false, value::double),
        ColumnType::Date => numbers::<Date32Type>(block, column, true, value::date),
        ColumnType::Timestamp => numbers::<TimestampMicrosecondType>(block, column, true, value::timestamp),
        ColumnType::TimestampTz => {
            numbers::<TimestampMicrosecondType>(block, column, true, value::moment).map(|array| with_utc(&array))
        }
        ColumnType::String => Ok(texts(block, column)),
        ColumnType::Other(_) => of_others(&ty.arrow().map_err(|_| 0_usize)?, block, column),
    }
}

/// Builds a column of one block for a table that is there: numbers may be spelled in any way that loses nothing.
pub fn fit(ty: &ColumnType, block: &Block, column: usize) -> Built {
    match ty {
        ColumnType::Int64 => numbers::<Int64Type>(block, column, false, written::whole),
        ColumnType::Float64 => numbers::<Float64Type>(block, column, false, written::double),
        _ => build(ty, block, column),
    }
}

/// A column of a table that another engine made, or that was made of files of other types.
fn of_others(ty: &DataType, block: &Block, column: usize) -> Built {
    match *ty {
        DataType::Int32 => numbers::<Int32Type>(block, column, false, |text| written::whole(text)?.try_into().ok()),
        DataType::Float32 => numbers::<Float32Type>(block, column, false, written::single),
        DataType::Decimal128(precision, scale) => {
            let built =
                numbers::<Decimal128Type>(block, column, false, |text| written::decimal(text, precision, scale));
            built.map(|array| {
                Arc::new(array.as_primitive::<Decimal128Type>().clone().with_data_type(ty.clone())) as ArrayRef
            })
        }
        _ => match block.column(column).position(|cell| !cell.is_null()) {
            None => Ok(new_null_array(ty, block.rows())),
            Some(row) => Err(row),
        },
    }
}

/// The first row that has no value, if one has none.
pub fn first_null(array: &ArrayRef) -> Option<usize> {
    let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0)?;
    nulls.iter().position(|present| !present)
}

/// The Arrow type of what [`build`] makes for a column of the given Arrow type.
pub fn built_type(ty: &DataType) -> DataType {
    if *ty == DataType::Utf8 { DataType::Binary } else { ty.clone() }
}

fn with_utc(array: &ArrayRef) -> ArrayRef {
    Arc::new(array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone("+00:00"))
}

/// How the cells of a column are read.
#[derive(Clone, Copy)]
struct Reading<'a> {
    text: &'a [u8],
    /// Quoted cells are strings, of which an empty one is a value too.
    typed: bool,
    /// Strings may be values of this type.
    strings: bool,
}

impl<'a> Reading<'a> {
    fn of(block: &'a Block, strings: bool) -> Self {
        Self { text: block.text(), typed: block.is_typed(), strings }
    }

    /// The value of a cell, nothing for a null, an error when it is none of the type. Of CSV an empty cell, quoted or
    /// not, is a null in all columns but text.
    #[inline]
    fn value<T>(self, cell: Cell, read: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, ()> {
        if self.typed && cell.is_quoted() {
            return if self.strings { read(cell.bytes(self.text)).map(Some).ok_or(()) } else { Err(()) };
        }
        if cell.len() == 0 {
            return Ok(None);
        }
        read(cell.bytes(self.text)).map(Some).ok_or(())
    }
}

fn numbers<T: ArrowPrimitiveType>(
    block: &Block,
    column: usize,
    strings: bool,
    read: impl Fn(&[u8]) -> Option<T::Native>,
) -> Built {
    let reading = Reading::of(block, strings);
    let mut values = Vec::with_capacity(block.rows());
    let mut valid = Validity::new(block.rows());
    for (row, cell) in block.column(column).enumerate() {
        match reading.value(cell, &read).map_err(|()| row)? {
            Some(value) => values.push(value),
            None => {
                values.push(T::Native::default());
                valid.null(row);
            }
        }
    }
    Ok(Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), valid.finish())))
}

fn booleans(block: &Block, column: usize) -> Built {
    let reading = Reading::of(block, false);
    let mut values = Vec::with_capacity(block.rows());
    let mut valid = Validity::new(block.rows());
    for (row, cell) in block.column(column).enumerate() {
        match reading.value(cell, value::boolean).map_err(|()| row)? {
            Some(value) => values.push(value),
            None => {
                values.push(false);
                valid.null(row);
            }
        }
    }
    Ok(Arc::new(BooleanArray::new(values.into(), valid.finish())))
}

fn texts(block: &Block, column: usize) -> ArrayRef {
    let text = block.text();
    let total = block.column(column).map(Cell::len).sum();
    let mut bytes: Vec<u8> = Vec::with_capacity(total);
    let mut offsets: Vec<i32> = Vec::with_capacity(block.rows() + 1);
    let mut valid = Validity::new(block.rows());
    offsets.push(0);
    for (row, cell) in block.column(column).enumerate() {
        if cell.is_escaped() {
            cell.copy_into(text, block.quote, &mut bytes);
        } else {
            bytes.extend_from_slice(cell.bytes(text));
        }
        if cell.is_null() {
            valid.null(row);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a block is far below 2 GiB")]
        offsets.push(bytes.len() as i32);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Arc::new(BinaryArray::new(offsets, Buffer::from_vec(bytes), valid.finish()))
}

/// Which rows hold values; costs nothing while all do.
struct Validity {
    rows: usize,
    present: Option<Vec<bool>>,
}

impl Validity {
    fn new(rows: usize) -> Self {
        Self { rows, present: None }
    }

    fn null(&mut self, row: usize) {
        self.present.get_or_insert_with(|| vec![true; self.rows])[row] = false;
    }

    fn finish(self) -> Option<NullBuffer> {
        self.present.map(NullBuffer::from)
    }
}
