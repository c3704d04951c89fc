//! What writers were told of their deeds, and what readers saw.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::{Fault, Kind, Version};
use catalog::{Catalog, Error, Result};

use crate::deed::Deed;

/// What a writer knows of a deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It stands in this version.
    Committed(Version),
    /// It stands, in whichever version.
    Stands,
    /// This version holds what it wants, whoever did it.
    Holds(Version),
    /// There was nothing to do.
    Needless,
    /// It did not happen.
    Refused,
    /// Nobody said; so at first, and for good when the writer was killed.
    Unknown,
}

/// What there is to judge, by the ids of the deeds.
#[derive(Debug, Default)]
pub struct Ledger {
    deeds: Mutex<BTreeMap<String, (Deed, Told)>>,
    /// The metadata of each table in each version, as somebody read it.
    seen: Mutex<BTreeMap<(Version, String), String>>,
    faults: Mutex<Vec<String>>,
}

impl Ledger {
    /// A deed is begun.
    pub fn begin(&self, id: &str, deed: Deed) {
        lock(&self.deeds).insert(id.to_owned(), (deed, Told::Unknown));
    }

    /// A writer hears how its deed ended. A store that fails is no excuse for errors that call for the operator.
    pub fn tell(&self, id: &str, outcome: &Result<Told>) {
        let told = match outcome {
            Ok(told) => told.clone(),
            Err(error) if error.proves_nothing_committed() => Told::Refused,
            Err(_) => Told::Unknown,
        };
        if let Err(error) = outcome {
            self.look_for_fault(id, error);
        }
        if let Some((_, known)) = lock(&self.deeds).get_mut(id) {
            *known = told;
        }
    }

    /// Notes an error that no failing store explains.
    pub fn look_for_fault(&self, id: &str, error: &Error) {
        if matches!(error.kind(), Kind::Damaged | Kind::Bug) {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            self.fault(format!("{id} was told: {error} ({cause:?})"));
        }
    }

    /// Notes what must not happen.
    pub fn fault(&self, fault: String) {
        lock(&self.faults).push(fault);
    }

    /// Looks at the newest version, which must agree with what anybody saw of it.
    pub async fn look(&self, catalog: &Catalog, id: &str) {
        let pin = match catalog.pin(None).await {
            Ok(pin) => pin,
            Err(error) => return self.look_for_fault(id, &error),
        };
        for name in pin.names() {
            let metadata = pin.entry(name).map(|entry| entry.metadata.clone()).unwrap_or_default();
            let key = (pin.version(), name.to_string());
            let before = lock(&self.seen).insert(key, metadata.clone());
            if before.as_ref().is_some_and(|before| *before != metadata) {
                self.fault(format!("{id} sees {metadata} in version {}, others saw {before:?}", pin.version()));
            }
        }
    }

    /// The deeds and what was told of them.
    pub fn deeds(&self) -> BTreeMap<String, (Deed, Told)> {
        lock(&self.deeds).clone()
    }

    /// What was seen.
    pub fn seen(&self) -> BTreeMap<(Version, String), String> {
        lock(&self.seen).clone()
    }

    /// What must not have happened, and did.
    pub fn faults(&self) -> Vec<String> {
        lock(&self.faults).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
