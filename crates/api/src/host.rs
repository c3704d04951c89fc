//! Who may address this service, and whose pages may call it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{HOST, ORIGIN};

use crate::error::{Error, Result};
use crate::limits::Limits;

#[cfg(test)]
mod tests;

/// The two ends of the socket that a request came through. A request without them came from this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    /// The address that was called, the port included.
    pub(crate) own: SocketAddr,
    /// Who called.
    pub(crate) peer: SocketAddr,
}

/// Refuses a request that names another host, or that a page of another origin sent: a web page elsewhere must not
/// reach a service of this machine, not even through a name that it lets point here.
pub(crate) async fn check(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Result<Response> {
    if let Some(Arrived { own, .. }) = request.extensions().get().copied() {
        let rule = Rule { own, allowed: &limits.allowed_hosts };
        rule.check_host(&request)?;
        rule.check_origin(&request)?;
    }
    Ok(next.run(request).await)
}

struct Rule<'a> {
    own: SocketAddr,
    allowed: &'a [String],
}

impl Rule<'_> {
    fn check_host(&self, request: &Request) -> Result<(), Error> {
        let stated = request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap_or("?"));
        let target = request.uri().authority().map(http::uri::Authority::as_str);
        let mut given = stated.chain(target).peekable();
        let refused = |given: &str| Error::Host { given: given.chars().take(300).collect() };
        if given.peek().is_none() {
            return Err(refused(""));
        }
        given.find(|host| !self.is_own(host, 80)).map_or(Ok(()), |host| Err(refused(host)))
    }

    fn check_origin(&self, request: &Request) -> Result<(), Error> {
        for origin in request.headers().get_all(ORIGIN) {
            let origin = origin.to_str().unwrap_or("?");
            let own = match origin.split_once("://") {
                Some(("http", host)) => self.is_own(host, 80),
                Some(("https", host)) => self.is_own(host, 443),
                _ => false,
            };
            if !own {
                return Err(Error::Origin { given: origin.chars().take(300).collect() });
            }
        }
        Ok(())
    }

    fn is_own(&self, given: &str, default_port: u16) -> bool {
        let Some((name, port)) = split(given, default_port) else { return false };
        let listed = |entry: &String| entry.eq_ignore_ascii_case(name) || entry.eq_ignore_ascii_case(given);
        (self.is_here(name) && port == self.own.port()) || self.allowed.iter().any(listed)
    }

    /// Whether a name means this machine: loopback, or the address that was called. An address in numbers is nobody's
    /// to redirect.
    fn is_here(&self, name: &str) -> bool {
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let called = self.own.ip().to_canonical();
        let is_own = |address: IpAddr| address.is_loopback() || address.to_canonical() == called;
        name.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(is_own)
    }
}

/// The name and the port of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split(host: &str, default_port: u16) -> Option<(&str, u16)> {
    let end_of_name = host.rfind(']').map_or(0, |bracket| bracket + 1);
    match host.get(end_of_name..)?.rfind(':') {
        Some(colon) => {
            let colon = end_of_name + colon;
            Some((&host[..colon], host[colon + 1..].parse().ok()?))
        }
        None => Some((host, default_port)),
    }
}
