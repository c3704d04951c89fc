//! What a token may do, and what a request needs.

use std::fmt;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// What a token may do. No scope includes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Ask: read what is stored, query, search, embed, chat, check.
    Read,
    /// Change what is stored.
    Write,
    /// Change what only an operator should.
    Admin,
    /// See and erase what the law gives a person a say in.
    Legal,
}

/// Requests that read although their method does not say so, by method and path; `*` stands for one part of the path.
const READS: &[(Method, &str)] = &[
    (Method::POST, "/sql"),
    // Whoever may ask may take the question back.
    (Method::DELETE, "/sql/*"),
    (Method::POST, "/embed"),
    (Method::POST, "/embeddings"),
    (Method::POST, "/chat"),
    (Method::POST, "/validate"),
    (Method::POST, "/validate/packs/dry_run"),
    (Method::POST, "/chat/completions"),
    (Method::POST, "/vectors/index/*/search"),
    // Agents have tools that read, and no others.
    (Method::POST, "/mcp"),
    // Engines report on what they have read.
    (Method::POST, "/iceberg/v1/namespaces/*/tables/*/metrics"),
];

/// Requests that take something away from everybody who asks for the newest version: a table, its name, an index.
/// Where only the body tells, [`MayTakeAway`](super::MayTakeAway) says who may.
const ADMINISTERS: &[(Method, &str)] = &[
    (Method::DELETE, "/catalog/datasets/*"),
    (Method::POST, "/catalog/rollback/*"),
    (Method::POST, "/catalog/maintenance/expire"),
    (Method::POST, "/catalog/maintenance/sweep"),
    (Method::DELETE, "/vectors/index/*"),
    (Method::POST, "/validate/packs"),
    (Method::DELETE, "/validate/packs/*"),
    (Method::DELETE, "/iceberg/v1/namespaces/*"),
    (Method::DELETE, "/iceberg/v1/namespaces/*/tables/*"),
    (Method::POST, "/iceberg/v1/tables/rename"),
];

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Admin, Self::Legal];

    /// The scopes that requests need.
    pub(crate) const NEEDED: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// What a request needs: with or without `/v1`, whether or not a route answers it.
    pub(crate) fn needed(method: &Method, path: &str) -> Self {
        let path = path.strip_prefix("/v1").unwrap_or(path);
        let is_asked = |(of, pattern): &(Method, &str)| of == method && fits(pattern, path);
        match *method {
            Method::GET | Method::HEAD => Self::Read,
            _ if READS.iter().any(is_asked) => Self::Read,
            _ if ADMINISTERS.iter().any(is_asked) => Self::Admin,
            _ => Self::Write,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
            Self::Legal => "legal",
        })
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}
