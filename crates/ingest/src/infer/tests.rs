use catalog::ColumnType::{self, Bool, Date, Float64, Int64, String, Timestamp, TimestampTz};

use super::Forms;

fn decide(values: &[&str]) -> ColumnType {
    let mut forms = Forms::default();
    for value in values {
        forms.add(Forms::of(value.as_bytes()));
    }
    forms.decide()
}

#[test]
fn a_type_holds_all_values() {
    let cases: [(&[&str], ColumnType); 22] = [
        (&["true", "FALSE", ""], Bool),
        (&["true", "1"], String),
        (&["1", "-2", "0"], Int64),
        (&["1", "2.5"], Float64),
        (&["2.5", "1"], Float64),
        (&["1e3"], Float64),
        (&["1", "00501"], String),
        (&["1", "+1"], String),
        (&["1,000"], String),
        (&["0x10"], String),
        (&["NaN"], String),
        (&["1 "], String),
        (&["9223372036854775807"], Int64),
        (&["9223372036854775808"], String),
        (&["1234567890123456"], Int64),
        (&["1234567890123456", "0.5"], String),
        (&["0.5", "1234567890123456"], String),
        (&["2026-11-22"], Date),
        (&["2026-11-22", "2026-11-22T10:00:00"], String),
        (&["2026-11-22T10:00:00", "2026-11-22T10:00"], Timestamp),
        (&["2026-11-22T10:00:00Z", "2026-11-22T10:00:00+02:00"], TimestampTz),
        (&["2026-11-22T10:00:00Z", "2026-11-22T10:00:00"], String),
    ];
    for (values, expected) in cases {
        assert_eq!(decide(values), expected, "{values:?}");
        let reversed: Vec<_> = values.iter().rev().copied().collect();
        assert_eq!(decide(&reversed), expected, "{reversed:?}");
    }
}

#[test]
fn columns_without_values_are_text() {
    assert_eq!(decide(&[]), String);
    assert_eq!(decide(&["", ""]), String);
}

#[test]
fn only_values_make_a_text_column_final() {
    assert!(!Forms::default().is_final());
    assert!(Forms::of(b"x").is_final());
    assert!(!Forms::of(b"1").is_final());
}
