//! Model output is checked before it counts: the artifact meets the roster of its version.

use std::sync::Arc;

use ::validate::{Artifact, Report, Roster, ValidationError, is_grounded, judge};
use base::{AsOf, Seams, Version};

use catalog::Pin;

use crate::error::Result;
use crate::packs::Packs;
use crate::record::{Check, Failure, Recorded, Recorder, Step};
use crate::rosters::Rosters;

/// The judges of a lake. Cheap to clone.
#[derive(Clone)]
pub struct Validator {
    rosters: Rosters,
    packs: Packs,
    recorder: Recorder,
    seams: Seams,
}

/// What came of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The version of the lake that it was judged by.
    pub version: Version,
    /// The report of one that counts, or why it does not.
    pub verdict: Result<Report, ValidationError>,
    /// Whether everybody whom it proposes exists; none for kinds that propose nobody.
    pub grounded: Option<bool>,
}

impl Validator {
    /// Judges by these rosters and these packs.
    pub fn new(rosters: Rosters, packs: Packs, seams: Seams) -> Self {
        Self { rosters, packs, recorder: Recorder::none(), seams }
    }

    /// The same, writing down checks that belong to a run.
    #[must_use]
    pub fn with_recorder(self, recorder: Recorder) -> Self {
        Self { recorder, ..self }
    }

    /// The rosters.
    pub fn rosters(&self) -> &Rosters {
        &self.rosters
    }

    /// The packs.
    pub fn packs(&self) -> &Packs {
        &self.packs
    }

    /// The number of a version, or of the newest one.
    pub async fn version(&self, as_of: Option<&AsOf>) -> Result<Version> {
        Ok(self.rosters.query().catalog().pin(as_of).await?.version())
    }

    /// Judges an artifact by the lake as of a version, or now. Written down where it is a step of a run.
    pub async fn validate(&self, artifact: &Artifact, as_of: Option<&AsOf>, step: Option<&Step>) -> Result<Judgement> {
        let entry = self.recorder.begin(Recorded::Validations, step);
        let judged = self.judge(artifact, as_of).await;
        if let Some(entry) = entry {
            let mut check = Check::asked(artifact);
            judged.iter().for_each(|judgement| check.comes_to(judgement));
            entry.write(&check, judged.as_ref().err().map(Failure::of)).await?;
        }
        judged
    }

    /// The roster of the newest version, once every pack of it could judge; the first that could not is the error.
    pub async fn ready(&self) -> Result<(Arc<Roster>, Version)> {
        let pin = self.rosters.pin(None).await?;
        let roster = self.rosters.of(&pin).await?;
        self.packs.jury().fit(&pin, &roster).await?;
        Ok((roster, pin.version()))
    }

    async fn judge(&self, artifact: &Artifact, as_of: Option<&AsOf>) -> Result<Judgement> {
        let (pin, roster) = self.roster_for(artifact, as_of).await?;
        let started = self.seams.now();
        let mut findings = judge(artifact, &roster);
        if findings.is_ok()
            && let Err(error) = self.packs.jury().judge(artifact, &pin).await?
        {
            findings = Err(error);
        }
        let grounded = is_grounded(artifact, &roster);
        let elapsed_ms = u64::try_from(self.seams.now().millis() - started.millis()).unwrap_or(0);
        let validator = artifact.kind.validator().to_owned();
        let verdict = findings.map(|findings| Report { validator, findings, elapsed_ms });
        Ok(Judgement { version: pin.version(), verdict, grounded })
    }

    /// The version that an artifact is judged by, and its roster. One that proposes nobody needs none, so that a table
    /// which cannot be read keeps only those waiting that do.
    async fn roster_for(&self, artifact: &Artifact, as_of: Option<&AsOf>) -> Result<(Pin, Arc<Roster>)> {
        if artifact.needs_roster() {
            let pin = self.rosters.pin(as_of).await?;
            let roster = self.rosters.of(&pin).await?;
            return Ok((pin, roster));
        }
        Ok((self.rosters.query().catalog().pin(as_of).await?, Arc::default()))
    }
}
