use super::another_name;

fn check(body: &str, name: &str, expected: Option<&str>) {
    assert_eq!(another_name(body, name).as_deref(), expected, "{body}");
}

#[test]
fn the_name_behind_the_greeting_is_compared() {
    check("Hi John, are you free?", "Jane Doe", Some("John"));
    check("hi john, are you free?", "Jane Doe", Some("john"));
    check("Dear Mr. Smith,\nwe have a shift", "Jane Doe", Some("Smith"));
    check("Good morning Jane Smith! A shift", "Jane Doe", Some("Jane Smith"));
    check("Hello O'Brien: a shift", "Mary O'Brien", None);
    check("Hi jane, are you free?", "Jane Doe", None);
    check("DEAR JANE DOE\nA shift", "Jane Doe", None);
    check("Hi Zoë, a shift", "ZOË Ångström", None);
    check("Hi Jane. Forklift shift open", "Jane Doe", None);
    check("Dear J. Doe, a shift", "J. Doe", None);
}

#[test]
fn a_greeting_of_nobody_is_no_other_name() {
    for body in [
        "Hi there, a shift",
        "Hello team,",
        "Hi, we have a shift",
        "A shift for John",
        "",
        "Hi",
        "High John, hi",
        "Hello and welcome, all",
    ] {
        check(body, "Jane Doe", None);
    }
}
