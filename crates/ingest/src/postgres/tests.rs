use super::batch::{day, decimal, moment};

#[test]
fn days_and_times_count_from_another_year() {
    assert_eq!(day(&0_i32.to_be_bytes()), Some(10_957));
    assert_eq!(moment(&1_i64.to_be_bytes()), Some(946_684_800_000_001));
    for infinite in [i32::MAX, i32::MIN, 3_000_000] {
        assert_eq!(day(&infinite.to_be_bytes()), None);
    }
    for infinite in [i64::MAX, i64::MIN] {
        assert_eq!(moment(&infinite.to_be_bytes()), None);
    }
}

#[test]
fn decimals_are_exact() {
    let cases =
        [("0.00", 0), ("-0.05", -5), ("12.5", 1250), ("99999999999999999999.99", 9_999_999_999_999_999_999_999)];
    for (text, expected) in cases {
        assert_eq!(decimal(text.as_bytes(), 2), Some(expected), "{text}");
    }
    for text in ["NaN", "Infinity", "1.234", ""] {
        assert_eq!(decimal(text.as_bytes(), 2), None, "{text}");
    }
}
