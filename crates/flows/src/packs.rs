//! Validator packs in the lake: a table of the system, so that every version, tag and rollback has its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ::evidence::{Evidence, StreamName};
use ::validate::{Artifact, Assertion, Kind, Pack, ValidationError};
use base::{AsOf, CommitId, DatasetName, Fault, Seams, Version};
use bytes::Bytes;
use catalog::{Mode, Pin};
use futures::{TryStreamExt, stream};
use ingest::{Ingest, Progress, Request};
use query::{Ask, Query};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::rosters::{State, state_of};

/// The namespace of the table.
const SYSTEM: &str = "system";
/// The table: a row for each change of a pack; of rows with one name the last holds.
const TABLE: &str = "validator_packs";
/// Who stands in the log as author of changes.
const AUTHOR: &str = "validatord";

/// The packs of a table in one state.
type Kept = (State, Arc<Vec<Pack>>);

/// The packs of a lake. Cheap to clone.
#[derive(Clone)]
pub struct Packs {
    query: Query,
    ingest: Ingest,
    evidence: Evidence,
    seams: Seams,
    newest: Arc<Mutex<Option<Kept>>>,
}

/// What a pack would have said of sessions that were accepted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DryRun {
    /// How many artifacts were looked at, the newest ones.
    pub checked: usize,
    /// How many of them the pack lets pass.
    pub passed: usize,
    /// The others.
    pub failed: Vec<WouldFail>,
}

/// A session whose artifact a pack would refuse.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WouldFail {
    /// The session.
    pub session_id: String,
    /// Why.
    pub error: ValidationError,
}

impl Packs {
    /// The packs of the lake behind `query` and `ingest`, tried on the sessions in `evidence`.
    pub fn new(query: Query, ingest: Ingest, evidence: Evidence, seams: Seams) -> Self {
        Self { query, ingest, evidence, seams, newest: Arc::default() }
    }

    /// Keeps a pack, replacing one of its name; the version from which on it judges.
    pub async fn put(&self, pack: &Pack) -> Result<Version> {
        self.check(pack).await?;
        self.change(&pack.name, Some(pack)).await
    }

    /// Refuses a pack that could not judge, because of its form or because its statements do not run.
    async fn check(&self, pack: &Pack) -> Result<()> {
        pack.check()?;
        let version = self.query.catalog().pin(None).await?.version();
        for assertion in &pack.assertions {
            self.offends(assertion, vec![Value::Null; assertion.params.len()], version).await?;
        }
        Ok(())
    }

    /// Drops a pack; earlier versions keep it.
    pub async fn drop(&self, name: &str) -> Result<Version> {
        let (packs, _) = self.at(None).await?;
        if !packs.iter().any(|pack| pack.name == name) {
            return Err(Error::NoPack { name: name.chars().take(100).collect() });
        }
        self.change(name, None).await
    }

    async fn change(&self, name: &str, pack: Option<&Pack>) -> Result<Version> {
        let id = CommitId::mint(&self.seams);
        let text = pack.map(|pack| json!(pack).to_string()).unwrap_or_default();
        // Each value is a text in every row, so that the columns never change.
        let row = json!({ "id": id, "name": name, "pack": text }).to_string();
        let mut request = Request::new(table()?);
        request.mode = Mode::Append;
        request.stated.format = Some(ingest::Format::Ndjson);
        request.author = AUTHOR.to_owned();
        let body = stream::iter([Ok(Bytes::from(row))]);
        Ok(self.ingest.load(request, body, &Progress::default()).await?.version)
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

    /// What one pack says of an artifact.
    async fn ask(&self, pack: &Pack, artifact: &Artifact, version: Version) -> Result<Result<(), ValidationError>> {
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
                    Some(param) => Ok(Err(unfit(&pack.name, assertion.field(param, item), &failure))),
                    None => Err(Error::PackFailed { pack: pack.name.clone(), check, source: failure }),
                };
            }
        }
        Ok(Ok(()))
    }

    /// Which value keeps a statement from running: the first with which it does not run though all others are null. None
    /// where it does not run without any either, or where the house has made sure of the value.
    async fn misfit(&self, assertion: &Assertion, values: &[Value], version: Version) -> Option<usize> {
        let nothing = vec![Value::Null; values.len()];
        if self.offends(assertion, nothing.clone(), version).await.is_err() {
            return None;
        }
        for (param, value) in values.iter().enumerate() {
            let mut alone = nothing.clone();
            alone[param].clone_from(value);
            if self.offends(assertion, alone, version).await.is_err() {
                return (!assertion.is_sure(param)).then_some(param);
            }
        }
        None
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

    /// What a pack, which need not be kept yet, says of the newest accepted artifacts of its kind.
    pub async fn try_out(&self, pack: &Pack, limit: usize) -> Result<DryRun> {
        self.check(pack).await?;
        let version = self.query.catalog().pin(None).await?.version();
        let sessions = self.evidence.read(&StreamName::sessions()).await.map_err(Error::Evidence)?.lines;
        let accepted = sessions.iter().rev().filter_map(|line| accepted(line, pack.kind)).take(limit);
        let mut tried = DryRun { checked: 0, passed: 0, failed: Vec::new() };
        for (session_id, artifact) in accepted {
            tried.checked += 1;
            match self.ask(pack, &artifact, version).await? {
                Ok(()) => tried.passed += 1,
                Err(error) => tried.failed.push(WouldFail { session_id, error }),
            }
        }
        Ok(tried)
    }
}

/// The artifact of an accepted session of a kind with what was known, and the session's name.
fn accepted(line: &base::Facts, kind: Kind) -> Option<(String, Artifact)> {
    let is_kind = line.get("kind").and_then(Value::as_str) == Some(kind.name());
    let members = line.get("artifact").filter(|_| is_kind)?.as_object()?.clone();
    let context = line.get("context").and_then(Value::as_object).cloned();
    Some((line.get("session_id")?.as_str()?.to_owned(), Artifact::new(kind, members, context)))
}

/// Whether a failure is that of the statement or of its values; any other says nothing about them.
fn is_of_statement(failure: &query::Error) -> bool {
    matches!(failure.kind(), base::Kind::Invalid | base::Kind::NotFound | base::Kind::Denied)
}

/// The refusal of a value that a statement cannot take.
fn unfit(pack: &str, field: String, failure: &query::Error) -> ValidationError {
    ValidationError::Schema { field, reason: format!("has a value that cannot be judged: {failure} (pack {pack})") }
}

fn table() -> Result<DatasetName> {
    DatasetName::new(SYSTEM, TABLE).map_err(|why| Error::Broken(why.into()))
}
