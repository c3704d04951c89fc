use super::*;

#[test]
fn only_well_formed_traceparents_are_passed_on() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    assert!(is_traceparent(&format!("00-{trace}-00f067aa0ba902b7-01")));
    for wrong in [
        String::new(),
        trace.to_owned(),
        format!("01-{trace}-00f067aa0ba902b7-01"),
        format!("00-{trace}-0000000000000000-01"),
        format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
        format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
        format!("00-{trace}-00f067aa0ba902b7-01-x"),
    ] {
        assert!(!is_traceparent(&wrong), "{wrong}");
    }
}
