use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};

use super::*;

fn tally(batches: &[RecordBatch]) -> Tally {
    let mut teller = Teller::new(&batches[0].schema()).unwrap();
    batches.iter().for_each(|batch| teller.add(batch).unwrap());
    teller.tally()
}

fn batch(ids: Vec<Option<i64>>, names: Vec<Option<&str>>) -> RecordBatch {
    let columns: [(&str, ArrayRef); 2] =
        [("id", Arc::new(Int64Array::from(ids))), ("name", Arc::new(StringArray::from(names)))];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

#[test]
fn order_and_batches_do_not_matter_and_every_value_does() {
    let whole = tally(&[batch(vec![Some(1), None, Some(3)], vec![Some("a"), Some(""), None])]);
    let parts = [batch(vec![Some(3)], vec![None]), batch(vec![None, Some(1)], vec![Some(""), Some("a")])];
    assert_eq!(tally(&parts), whole);
    let others = [
        batch(vec![Some(1), None, Some(3)], vec![Some("a"), None, None]),
        batch(vec![Some(1), Some(0), Some(3)], vec![Some("a"), Some(""), None]),
        batch(vec![Some(3), None, Some(1)], vec![Some("a"), Some(""), None]),
        batch(vec![Some(1), None], vec![Some("a"), Some("")]),
        batch(vec![Some(1), None, Some(3), Some(3)], vec![Some("a"), Some(""), None, None]),
    ];
    for other in others {
        assert_ne!(tally(&[other]), whole);
    }
}

#[test]
fn floats_are_told_apart_by_their_bits() {
    let column = |value: f64| {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![value]));
        tally(&[RecordBatch::try_from_iter([("x", array)]).unwrap()])
    };
    assert_eq!(column(f64::NAN), column(f64::NAN));
    assert_ne!(column(0.0), column(-0.0));
}
