//! What lets a role leave loopback.

use std::net::SocketAddr;

use crate::error::Error;
use crate::role::Role;

/// The two things that a bind outside loopback needs. By default there is neither, and only loopback may be bound.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exposure {
    /// A token is set.
    pub has_token: bool,
    /// The role's own variable, `LH_<ROLE>_ALLOW_NONLOOPBACK`, is exactly `1`.
    pub allowed: bool,
}

impl Exposure {
    /// Refuses an address outside loopback unless both are there, and says which is missing.
    pub fn check(self, role: Role, address: SocketAddr) -> Result<(), Error> {
        let lacking = match (self.has_token, self.allowed) {
            _ if address.ip().to_canonical().is_loopback() => return Ok(()),
            (true, true) => return Ok(()),
            (false, true) => "the token is missing",
            (true, false) => "the variable is missing",
            (false, false) => "both are missing",
        };
        Err(Error::NonLoopback { role, bind: address.to_string(), lacking })
    }
}
