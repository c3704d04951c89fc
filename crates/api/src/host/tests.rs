use super::*;

fn own_at(address: &str, host: &str) -> bool {
    let allowed = ["lake.example".to_owned(), "tunnel:9000".to_owned()];
    Rule { own: address.parse().unwrap(), allowed: &allowed }.is_own(host, 80)
}

fn own(host: &str) -> bool {
    own_at("127.0.0.1:3110", host)
}

#[test]
fn the_address_that_was_called_is_own() {
    for (address, host, expected) in [
        ("10.0.0.1:3110", "10.0.0.1:3110", true),
        ("10.0.0.1:3110", "localhost:3110", true),
        ("10.0.0.1:3110", "10.0.0.2:3110", false),
        ("10.0.0.1:3110", "10.0.0.1:3111", false),
        ("10.0.0.1:80", "10.0.0.1", true),
        ("[::ffff:10.0.0.1]:3110", "10.0.0.1:3110", true),
        ("[2001:db8::1]:3110", "[2001:db8::1]:3110", true),
        ("[2001:db8::1]:3110", "[2001:db8::2]:3110", false),
    ] {
        assert_eq!(own_at(address, host), expected, "{host} at {address}");
    }
}

#[test]
fn loopback_names_with_the_own_port_and_listed_names_are_own() {
    for host in [
        "127.0.0.1:3110",
        "127.8.9.1:3110",
        "localhost:3110",
        "LOCALHOST:3110",
        "[::1]:3110",
        "lake.example",
        "Lake.Example:8443",
        "tunnel:9000",
    ] {
        assert!(own(host), "{host}");
    }
}

#[test]
fn everything_else_is_not() {
    for host in [
        "",
        "localhost",
        "127.0.0.1",
        "127.0.0.1:3111",
        "[::1]",
        "evil.example:3110",
        "localhost.evil.example:3110",
        "127.0.0.1.evil.example:3110",
        "10.0.0.1:3110",
        "tunnel:9001",
        "127.0.0.1:3110:3110",
        "user@127.0.0.1:3110",
        "localhost:",
        "]:3110",
    ] {
        assert!(!own(host), "{host}");
    }
}
