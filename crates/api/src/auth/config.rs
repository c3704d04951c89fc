//! Tokens and addresses as they are written: settings.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use storage::Secret;

use super::{Known, Scope, digest_of};
use crate::error::Error;

/// The bits that mark an IPv6 address as one of IPv4.
const MAPPED_PREFIX: u8 = 96;

/// Who may ask. Without a token and on loopback everybody may.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// The token that requests must bear. It may do everything.
    pub token: Option<Secret>,
    /// The environment variable that holds the token, if neither `token` nor `token_file` states it.
    pub token_env: String,
    /// A file that holds the token.
    pub token_file: Option<PathBuf>,
    /// Tokens that pass too, while the primary one is being replaced.
    pub secondary_tokens: Vec<Secret>,
    /// Tokens that may do some things only, as a list of tables such as
    /// `[{ name = "reports", token = "${env:REPORTS_TOKEN}", scopes = ["read"] }]`; scopes are `read`, `write`, `admin`
    /// and `legal`, of which no one includes another.
    pub tokens: Vec<NamedToken>,
    /// Addresses and networks, such as `10.0.0.0/8`, that requests may come from; empty means any. The address is the
    /// socket's own, never what a header claims: behind a gateway or a proxy it is theirs.
    pub allowed_ips: Vec<String>,
}

/// A token that may do some things only.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table of `name`, `token` and `scopes`")]
pub struct NamedToken {
    /// What the operator calls it.
    pub name: String,
    /// The token.
    pub token: Secret,
    /// What it may do; no scope includes another.
    pub scopes: Vec<Scope>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            token: None,
            token_env: "AUTH_TOKEN".to_owned(),
            token_file: None,
            secondary_tokens: Vec::new(),
            tokens: Vec::new(),
            allowed_ips: Vec::new(),
        }
    }
}

impl AuthConfig {
    /// Every token that passes, by its digest.
    pub(super) fn known(&self) -> Result<Vec<Known>, Error> {
        let primary = self.token.iter().map(|token| ("auth.token", token));
        let secondary = self.secondary_tokens.iter().map(|token| ("auth.secondary_tokens", token));
        let mut known = Vec::new();
        for (key, token) in primary.chain(secondary) {
            add(&mut known, key, token, Scope::ALL.to_vec())?;
        }
        for (at, NamedToken { name, token, scopes }) in self.tokens.iter().enumerate() {
            let key = format!("auth.tokens ({name})");
            if name.is_empty() || self.tokens[..at].iter().any(|other| other.name == *name) {
                return Err(Error::Setting { key, rule: "each of these tokens has a name of its own" });
            }
            if !scopes.iter().any(|scope| Scope::NEEDED.contains(scope)) {
                return Err(Error::Setting {
                    key,
                    rule: "it has none of `read`, `write` and `admin`, so it may do nothing",
                });
            }
            add(&mut known, &key, token, scopes.clone())?;
        }
        Ok(known)
    }

    /// The networks; an address by itself is a network of one.
    pub(super) fn addresses(&self) -> Result<Vec<IpNet>, Error> {
        let wrong: Vec<_> = self.allowed_ips.iter().filter(|text| network(text).is_none()).collect();
        if !wrong.is_empty() {
            let key = format!("auth.allowed_ips ({wrong:?})");
            return Err(Error::Setting { key, rule: "this is no address and no network such as 10.0.0.0/8" });
        }
        Ok(self.allowed_ips.iter().filter_map(|text| network(text)).collect())
    }
}

/// A network as it is written. Callers are known by their IPv4 address where they have one, so the networks are too.
fn network(text: &str) -> Option<IpNet> {
    let net = text.parse::<IpNet>().ok().or_else(|| Some(text.parse::<IpAddr>().ok()?.into()))?;
    let within_v4 = net.prefix_len().checked_sub(MAPPED_PREFIX);
    match (net.addr(), within_v4) {
        (IpAddr::V6(address), Some(prefix)) => match address.to_ipv4_mapped() {
            Some(v4) => Ipv4Net::new(v4, prefix).ok().map(IpNet::V4),
            None => Some(net),
        },
        _ => Some(net),
    }
}

fn add(known: &mut Vec<Known>, key: &str, token: &Secret, scopes: Vec<Scope>) -> Result<(), Error> {
    let refused = |rule| Err(Error::Setting { key: key.to_owned(), rule });
    let text = token.expose();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refused("a token is one or more visible ASCII characters, without spaces");
    }
    let digest = digest_of(text);
    if known.iter().any(|other| other.digest == digest) {
        return refused("this token is stated twice, and may be meant for two things");
    }
    known.push(Known { digest, scopes });
    Ok(())
}
