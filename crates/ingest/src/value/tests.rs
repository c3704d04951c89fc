use super::*;

#[test]
fn booleans_are_true_and_false_in_any_case() {
    assert_eq!(boolean(b"TRUE"), Some(true));
    assert_eq!(boolean(b"False"), Some(false));
    for other in ["t", "yes", "1", "true ", " true", "truth", ""] {
        assert_eq!(boolean(other.as_bytes()), None, "{other:?}");
    }
}

#[test]
fn integers_have_one_spelling_and_64_bits() {
    let good = [("0", 0), ("-0", 0), ("7", 7), ("-12", -12), ("9223372036854775807", i64::MAX)];
    for (text, value) in good {
        assert_eq!(integer(text.as_bytes()), Some(value), "{text}");
    }
    assert_eq!(integer(b"-9223372036854775808"), Some(i64::MIN));
    let bad = [
        "",
        "-",
        "+1",
        "007",
        "-01",
        "1,000",
        "0x10",
        "1 ",
        " 1",
        "1.0",
        "9223372036854775808",
        "-9223372036854775809",
    ];
    for text in bad.into_iter().chain(["18446744073709551616", "99999999999999999999", "１"]) {
        assert_eq!(integer(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn doubles_are_read_exactly() {
    for text in [
        "0.1",
        "-3.25",
        "1e3",
        "1E-7",
        "2.5e+10",
        "123456789012345",
        "0.000001",
        "1e300",
        "-0.0",
        "1e22",
        "3e23",
        "0e999",
    ] {
        let value = double(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
    }
}

#[test]
fn doubles_that_would_lose_something_stay_text() {
    let unlike = [
        "", "-", ".5", "5.", "1.", "1e", "1e+", "+1.5", "00.5", "01", "NaN", "inf", "Infinity", "1,5", "1.5 ", "0x1p3",
        "1.5f",
    ];
    let lossy = [
        "1234567890123456",
        "1.234567890123456",
        "0.1234567890123456",
        "1e309",
        "-1e400",
        "1e-400",
        "5e-324",
        "1.000000000000000",
    ];
    for text in unlike.into_iter().chain(lossy) {
        assert_eq!(double(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn dates_are_days_of_the_calendar() {
    let known = [
        ("1970-01-01", 0),
        ("1969-12-31", -1),
        ("2000-02-29", 11016),
        ("2026-11-22", 20779),
        ("0001-01-01", -719_162),
        ("9999-12-31", 2_932_896),
    ];
    for (text, days) in known {
        assert_eq!(date(text.as_bytes()), Some(days), "{text}");
    }
    for text in [
        "2026-13-01",
        "2026-00-10",
        "2026-02-29",
        "1900-02-29",
        "2026-04-31",
        "2026-1-1",
        "20261122",
        "0000-01-01",
        "2026/11/22",
        "22-11-2026",
        "2026-11-22 ",
    ] {
        assert_eq!(date(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn every_day_follows_the_one_before() {
    let mut expected = date(b"1895-12-31").unwrap();
    for year in 1896..=2104 {
        for (month, day) in (1..=12).flat_map(|month| (1..=31).map(move |day| (month, day))) {
            if let Some(days) = date(format!("{year:04}-{month:02}-{day:02}").as_bytes()) {
                expected += 1;
                assert_eq!(days, expected, "{year}-{month}-{day}");
            }
        }
    }
}

#[test]
fn times_are_iso_8601_extended() {
    let day = 20779 * 86_400_000_000_i64;
    assert_eq!(timestamp(b"2026-11-22T00:00:00"), Some(day));
    assert_eq!(timestamp(b"2026-11-22T01:02"), Some(day + 3_720_000_000));
    assert_eq!(timestamp(b"2026-11-22T01:02:03.5"), Some(day + 3_723_500_000));
    assert_eq!(timestamp(b"2026-11-22T23:59:59.999999"), Some(day + 86_399_999_999));
    assert_eq!(timestamp(b"1969-12-31T23:59:59.999999"), Some(-1));
    let odd =
        ["2026-11-22 01:02:03", "2026-11-22T24:00:00", "2026-11-22T01:60:00", "2026-11-22T01:02:60", "2026-11-22T01"];
    let more = [
        "2026-11-22T01:02:03.",
        "2026-11-22T01:02:03.1234567",
        "2026-11-22T01:02:03Z",
        "2026-11-22T1:02:03",
        "20261122T010203",
    ];
    for text in odd.into_iter().chain(more) {
        assert_eq!(timestamp(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn moments_carry_their_offset() {
    let utc = moment(b"2026-11-22T10:00:00Z").unwrap();
    for same in [
        "2026-11-22T12:30:00+02:30",
        "2026-11-22T05:00:00-05",
        "2026-11-22T10:00:00.000+00:00",
        "2026-11-21T23:00-11:00",
    ] {
        assert_eq!(moment(same.as_bytes()), Some(utc), "{same}");
    }
    for text in [
        "2026-11-22T10:00:00",
        "2026-11-22T10:00:00z",
        "2026-11-22T10:00:00+0200",
        "2026-11-22T10:00:00+24:00",
        "2026-11-22T10:00:00 Z",
    ] {
        assert_eq!(moment(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn moments_have_four_digits_of_year_in_utc_too() {
    assert_eq!(moment(b"0001-01-01T00:00:00Z"), timestamp(b"0001-01-01T00:00:00"));
    assert_eq!(moment(b"0001-01-01T14:00:00+14:00"), timestamp(b"0001-01-01T00:00:00"));
    assert_eq!(moment(b"9999-12-31T23:59:59.999999Z"), timestamp(b"9999-12-31T23:59:59.999999"));
    for text in ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00+00:01", "9999-12-31T23:59:59-14:00"] {
        assert_eq!(moment(text.as_bytes()), None, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn integers_agree_with_the_standard_library(number: i64) {
        proptest::prop_assert_eq!(integer(number.to_string().as_bytes()), Some(number));
    }

    #[test]
    fn doubles_agree_with_the_standard_library(digits in 0_u64..1_000_000_000_000_000, exponent in -280_i32..280, negative: bool) {
        let text = format!("{}{digits}e{exponent}", if negative { "-" } else { "" });
        proptest::prop_assert_eq!(double(text.as_bytes()).map(f64::to_bits), Some(text.parse::<f64>().unwrap().to_bits()));
    }

    #[test]
    fn decimals_agree_with_the_standard_library(whole in 0_u32..1_000_000, fraction in 0_u32..100_000_000) {
        let text = format!("{whole}.{fraction}");
        proptest::prop_assert_eq!(double(text.as_bytes()).map(f64::to_bits), Some(text.parse::<f64>().unwrap().to_bits()));
    }
}
