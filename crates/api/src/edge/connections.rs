//! How many connections a role holds open, and how many of them one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(test)]
mod tests;

/// The bits of an IPv6 address that name a network; the rest is its owner's to choose.
const NETWORK: u128 = !0 << 64;

/// The connections of one role, counted.
#[derive(Clone)]
pub(super) struct Connections {
    most: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The right to hold one connection open; dropping it gives the right back.
pub(super) struct Ticket {
    of: Connections,
    address: IpAddr,
}

impl Connections {
    /// Room for so many.
    pub(super) fn at_most(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// Room for one more from `peer`. An address holds at most half of all, so that nobody takes the last place of
    /// everybody else.
    pub(super) fn admit(&self, peer: IpAddr) -> Option<Ticket> {
        let address = owner(peer);
        let mut open = self.lock();
        let held = open.by_address.get(&address).copied().unwrap_or_default();
        if open.all >= self.most || held >= self.most.div_ceil(2) {
            return None;
        }
        open.all += 1;
        open.by_address.insert(address, held + 1);
        Some(Ticket { of: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.of.lock();
        open.all -= 1;
        let held = open.by_address.get_mut(&self.address).map(|held| {
            *held -= 1;
            *held
        });
        if held == Some(0) {
            open.by_address.remove(&self.address);
        }
    }
}

/// The address that stands for all that one caller can choose from.
fn owner(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        address => address,
    }
}
