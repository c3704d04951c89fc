use super::*;

#[test]
fn whole_numbers_are_taken_in_any_notation() {
    let good =
        [("7", 7), ("1.0", 1), ("-12.000", -12), ("1e2", 100), ("+5", 5), ("2.5e1", 25), ("100e-2", 1), ("0e999", 0)];
    for (text, value) in
        good.into_iter().chain([("9223372036854775807.0", i64::MAX), ("-922337203685477580.8e1", i64::MIN)])
    {
        assert_eq!(whole(text.as_bytes()), Some(value), "{text}");
    }
    let bad =
        ["", "+", "+-5", "--5", "1.5", "1e-1", "007", "00.0", "1.", ".0", "1e", "9223372036854775808.0", "1e400", " 1"];
    for text in bad.into_iter().chain(["1e999999", "１"]) {
        assert_eq!(whole(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn decimals_have_the_places_of_their_type_and_no_more() {
    let good = [("0", 0), ("-0", 0), ("1.2", 120), ("-12.34", -1234), ("1.2300", 123), ("99999.99", 9_999_999)];
    for (text, units) in good.into_iter().chain([("1e2", 10_000), ("+5", 500), ("125e-2", 125), ("0.0e99", 0)]) {
        assert_eq!(decimal(text.as_bytes(), 7, 2), Some(units), "{text}");
    }
    for text in ["", "-", ".5", "1.", "01", "1.234", "100000", "1e5", "1e-3", "1.2.3", "1,5", &"9".repeat(50)] {
        assert_eq!(decimal(text.as_bytes(), 7, 2), None, "{text}");
    }
    assert_eq!(decimal("9".repeat(38).as_bytes(), 38, 0), Some(10_i128.pow(38) - 1));
}

#[test]
fn floats_of_32_bits_are_what_is_written_or_nothing() {
    let full = format!("{:.60}", f64::from(0.3_f32));
    let good = ["0", "-0.0", "1.5", "0.1", "16777216", "3.4e38", "-2.5e-3", "0.33333334", "1e-45", "+5", "1e2"];
    for text in good.into_iter().chain(["0.30000001192092896", "0.300000012", "193.18765258789063", &full]) {
        let value = single(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(value.to_bits(), text.parse::<f32>().unwrap().to_bits(), "{text}");
    }
    for text in
        ["", "x", "inf", "NaN", "16777217", "3.14159265", "3.5e38", "1e-46", "0.3333333333", "0.30000001192092897"]
    {
        assert_eq!(single(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn doubles_may_have_all_of_their_digits_and_no_others() {
    for text in ["0.1", "+1.5", "0.30000000000000004", "1234567890123456.5", "1.000000000000000", "5e-324"] {
        let value = double(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
    }
    let long = format!("0.1{}1", "0".repeat(70_000));
    for text in ["0.3000000000000000412", "1234567890123456.7", "1e309", "9007199254740993", "inf", "00.5", &long] {
        assert_eq!(double(text.as_bytes()), None, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn floats_are_taken_as_they_are_printed(bits: u32) {
        let float = f32::from_bits(bits);
        proptest::prop_assume!(float.is_finite());
        let wide = f64::from(float);
        for text in [float.to_string(), format!("{float:e}"), format!("{float:.8e}"), wide.to_string(), format!("{wide:.120e}")] {
            proptest::prop_assert_eq!(single(text.as_bytes()).map(f32::to_bits), Some(bits), "{}", text);
        }
    }
}
