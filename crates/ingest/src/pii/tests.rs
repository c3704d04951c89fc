use super::*;

fn noticed(column: &str, values: &[&str]) -> Option<Pii> {
    let mut sample = Sample::of(column);
    values.iter().for_each(|value| sample.see(value));
    sample.decide(&ColumnType::String)
}

#[test]
fn a_name_that_says_it_is_enough() {
    let cases = [
        ("email", Pii::Email),
        ("E-Mail", Pii::Email),
        ("customerEmailAddress", Pii::Email),
        ("home_phone_number", Pii::Phone),
        ("SSN", Pii::Ssn),
        ("date_of_birth", Pii::BirthDate),
        ("DOB", Pii::BirthDate),
        ("firstname", Pii::Name),
        ("Last Name", Pii::Name),
        ("Vorname", Pii::Name),
        ("mailing_address", Pii::Address),
        ("iban", Pii::Other),
    ];
    for (column, kind) in cases {
        assert_eq!(noticed(column, &["?"]), Some(kind), "{column}");
    }
}

#[test]
fn a_name_about_such_data_says_nothing() {
    for column in ["email_verified", "phone_count", "has_email", "address_type", "is_birthday", "emailed", "username"] {
        assert_eq!(noticed(column, &["x", "y", "z"]), None, "{column}");
    }
}

#[test]
fn a_name_that_hints_needs_values_that_agree() {
    assert_eq!(noticed("name", &["Alice", "Bob", "Chiara"]), Some(Pii::Name));
    assert_eq!(noticed("name", &["EMERY,  ALICE M", "O'BRIEN, JAMES", "RODRÍGUEZ, MARÍA"]), Some(Pii::Name));
    assert_eq!(noticed("name", &["Toledo", "Canton", "Akron"]), None);
    assert_eq!(noticed("name", &["widget", "bolt M4"]), None);
    assert_eq!(noticed("address", &["10.0.0.1", "10.0.0.2"]), None);
    assert_eq!(noticed("address", &["12 Main St."]), Some(Pii::Address));
}

#[test]
fn values_of_one_form_are_noticed_under_any_name() {
    let cases: [(&[&str], Pii); 6] = [
        (&["ann@example.org", "bob.b+x@mail.example.co.uk", "юлия@пример.рф"], Pii::Email),
        (&["+49 30 901820", "(312) 555-0199", "312-555-0188", "01 23 45 67 89", "0171/1234567"], Pii::Phone),
        (&["219-09-9999", "078-05-1120", "QQ 12 34 56 C", "046-454-286"], Pii::Ssn),
        (&["12 Main Street", "1600 Pennsylvania Ave NW", "Hauptstraße 5a", "12 bis, rue de la Paix"], Pii::Address),
        (&["Calle Mayor 3, Madrid", "Via Roma 1", "Keizersgracht 174", "PO Box 77"], Pii::Address),
        (&["Alice Emery", "James O'Brien", "Hans-Peter Müller", "Klaus Meier", "Wang Wei"], Pii::Name),
    ];
    for (values, kind) in cases {
        assert_eq!(noticed("c7", values), Some(kind), "{values:?}");
    }
}

#[test]
fn one_stray_value_and_one_repeated_value_decide_nothing() {
    assert_eq!(noticed("note", &["ann@example.org"]), None);
    assert_eq!(noticed("note", &["ann@example.org"; 50]), None);
    assert_eq!(noticed("note", &["a@example.org", "b@example.org", "none", "see file", "later"]), None);
}

#[test]
fn dates_numbers_and_places_are_nobodys() {
    let cases: [&[&str]; 6] = [
        &["2024-01-31", "31.01.2024", "01/31/2024"],
        &["3125550199", "3125550188"],
        &["1.5.0", "10.0.0.1"],
        &["Fort Wayne", "San Jose", "New York", "Grand Rapids", "Los Angeles"],
        &["12 apples", "5 boxes"],
        &["Main Street Bakery", "Road Works Ltd"],
    ];
    for values in cases {
        assert_eq!(noticed("c7", values), None, "{values:?}");
    }
}

#[test]
fn types_that_cannot_hold_it_are_left_alone() {
    let decide = |column: &str, ty| Sample::of(column).decide(&ty);
    assert_eq!(decide("email", ColumnType::Bool), None);
    assert_eq!(decide("email", ColumnType::Timestamp), None);
    assert_eq!(decide("phone", ColumnType::Int64), Some(Pii::Phone));
    assert_eq!(decide("birth_date", ColumnType::Date), Some(Pii::BirthDate));
}

#[test]
fn known_given_names_are_found_in_any_case() {
    for name in ["Aaron", "ZOE", "maría", "Jürgen"] {
        assert!(given_names::is_known(name), "{name}");
    }
    assert!(!given_names::is_known("Toledo"));
}
