use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn one_address_holds_half_and_all_together_hold_all() {
    let connections = Connections::at_most(4);
    let (near, far) = (address("10.0.0.1"), address("10.0.0.2"));
    let held: Vec<_> = [near, near].map(|peer| connections.admit(peer).expect("room")).into();
    assert!(connections.admit(near).is_none(), "half is for others");
    let _mapped = connections.admit(far).expect("room");
    let last = connections.admit(address("::ffff:10.0.0.2")).expect("room");
    assert!(connections.admit(address("10.0.0.3")).is_none(), "all are taken");
    drop(last);
    drop(held);
    assert!(connections.admit(near).is_some(), "what was given back can be taken again");
    assert_eq!(connections.lock().by_address.len(), 1, "nobody is remembered who holds nothing");
}

#[test]
fn the_addresses_of_one_ipv6_network_count_as_one() {
    let connections = Connections::at_most(2);
    let _held = connections.admit(address("2001:db8::1")).expect("room");
    assert!(connections.admit(address("2001:db8::2")).is_none());
    assert!(connections.admit(address("2001:db8:0:1::1")).is_some());
}

#[test]
fn a_single_place_can_be_taken() {
    assert!(Connections::at_most(1).admit(address("127.0.0.1")).is_some());
    assert!(Connections::at_most(0).admit(address("127.0.0.1")).is_none());
}
