use proptest::prelude::*;

use super::{holds_ssn, tells_pay};

#[test]
fn a_social_security_number_stands_alone() {
    for held in [
        "123-45-6789",
        "SSN:123-45-6789.",
        "ä123-45-6789ö",
        "(123-45-6789)",
        "123-45-6789 987-65-4321",
        "a-123-45-6789-b",
        "123\u{2011}45\u{2011}6789",
        "since 2024–123-45-6789",
    ] {
        assert!(holds_ssn(held), "{held}");
    }
    for free in [
        "",
        "123-45-678",
        "1123-45-6789",
        "123-45-67890",
        "555-123-4567",
        "1-800-555-12-3456",
        "+46-123-45-6789",
        "123-45-6789-1",
        "123 45 6789",
        "123456789",
        "123.45.6789",
        "12-345-6789",
        "2026-11-23",
        "419\u{2011}555\u{2011}0100",
        "1\u{2013}123\u{2013}45\u{2013}6789",
    ] {
        assert!(!holds_ssn(free), "{free}");
    }
}

#[test]
fn pay_is_a_word_for_it_beside_dollars() {
    let gap = |length: usize| format!("salary{}$900", " ".repeat(length));
    for told in [
        "The salary is $52,000",
        "$18.50/hr wage",
        "Pay: $ 20 an hour",
        "$21 hourly",
        "COMPENSATION of up to $9",
        &gap(40),
        "you will be paid about $150",
    ] {
        assert!(tells_pay(told), "{told}");
    }
    for untold in [
        "",
        "salary to be agreed",
        "Parking is $5",
        "the payload costs $5",
        "salary: 500 EUR",
        "$ salary",
        &gap(41),
        "US$ and wages",
        "salarymen bring $5",
    ] {
        assert!(!tells_pay(untold), "{untold}");
    }
}

/// A telephone number in one of the ways people write them.
fn telephone(form: u64, area: u64, exchange: u64, line: u64) -> String {
    let (area, exchange, line) = (200 + area % 800, 100 + exchange % 900, line % 10_000);
    match form % 12 {
        0 => format!("{area}-{exchange}-{line:04}"),
        1 => format!("({area}) {exchange}-{line:04}"),
        2 => format!("{area}.{exchange}.{line:04}"),
        3 => format!("+1 {area} {exchange} {line:04}"),
        4 => format!("1-{area}-{exchange}-{line:04}"),
        5 => format!("{area}{exchange}{line:04}"),
        6 => format!("{exchange}-{line:04}"),
        7 => format!("+1-{area}-{exchange}-{line:04} ext. {area}"),
        8 => format!("tel:+1{area}{exchange}{line:04}"),
        9 => format!("{area} {exchange}-{line:04}"),
        10 => format!("+49-{area}-{}-{line:04}", 10 + exchange % 90),
        _ => format!("{area}-{exchange}-{line:04}-{area}"),
    }
}

#[test]
fn telephone_numbers_in_a_hundred_thousand_messages_are_no_social_security_numbers() {
    let mut state = 6_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let around = [("Call me at ", "."), ("tel:", ""), ("", " or "), ("(", ")"), ("Büro: ", "\n"), ("#", "!")];
    for _ in 0..100_000 {
        let phone = telephone(next(), next(), next(), next());
        let (before, after) = around[(next() % 6) as usize];
        let message = format!("{before}{phone}{after}");
        assert!(!holds_ssn(&message), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn social_security_numbers_always_count(
        before in "(.{0,20}[^0-9-])?", number in "[0-9]{3}-[0-9]{2}-[0-9]{4}", after in "([^0-9-].{0,20})?",
    ) {
        let text = format!("{before}{number}{after}");
        prop_assert!(holds_ssn(&text), "{}", text);
    }
}
