use arrow::array::{Array, AsArray};
use std::io::{Seek, Write};

use super::*;
use crate::csv::reader::{Options, Reader};
use crate::reject::Refusals;
use crate::unpack::Unpacked;

fn block(text: &str) -> Block {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    let mut reader = Reader::open(Unpacked::open(file, base::ByteSize::gib(1)).unwrap(), Options::default()).unwrap();
    reader.next(&mut Refusals::default()).unwrap().unwrap()
}

#[test]
fn text_keeps_empty_strings_apart_from_nulls() {
    let array = build(&ColumnType::String, &block("a,b\nx,\"\"\ny,\nz,\"say \"\"hi\"\"\"\n"), 1).unwrap();
    let array = array.as_binary::<i32>();
    assert_eq!(array.iter().collect::<Vec<_>>(), [Some(&b""[..]), None, Some(b"say \"hi\"")]);
}

#[test]
fn empty_quotes_are_null_in_columns_that_are_not_text() {
    let block = block("a,b\n1,true\n\"\",\"\"\n,\n-3,FALSE\n");
    let numbers = build(&ColumnType::Int64, &block, 0).unwrap();
    assert_eq!(numbers.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(1), None, None, Some(-3)]);
    let booleans = build(&ColumnType::Bool, &block, 1).unwrap();
    assert_eq!(booleans.as_boolean().iter().collect::<Vec<_>>(), [Some(true), None, None, Some(false)]);
}

#[test]
fn the_first_value_that_does_not_fit_is_named_by_its_row() {
    let block = block("a\n1\n2\nx\ny\n");
    assert_eq!(build(&ColumnType::Int64, &block, 0).unwrap_err(), 2);
    assert_eq!(build(&ColumnType::Bool, &block, 0).unwrap_err(), 0);
}

#[test]
fn escaped_quotes_are_no_number() {
    let block = block("a\n\"1\"\"\"\n");
    assert_eq!(build(&ColumnType::Int64, &block, 0).unwrap_err(), 0);
}

#[test]
fn a_column_without_nulls_has_no_null_buffer() {
    let array = build(&ColumnType::Float64, &block("a\n1\n2.5\n"), 0).unwrap();
    assert!(array.nulls().is_none());
    assert_eq!(array.as_primitive::<Float64Type>().values()[..], [1.0, 2.5]);
}
