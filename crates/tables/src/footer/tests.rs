use std::sync::Arc as Shared;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use super::*;
use crate::column::{ColumnType, NewColumn};
use crate::schema::{iceberg_schema, number};

fn upper(text: &str) -> Option<String> {
    raise(Datum::string(text)).and_then(|datum| super::text(&datum).map(str::to_owned))
}

#[test]
fn short_text_is_its_own_bound_and_long_text_is_raised() {
    assert_eq!(upper("abc").as_deref(), Some("abc"));
    assert_eq!(upper("abcdefghijklmnopqrst").as_deref(), Some("abcdefghijklmnoq"));
    assert_eq!(upper(&"\u{10ffff}".repeat(20)), None);
    assert_eq!(upper(&format!("a{}", "\u{10ffff}".repeat(20))).as_deref(), Some("b"));
    assert_eq!(upper(&"\u{d7ff}".repeat(17)).as_deref(), Some(format!("{}\u{e000}", "\u{d7ff}".repeat(15)).as_str()));
}

proptest! {
    #[test]
    fn bounds_hold_for_any_text(text in "\\PC*") {
        let lower = shorten(Datum::string(&text)).unwrap();
        prop_assert!(super::text(&lower).unwrap() <= text.as_str());
        if let Some(upper) = upper(&text) {
            prop_assert!(upper.as_str() >= text.as_str());
            prop_assert!(upper.chars().count() <= BOUND_CHARS);
        }
    }
}

/// The data file of columns `id`, `x` and `name`, one row group per row.
fn file(ids: &[Option<i64>], xs: &[f64], names: &[&str], properties: WriterProperties) -> DataFile {
    let types = [("id", ColumnType::Int64), ("x", ColumnType::Float64), ("name", ColumnType::String)];
    let columns = number(&types.map(|(name, ty)| NewColumn { name: name.into(), ty }), 0);
    let schema = crate::schema::arrow_schema(&columns).unwrap();
    let arrays: Vec<ArrayRef> = vec![
        Shared::new(Int64Array::from(ids.to_vec())),
        Shared::new(Float64Array::from(xs.to_vec())),
        Shared::new(StringArray::from(names.to_vec())),
    ];
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties)).unwrap();
    writer.write(&RecordBatch::try_new(schema, arrays).unwrap()).unwrap();
    let footer = Shared::new(writer.close().unwrap());
    let file = NewFile { path: "p".into(), footer, size: 100 };
    data_file(&file, "file:///lake/p".into(), &iceberg_schema(&columns).unwrap(), &HashSet::new()).unwrap()
}

fn per_row() -> WriterProperties {
    WriterProperties::builder().set_max_row_group_row_count(Some(1)).build()
}

#[test]
fn row_groups_add_up() {
    let file = file(&[Some(5), None, Some(-2)], &[0.5, 1.5, -0.5], &["b", "a", "c"], per_row());
    assert_eq!((file.record_count(), file.value_counts()[&1], file.null_value_counts()[&1]), (3, 3, 1));
    assert_eq!((&file.lower_bounds()[&1], &file.upper_bounds()[&1]), (&Datum::long(-2), &Datum::long(5)));
    assert_eq!((&file.lower_bounds()[&2], &file.upper_bounds()[&2]), (&Datum::double(-0.5), &Datum::double(1.5)));
    assert_eq!((&file.lower_bounds()[&3], &file.upper_bounds()[&3]), (&Datum::string("a"), &Datum::string("c")));
    assert_eq!(file.split_offsets().unwrap().len(), 3);
}

#[test]
fn a_row_group_that_says_nothing_leaves_the_column_without_bounds() {
    let silent =
        WriterProperties::builder().set_statistics_enabled(parquet::file::properties::EnabledStatistics::None).build();
    let silent = file(&[Some(5)], &[0.5], &["b"], silent);
    assert!(silent.lower_bounds().is_empty() && silent.upper_bounds().is_empty());
    let nan = file(&[Some(1), Some(2)], &[f64::NAN, 1.0], &["a", "b"], per_row());
    assert!(!nan.lower_bounds().contains_key(&2));
}

#[test]
fn a_column_without_values_has_counts_and_no_bounds() {
    let file = file(&[None, None], &[1.0, 2.0], &["a", "b"], per_row());
    assert_eq!(file.null_value_counts()[&1], 2);
    assert!(!file.lower_bounds().contains_key(&1));
}

#[test]
fn a_footer_that_would_fill_the_memory_is_refused_by_its_stated_length() {
    let tail = |length: u32| Bytes::from([&length.to_le_bytes()[..], b"PAR1"].concat());
    assert_eq!(footer_length(&tail(1000)).unwrap(), 1000);
    assert!(footer_length(&tail(u32::MAX)).is_err());
}
