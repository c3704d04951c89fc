use super::{is_loopback, spelled_as_signed};

#[test]
fn queries_are_spelled_as_they_are_signed() {
    let check = |given: &str, expected: Option<&str>| assert_eq!(spelled_as_signed(given).as_deref(), expected);
    check("http://h/a+b%7E*", None);
    check("http://h/a+b?prefix=x+y*%7E%2B", Some("http://h/a+b?prefix=x%20y%2A~%2B"));
}

#[test]
fn only_this_machine_is_trusted_without_tls() {
    let check = |endpoint: &str, expected: bool| assert_eq!(is_loopback(endpoint), expected, "{endpoint}");
    check("http://127.0.0.1:9000", true);
    check("http://localhost", true);
    check("http://[::1]:9000/", true);
    check("http://127.0.0.1.example.com", false);
    check("http://localhost.example.com:80", false);
    check("http://10.0.0.1:9000", false);
    check("", false);
}
