use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::Int64Array;
use arrow::datatypes::{Field, Schema};
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;

use super::*;

fn check(bounds: &[(i32, i64, i64)], values: &[Option<i64>], expected: bool) {
    let of = |side: fn(&(i32, i64, i64)) -> i64| bounds.iter().map(move |bound| (bound.0, Bound::Long(side(bound))));
    let file = DataFile {
        path: "a.parquet".into(),
        size: 1,
        rows: values.len() as u64,
        lower: of(|bound| bound.1).collect(),
        upper: of(|bound| bound.2).collect(),
        nulls: BTreeMap::new(),
        constants: BTreeMap::new(),
        deletes: Vec::new(),
        exact: false,
    };
    let id = HashMap::from([(PARQUET_FIELD_ID_META_KEY.to_owned(), "1".to_owned())]);
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, true).with_metadata(id)]);
    let rows = RecordBatch::try_new(schema.into(), vec![Arc::new(Int64Array::from(values.to_vec()))]).unwrap();
    assert_eq!(holds(&file, &rows).unwrap(), expected, "{bounds:?} {values:?}");
}

#[test]
fn values_lie_within_the_bounds_that_are_stated_by_whichever_engine() {
    check(&[(1, 2, 5)], &[Some(2), None, Some(5)], true);
    check(&[(1, 2, 5)], &[Some(3), Some(6)], false);
    check(&[(1, 2, 5)], &[Some(1)], false);
    check(&[(1, 2, 5)], &[None], true);
    check(&[(2, 2, 5)], &[Some(9)], true);
    check(&[], &[Some(9)], true);
}
