//! The packs of a version as they judge.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ::validate::{Artifact, Assertion, Pack, Roster, ValidationError};
use base::{AsOf, DatasetName, Fault, Version};
use catalog::Pin;
use futures::TryStreamExt;
use query::{Ask, Query};
use serde_json::Value;

use super::obstacle::{Obstacle, trials};
use crate::error::{Error, Result};
use crate::rosters::{State, state_of};

/// The namespace of the table.
const SYSTEM: &str = "system";
/// The table: a row for each change of a pack; of rows with one name the last holds.
const TABLE: &str = "validator_packs";

/// The packs of a table in one state.
type Kept = (State, Arc<Vec<Pack>>);

/// Those packs of a lake that hold at a version. Cheap to clone.
#[derive(Clone)]
pub struct Jury {
    query: Query,
    newest: Arc<Mutex<Option<Kept>>>,
    /// The last version at which all of them could judge.
    fit: Arc<tokio::sync::Mutex<Option<Version>>>,
}

impl Jury {
    /// The packs of the lake behind `query`.
    pub fn new(query: Query) -> Self {
        Self { query, newest: Arc::default(), fit: Arc::default() }
    }

    /// The packs of a version, or of the newest one, by their names.
    pub async fn at(&self, as_of: Option<&AsOf>) -> Result<(Arc<Vec<Pack>>, Version)> {
        let pin = self.query.catalog().pin(as_of).await?;
        Ok((self.of(&pin).await?, pin.version()))
    }

    async fn of(&self, pin: &Pin) -> Result<Arc<Vec<Pack>>> {
        let Some(entry) = pin.entry(&table()?) else { return Ok(Arc::default()) };
        let state = state_of(entry);
        let known = self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, packs)) = known.filter(|(known, _)| *known == state) {
            return Ok(packs);
        }
        let packs = Arc::new(self.load(pin.version()).await?);
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some((state, Arc::clone(&packs)));
        Ok(packs)
    }

    async fn load(&self, version: Version) -> Result<Vec<Pack>> {
        let sql = format!("SELECT name, pack FROM {SYSTEM}.{TABLE} ORDER BY id");
        let ask = Ask { sql, as_of: Some(AsOf::Version(version)), params: Vec::new() };
        let mut rows = self.query.texts(ask).await?;
        let mut packs = BTreeMap::new();
        while let Some(texts) = rows.try_next().await? {
            for row in 0..texts.rows() {
                let Some(name) = texts.get(row, 0) else { continue };
                match texts.get(row, 1).filter(|pack| !pack.is_empty()) {
                    Some(pack) => {
                        let read = serde_json::from_str(pack).map_err(|_| Error::PackDamaged { name: name.to_owned() });
                        packs.insert(name.to_owned(), read?);
                    }
                    None => drop(packs.remove(name)),
                }
            }
        }
        Ok(packs.into_values().collect())
    }

    /// What the packs of a version say of an artifact that everything else lets pass.
    pub(crate) async fn judge(&self, artifact: &Artifact, pin: &Pin) -> Result<Result<(), ValidationError>> {
        let packs = self.of(pin).await?;
        for pack in packs.iter().filter(|pack| pack.kind == artifact.kind) {
            if let Err(error) = self.ask(pack, artifact, pin.version()).await? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// Makes sure that every pack of a version could judge, and says how many they are; the first that could not is the
    /// error.
    pub async fn fit(&self, pin: &Pin, roster: &Roster) -> Result<usize> {
        let (packs, version) = (self.of(pin).await?, pin.version());
        // Whoever asks meanwhile waits for the answer rather than asking the same.
        let mut fit = self.fit.lock().await;
        if *fit != Some(version) {
            for pack in &*packs {
                if let Some(Obstacle { check, source, .. }) = self.obstacle(pack, version, roster).await? {
                    return Err(Error::PackFailed { pack: pack.name.clone(), check, source });
                }
            }
            *fit = Some(version);
        }
        Ok(packs.len())
    }

    /// What keeps a pack from judging, whatever is proposed: a statement that does not run though nothing is known, or with
    /// what the roster has.
    pub(super) async fn obstacle(&self, pack: &Pack, version: Version, roster: &Roster) -> Result<Option<Obstacle>> {
        let worker = roster.workers().next();
        for (check, assertion) in (1..).zip(&pack.assertions) {
            for values in trials(assertion, worker.as_ref()) {
                match self.offends(assertion, values.clone(), version).await {
                    Ok(_) => {}
                    Err(source) if is_of_statement(&source) => {
                        let param = self.misfit(assertion, &values, version).await;
                        let value = param.map(|param| (assertion.params[param].clone(), values[param].clone()));
                        return Ok(Some(Obstacle { check, source, value }));
                    }
                    Err(failure) => return Err(failure.into()),
                }
            }
        }
        Ok(None)
    }

    /// What one pack says of an artifact.
    pub(super) async fn ask(
        &self,
        pack: &Pack,
        artifact: &Artifact,
        version: Version,
    ) -> Result<Result<(), ValidationError>> {
        if let Err(error) = pack.check_form(artifact) {
            return Ok(Err(error));
        }
        for (check, assertion) in (1..).zip(&pack.assertions) {
            let asked = match assertion.values(&artifact.members) {
                Ok(asked) => asked,
                Err(error) => return Ok(Err(error)),
            };
            for (item, values) in asked.into_iter().enumerate() {
                let failure = match self.offends(assertion, values.clone(), version).await {
                    Ok(false) => continue,
                    Ok(true) => return Ok(Err(assertion.refusal(&pack.name))),
                    Err(failure) if is_of_statement(&failure) => failure,
                    Err(failure) => return Err(failure.into()),
                };
                return match self.misfit(assertion, &values, version).await {
                    // The house has made sure of some values, so that a statement which cannot take them is at fault.
                    Some(param) if !assertion.is_sure(param) => {
                        Ok(Err(unfit(&pack.name, assertion.field(param, item), &failure)))
                    }
                    _ => Err(Error::PackFailed { pack: pack.name.clone(), check, source: failure }),
                };
            }
        }
        Ok(Ok(()))
    }

    /// Which value keeps a statement from running: the first with which it does not run though all others are null; where
    /// only several together do that, the first of which the house is not sure. None where it does not run without any
    /// either.
    async fn misfit(&self, assertion: &Assertion, values: &[Value], version: Version) -> Option<usize> {
        let fails = async |values| matches!(self.offends(assertion, values, version).await, Err(failure) if is_of_statement(&failure));
        let nothing = vec![Value::Null; values.len()];
        if fails(nothing.clone()).await {
            return None;
        }
        for (param, value) in values.iter().enumerate() {
            let mut alone = nothing.clone();
            alone[param].clone_from(value);
            if fails(alone).await {
                return Some(param);
            }
        }
        (0..values.len()).find(|param| !assertion.is_sure(*param))
    }

    /// Whether an assertion returns any row.
    async fn offends(&self, assertion: &Assertion, params: Vec<Value>, version: Version) -> query::Result<bool> {
        let as_of = (version > Version(0)).then_some(AsOf::Version(version));
        let mut batches = self.query.run(Ask { sql: assertion.sql.clone(), as_of, params }).await?.batches;
        while let Some(batch) = batches.try_next().await? {
            if batch.num_rows() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a failure is that of the statement or of its values; any other says nothing about them.
fn is_of_statement(failure: &query::Error) -> bool {
    matches!(failure.kind(), base::Kind::Invalid | base::Kind::NotFound | base::Kind::Denied)
}

/// The refusal of a value that a statement cannot take.
fn unfit(pack: &str, field: String, failure: &query::Error) -> ValidationError {
    ValidationError::Schema { field, reason: format!("has a value that cannot be judged: {failure} (pack {pack})") }
}

/// The table of packs.
pub(super) fn table() -> Result<DatasetName> {
    DatasetName::new(SYSTEM, TABLE).map_err(|why| Error::Broken(why.into()))
}
