//! Namespaces created, noted on and dropped.

use std::collections::BTreeSet;

use async_trait::async_trait;
use base::Version;
use base::name::{DEFAULT_NAMESPACE, is_part};
use outsiders::asked::{Asked, digest};
use serde::{Deserialize, Serialize};
use tables::draft;

use super::Keeping;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::record::{Change, Properties};
use crate::state::State;

/// What is asked of a namespace.
#[derive(Debug, Clone)]
pub enum NamespaceWish {
    /// It shall exist.
    Create {
        /// Its name.
        namespace: String,
        /// Its properties.
        properties: Properties,
    },
    /// Its properties shall change.
    Note {
        /// Its name.
        namespace: String,
        /// The properties to be set.
        updates: Properties,
        /// The properties to be removed.
        removals: BTreeSet<String>,
    },
    /// It shall be gone.
    Drop {
        /// Its name.
        namespace: String,
    },
}

/// What became of the properties of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The keys that were set.
    pub updated: Vec<String>,
    /// The keys that were removed.
    pub removed: Vec<String>,
    /// The keys to be removed that were not there.
    pub missing: Vec<String>,
}

/// What came of a change.
#[derive(Debug, Clone)]
pub struct NamespaceChanged {
    /// The version in which it stands.
    pub version: Version,
    /// What became of the properties.
    pub told: Told,
}

impl NamespaceWish {
    /// The change as a request without more of a body than itself.
    pub fn asked(self) -> Asked<Self> {
        let digest = digest(&[&format!("{self:?}")]);
        Asked { what: self, digest }
    }

    /// What became of the properties; `was_there` tells which ones there were before.
    pub(super) fn told(&self, was_there: impl Fn(&String) -> bool) -> Told {
        let Self::Note { updates, removals, .. } = self else { return Told::default() };
        let (removed, missing) = removals.iter().cloned().partition(was_there);
        Told { updated: updates.keys().cloned().collect(), removed, missing }
    }

    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create namespace",
            Self::Note { .. } => "set properties of namespace",
            Self::Drop { .. } => "drop namespace",
        }
    }

    pub(super) fn namespace(&self) -> &str {
        match self {
            Self::Create { namespace, .. } | Self::Note { namespace, .. } | Self::Drop { namespace } => namespace,
        }
    }
}

/// A change of a namespace on its way through the committer.
pub(super) struct Spacing {
    wish: NamespaceWish,
    keeping: Keeping,
}

impl Spacing {
    pub fn new(wish: NamespaceWish, keeping: Keeping) -> Self {
        Self { wish, keeping }
    }
}

#[async_trait]
impl Proposal for Spacing {
    fn subject(&self) -> Subject {
        Subject::Whole
    }

    fn describe(&self) -> Description {
        self.keeping.describe(format!("{} {}", self.wish.verb(), self.wish.namespace()))
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        if self.keeping.kept(state)?.is_some() {
            return Ok(Vec::new());
        }
        match &self.wish {
            NamespaceWish::Create { namespace, properties } => create(state, namespace, properties),
            NamespaceWish::Note { namespace, updates, removals } => note(state, namespace, updates, removals),
            NamespaceWish::Drop { namespace } => drop_empty(state, namespace),
        }
    }

    async fn settle(&mut self, _: &Result<Settled>) {}
}

fn create(state: &State, namespace: &str, properties: &Properties) -> Result<Vec<Change>> {
    if !is_part(namespace) {
        let given: String = namespace.chars().take(300).collect();
        let rule = "use a letter or _ followed by at most 127 letters, digits, _ or -";
        return Err(Error::BadName(format!("{given:?} is not a namespace: {rule}")));
    }
    if draft::is_reserved(namespace) {
        return Err(Error::ReservedNamespace { namespace: namespace.to_owned() });
    }
    if state.namespaces.contains_key(namespace) {
        return Err(Error::NamespaceExists { namespace: namespace.to_owned() });
    }
    Ok(vec![put(namespace, properties.clone())])
}

fn note(state: &State, namespace: &str, updates: &Properties, removals: &BTreeSet<String>) -> Result<Vec<Change>> {
    let known = known(state, namespace)?;
    if let Some(both) = removals.iter().find(|key| updates.contains_key(*key)) {
        let key: String = both.chars().take(300).collect();
        return Err(Error::Contradiction(format!("property {key:?} is both set and removed")));
    }
    let mut next = known.clone();
    next.retain(|key, _| !removals.contains(key));
    next.extend(updates.clone());
    Ok(if next == *known { Vec::new() } else { vec![put(namespace, next)] })
}

/// The namespace that every unqualified name is in cannot go.
fn drop_empty(state: &State, namespace: &str) -> Result<Vec<Change>> {
    known(state, namespace)?;
    let tables = state.tables.keys().filter(|name| name.namespace() == namespace).count();
    if tables > 0 || namespace == DEFAULT_NAMESPACE {
        return Err(Error::NamespaceInUse { namespace: namespace.to_owned(), tables });
    }
    Ok(vec![Change::NamespaceDrop { namespace: namespace.to_owned() }])
}

fn known<'a>(state: &'a State, namespace: &str) -> Result<&'a Properties> {
    let unknown = || Error::UnknownNamespace { namespace: namespace.to_owned() };
    state.namespaces.get(namespace).map(AsRef::as_ref).ok_or_else(unknown)
}

fn put(namespace: &str, properties: Properties) -> Change {
    Change::NamespacePut { namespace: namespace.to_owned(), properties: Some(properties) }
}
