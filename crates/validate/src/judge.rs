//! The judgement: every artifact goes to the validator of its kind.

use serde_json::{Map, Value};

use crate::artifact::{Artifact, Kind};
use crate::invalid::ValidationError;
use crate::report::Finding;
use crate::roster::{Roster, Worker};
use crate::{email, fill, playbook};

/// What is noticed about an artifact that counts, or why it does not. Nothing but the arguments decides.
pub fn judge(artifact: &Artifact, roster: &Roster) -> Result<Vec<Finding>, ValidationError> {
    match artifact.kind {
        Kind::Fill => fill::judge(&artifact.members, roster),
        Kind::Email => email::judge(&artifact.members, roster),
        Kind::Playbook => playbook::judge(&artifact.members),
    }
}

/// Whether everybody whom a fill proposes is in the roster; none for other kinds, which propose nobody.
pub fn is_grounded(artifact: &Artifact, roster: &Roster) -> Option<bool> {
    (artifact.kind == Kind::Fill).then(|| fill::is_grounded(&artifact.members, roster))
}

/// The workers whom no check of a fill for the contract in `context` would refuse, in the order of the roster.
pub fn eligible<'r>(
    roster: &'r Roster,
    context: Option<&'r Map<String, Value>>,
) -> Result<impl Iterator<Item = Worker<'r>>, ValidationError> {
    fill::eligible(roster, context)
}
