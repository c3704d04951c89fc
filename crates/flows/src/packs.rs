//! Validator packs in the lake: a table of the system, so that every version, tag and rollback has its own.

use std::sync::Arc;

use ::evidence::{Evidence, StreamName};
use ::validate::{Artifact, Kind, Pack, ValidationError};
use base::{AsOf, CommitId, Seams, Version};
use bytes::Bytes;
use catalog::Mode;
use futures::stream;
use ingest::{Ingest, Progress, Request};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::rosters::Rosters;

mod jury;
mod obstacle;

pub use jury::Jury;

use jury::table;

/// Who stands in the log as author of changes.
const AUTHOR: &str = "validatord";

/// The packs of a lake. Cheap to clone.
#[derive(Clone)]
pub struct Packs {
    rosters: Rosters,
    jury: Jury,
    ingest: Ingest,
    evidence: Evidence,
    seams: Seams,
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
    /// The packs of the lake behind `rosters` and `ingest`, tried on the sessions in `evidence`.
    pub fn new(rosters: Rosters, ingest: Ingest, evidence: Evidence, seams: Seams) -> Self {
        let jury = Jury::new(rosters.query().clone());
        Self { rosters, jury, ingest, evidence, seams }
    }

    /// Those that judge.
    pub fn jury(&self) -> &Jury {
        &self.jury
    }

    /// Keeps a pack, replacing one of its name; the version from which on it judges.
    pub async fn put(&self, pack: &Pack) -> Result<Version> {
        self.check(pack).await?;
        self.change(&pack.name, Some(pack)).await
    }

    /// Refuses a pack that could not judge: because of its form, because its statements do not run, or because they cannot
    /// take what the roster has. The version that it was tried on.
    async fn check(&self, pack: &Pack) -> Result<Version> {
        pack.check()?;
        let pin = self.rosters.pin(None).await?;
        // A table that is no roster has nobody to try it on.
        let roster = match self.rosters.of(&pin).await {
            Err(Error::RosterColumns { .. } | Error::RosterTooLarge { .. }) => Arc::default(),
            roster => roster?,
        };
        match self.jury.obstacle(pack, pin.version(), &roster).await? {
            None => Ok(pin.version()),
            Some(obstacle) => Err(obstacle.refusal()),
        }
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
        self.jury.at(as_of).await
    }

    /// What a pack, which need not be kept yet, says of the newest accepted artifacts of its kind.
    pub async fn try_out(&self, pack: &Pack, limit: usize) -> Result<DryRun> {
        let version = self.check(pack).await?;
        let sessions = self.evidence.read(&StreamName::sessions()).await.map_err(Error::Evidence)?.lines;
        let accepted = sessions.iter().rev().filter_map(|line| accepted(line, pack.kind)).take(limit);
        let mut tried = DryRun { checked: 0, passed: 0, failed: Vec::new() };
        for (session_id, artifact) in accepted {
            tried.checked += 1;
            match self.jury.ask(pack, &artifact, version).await? {
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
