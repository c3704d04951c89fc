//! Messages: an email or an SMS to somebody.

use serde_json::{Map, Value};

use crate::addressed::another_name;
use crate::disclosure::{holds_ssn, tells_pay};
use crate::fields::{context, optional, text};
use crate::invalid::ValidationError;
use crate::report::Finding;
use crate::roster::Roster;

/// The most characters of an SMS.
const SMS: usize = 160;
/// The most characters of a subject.
const SUBJECT: usize = 78;

pub(crate) fn judge(members: &Map<String, Value>, roster: &Roster) -> Result<Vec<Finding>, ValidationError> {
    text(members, "to", || "to".to_owned())?;
    let body = text(members, "body", || "body".to_owned())?;
    let subject = subject(members)?;
    let is_sms = is_sms(members)?;
    let candidate = optional(context(members)?, "candidate_id", || "_context.candidate_id".to_owned())?;
    check_length("body of an SMS", if is_sms { body } else { "" }, SMS)?;
    check_length("subject", subject, SUBJECT)?;
    for (what, said) in [("subject", subject), ("body", body)] {
        check_said(what, said)?;
    }
    candidate.map_or(Ok(()), |candidate| check_addressed(candidate, body, roster))?;
    Ok(Vec::new())
}

/// The subject, which may be absent or empty.
fn subject(members: &Map<String, Value>) -> Result<&str, ValidationError> {
    match members.get("subject") {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(subject)) => Ok(subject),
        Some(_) => Err(ValidationError::schema("subject", "must be a text")),
    }
}

fn is_sms(members: &Map<String, Value>) -> Result<bool, ValidationError> {
    match members.get("kind").filter(|kind| !kind.is_null()) {
        None => Ok(false),
        Some(kind) if kind == "email" => Ok(false),
        Some(kind) if kind == "sms" => Ok(true),
        Some(_) => Err(ValidationError::schema("kind", "must be \"email\" or \"sms\"")),
    }
}

fn check_length(what: &str, said: &str, most: usize) -> Result<(), ValidationError> {
    let length = said.chars().count();
    if length <= most {
        return Ok(());
    }
    Err(ValidationError::completeness(format!("the {what} has {length} characters, more than {most}")))
}

fn check_said(what: &str, said: &str) -> Result<(), ValidationError> {
    if holds_ssn(said) {
        let reason = format!("the {what} holds what looks like a social security number (NNN-NN-NNNN)");
        return Err(ValidationError::policy(reason));
    }
    if tells_pay(said) {
        return Err(ValidationError::policy(format!("the {what} names an amount of pay")));
    }
    Ok(())
}

fn check_addressed(candidate: &str, body: &str, roster: &Roster) -> Result<(), ValidationError> {
    let missing = || ValidationError::consistency(roster.missing(&format!("_context.candidate_id {candidate:?}")));
    let worker = roster.get(candidate).ok_or_else(missing)?;
    match worker.name().and_then(|name| Some((name, another_name(body, name)?))) {
        Some((name, other)) => {
            let reason = format!("the body addresses {other:?}, but {} is {name:?}", worker.id());
            Err(ValidationError::consistency(reason))
        }
        None => Ok(()),
    }
}
