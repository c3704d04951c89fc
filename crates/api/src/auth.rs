//! Who may ask: the address and the bearer token, two layers that know nothing of each other.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::{Error, Result};
use crate::health::is_health;
use crate::host::Arrived;

mod config;
mod scope;
#[cfg(test)]
mod tests;

pub use config::{AuthConfig, NamedToken};
pub use scope::Scope;

/// The tokens and the addresses that a process lets in; by default it knows none and lets everybody in. Cheap to clone.
#[derive(Clone, Default)]
pub struct Auth(Arc<Rules>);

#[derive(Default)]
struct Rules {
    tokens: Vec<Known>,
    addresses: Vec<IpNet>,
}

/// A token as it is kept: digests are of one length, so comparing them tells nothing of the token's.
struct Known {
    digest: [u8; 32],
    scopes: Vec<Scope>,
}

/// Marks a request that a door of this process has let in.
#[derive(Debug, Clone, Copy)]
struct Admitted {
    administers: bool,
}

/// Whether whoever asks may take something away from everybody, where only the body tells that it would. What comes
/// from this process may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MayTakeAway(pub bool);

impl<S: Sync> FromRequestParts<S> for MayTakeAway {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Ok(Self(parts.extensions.get::<Admitted>().is_none_or(|admitted| admitted.administers)))
    }
}

impl Auth {
    /// Reads the settings, in which `token` is the one that holds, wherever it was written. Fails on a setting that would
    /// let in nobody, or other people than it seems to.
    pub fn settle(config: &AuthConfig) -> Result<Self, Error> {
        Ok(Self(Arc::new(Rules { tokens: config.known()?, addresses: config.addresses()? })))
    }

    /// Whether a token is needed at all.
    pub fn has_token(&self) -> bool {
        !self.0.tokens.is_empty()
    }

    fn admit(&self, request: &mut Request) -> Result<(), Error> {
        let passed = is_health(request.uri().path()) || request.extensions().get::<Admitted>().is_some();
        let Some(arrived) = request.extensions().get::<Arrived>().filter(|_| !passed) else { return Ok(()) };
        self.check_address(arrived.peer.ip().to_canonical())?;
        let administers = self.check_token(request)?.is_none_or(|scopes| scopes.contains(&Scope::Admin));
        request.extensions_mut().insert(Admitted { administers });
        Ok(())
    }

    fn check_address(&self, peer: IpAddr) -> Result<(), Error> {
        let listed = &self.0.addresses;
        if listed.is_empty() || listed.iter().any(|net| net.contains(&peer)) {
            return Ok(());
        }
        Err(Error::Address { peer })
    }

    /// What the request's token may do; none when tokens are not asked for.
    fn check_token(&self, request: &Request) -> Result<Option<&[Scope]>, Error> {
        if !self.has_token() {
            return Ok(None);
        }
        let given = bearer(request.headers())?;
        let scopes = self.scopes_of(given).ok_or(Error::WrongToken)?;
        let needed = Scope::needed(request.method(), request.uri().path());
        if scopes.contains(&needed) { Ok(Some(scopes)) } else { Err(Error::Scope { needed }) }
    }

    /// Every known token is compared, whichever fits.
    fn scopes_of(&self, given: &str) -> Option<&[Scope]> {
        let digest = digest_of(given);
        let mut scopes = None;
        for known in &self.0.tokens {
            if bool::from(known.digest.ct_eq(&digest)) {
                scopes = Some(known.scopes.as_slice());
            }
        }
        scopes
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth({} tokens, {} addresses)", self.0.tokens.len(), self.0.addresses.len())
    }
}

/// Lets a request in, or says why not. What comes from this process needs no leave, and the health routes ask for none.
pub(crate) async fn check(State(auth): State<Auth>, mut request: Request, next: Next) -> Result<Response> {
    auth.admit(&mut request)?;
    Ok(next.run(request).await)
}

/// The one token of the request.
fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let mut stated = headers.get_all(AUTHORIZATION).iter();
    let only = stated.next().ok_or(Error::NoToken)?;
    if stated.next().is_some() {
        return Err(Error::WrongToken);
    }
    let (scheme, token) = only.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Error::WrongToken)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(Error::WrongToken) }
}

fn digest_of(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
