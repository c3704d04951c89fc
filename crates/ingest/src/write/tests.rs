use std::io;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::{DataType, Field, Schema};
use base::Fault;
use parquet::arrow::arrow_writer::compute_leaves;

use super::*;

/// Takes the mark at a Parquet file's beginning, and then has no room left.
#[derive(Default)]
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        let source = "no space left on device".into();
        if self.0 > 4 { Err(io::Error::other(storage::Error::Full { source })) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_store_is_told_as_such_and_once() {
    let fields = ["a", "b"].map(|name| Field::new(name, DataType::Int64, true));
    let layout = Layout::new(&Schema::new(fields.to_vec()), &[true, true], &[false, false]).unwrap();
    let file = ParquetFile::create(Full::default(), layout).unwrap();
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
    let outcomes = (0..2).map(|group| {
        let mut outcomes = Vec::new();
        for (column, mut encoder) in file.encoders(group).unwrap().into_iter().enumerate() {
            for leaf in compute_leaves(&fields[column], &values).unwrap() {
                encoder.write(&leaf).unwrap();
            }
            outcomes.push(file.add(group, column, encoder.close().unwrap()));
        }
        outcomes
    });
    let failures: Vec<_> = outcomes.flatten().filter_map(Result::err).map(|error| error.code()).collect();
    assert_eq!(failures, ["storage.full"]);
}
