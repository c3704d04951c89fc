//! Fills: workers proposed for a contract. The checks come one after the other, each over all proposed workers, so that
//! a refusal names the first rule that is broken.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::fields::{context, count, list, optional, text};
use crate::invalid::ValidationError;
use crate::report::Finding;
use crate::roster::{Roster, Standing, Worker, alike, folded};

type Members = Map<String, Value>;

/// One proposed worker: the two members as they stand.
struct Proposed<'a> {
    id: &'a str,
    name: &'a str,
}

/// What the contract demands of each worker. What it does not state is not checked.
struct Contract<'a> {
    places: [(&'static str, Option<&'a str>); 3],
    client: Option<&'a str>,
}

pub(crate) fn judge(members: &Members, roster: &Roster) -> Result<Vec<Finding>, ValidationError> {
    let proposed = proposed(members)?;
    let context = context(members)?;
    let target = count(context, "target_count", "_context.target_count")?;
    let contract = Contract::read(context)?;
    if proposed.len() as u64 != target {
        let reason = format!("fills holds {} workers, target_count is {target}", proposed.len());
        return Err(ValidationError::completeness(reason));
    }
    check_once(&proposed)?;
    let workers = found(&proposed, roster)?;
    let mut findings = Vec::new();
    check_standing(&workers, roster, &mut findings)?;
    for (which, (what, wanted)) in contract.places.into_iter().enumerate() {
        if let Some(wanted) = wanted {
            check_place(&workers, (which, what), wanted, &mut findings)?;
        }
    }
    if let Some(client) = contract.client {
        check_client(&workers, client, &mut findings)?;
    }
    compare_names(&proposed, &workers, &mut findings);
    Ok(findings)
}

/// Whether every entry names somebody in the roster. What is no fill at all is not grounded.
pub(crate) fn is_grounded(members: &Members, roster: &Roster) -> bool {
    let known = |entry: &Value| entry.get("candidate_id").and_then(Value::as_str).is_some_and(|id| roster.knows(id));
    members.get("fills").and_then(Value::as_array).is_some_and(|fills| fills.iter().all(known))
}

/// The workers whom no check of a fill for this contract would refuse, in the order of the roster.
pub(crate) fn eligible<'r>(
    roster: &'r Roster,
    context: Option<&'r Members>,
) -> Result<impl Iterator<Item = Worker<'r>>, ValidationError> {
    let contract = Contract::read(context)?;
    Ok(roster.workers().filter(move |worker| contract.takes(worker, roster)))
}

fn proposed(members: &Members) -> Result<Vec<Proposed<'_>>, ValidationError> {
    list(members, "fills")?.iter().enumerate().map(|(at, entry)| Proposed::read(at, entry)).collect()
}

impl<'a> Proposed<'a> {
    fn read(at: usize, entry: &'a Value) -> Result<Self, ValidationError> {
        let Value::Object(entry) = entry else {
            return Err(ValidationError::schema(format!("fills[{at}]"), "must be an object"));
        };
        let id = text(entry, "candidate_id", || field(at, "candidate_id"))?;
        Ok(Self { id, name: text(entry, "name", || field(at, "name"))? })
    }
}

impl<'a> Contract<'a> {
    fn read(context: Option<&'a Members>) -> Result<Self, ValidationError> {
        let stated = |name| optional(context, name, || format!("_context.{name}"));
        // `client` follows the places in the order of the checks.
        let places = [("city", stated("city")?), ("state", stated("state")?), ("role", stated("role")?)];
        Ok(Self { places, client: stated("client_id")? })
    }

    /// Whether every check lets a worker pass; what is only warned of passes.
    fn takes(&self, worker: &Worker<'_>, roster: &Roster) -> bool {
        let one = std::slice::from_ref(worker);
        let mut unsaid = Vec::new();
        check_standing(one, roster, &mut unsaid).is_ok()
            && self.places.into_iter().enumerate().all(|(which, (what, wanted))| {
                wanted.is_none_or(|wanted| check_place(one, (which, what), wanted, &mut unsaid).is_ok())
            })
            && self.client.is_none_or(|client| check_client(one, client, &mut unsaid).is_ok())
    }
}

fn field(at: usize, member: &str) -> String {
    format!("fills[{at}].{member}")
}

fn check_once(proposed: &[Proposed<'_>]) -> Result<(), ValidationError> {
    if proposed.len() < 2 {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(proposed.len());
    match proposed.iter().enumerate().find(|(_, one)| !seen.insert(folded(one.id))) {
        Some((at, one)) => {
            let reason = format!("fills[{at}] proposes candidate_id {:?} a second time", one.id);
            Err(ValidationError::consistency(reason))
        }
        None => Ok(()),
    }
}

fn found<'r>(proposed: &[Proposed<'_>], roster: &'r Roster) -> Result<Vec<Worker<'r>>, ValidationError> {
    let known = |(at, one): (usize, &Proposed<'_>)| {
        let missing = || roster.missing(&format!("fills[{at}].candidate_id {:?}", one.id));
        roster.get(one.id).ok_or_else(|| ValidationError::consistency(missing()))
    };
    proposed.iter().enumerate().map(known).collect()
}

fn check_standing(workers: &[Worker<'_>], roster: &Roster, findings: &mut Vec<Finding>) -> Result<(), ValidationError> {
    for (at, worker) in workers.iter().enumerate() {
        let id = worker.id();
        let reason = match worker.standing() {
            Standing::Active => continue,
            Standing::Unknown if !roster.tells_standing() => {
                let message = format!("the worker roster does not say whether {id} is active");
                findings.push(Finding::warning(field(at, "candidate_id"), message));
                continue;
            }
            Standing::Unknown => format!("worker {id} is not known to be active: the roster states no status"),
            Standing::Disputed => format!("worker {id} stands in the roster more than once, with different values"),
            Standing::Inactive => match worker.status() {
                Some(status) => format!("worker {id} is not active: the status is {status:?}"),
                None => format!("worker {id} is not active"),
            },
        };
        return Err(ValidationError::consistency(reason));
    }
    Ok(())
}

fn check_place(
    workers: &[Worker<'_>],
    (which, what): (usize, &str),
    wanted: &str,
    findings: &mut Vec<Finding>,
) -> Result<(), ValidationError> {
    for (at, worker) in workers.iter().enumerate() {
        let id = worker.id();
        match [worker.city(), worker.state(), worker.role()][which] {
            Some(has) if alike(has.trim(), wanted.trim()) => {}
            Some(has) => {
                let reason = format!("worker {id} has the {what} {has:?}, the contract wants {wanted:?}");
                return Err(ValidationError::consistency(reason));
            }
            None => {
                let message = format!("the roster does not know the {what} of {id}; the contract wants {wanted:?}");
                findings.push(Finding::warning(field(at, "candidate_id"), message));
            }
        }
    }
    Ok(())
}

fn check_client(workers: &[Worker<'_>], client: &str, findings: &mut Vec<Finding>) -> Result<(), ValidationError> {
    for (at, worker) in workers.iter().enumerate() {
        let id = worker.id();
        let Some(mut listed) = worker.blacklist() else {
            let message = format!("the roster does not know the blacklist of {id}");
            findings.push(Finding::info(field(at, "candidate_id"), message));
            continue;
        };
        if listed.any(|listed| alike(listed, client.trim())) {
            let reason = format!("the client {client:?} is on the blacklist of worker {id}");
            return Err(ValidationError::policy(reason));
        }
    }
    Ok(())
}

fn compare_names(proposed: &[Proposed<'_>], workers: &[Worker<'_>], findings: &mut Vec<Finding>) {
    for (at, (one, worker)) in proposed.iter().zip(workers).enumerate() {
        if let Some(name) = worker.name()
            && !alike(name.trim(), one.name.trim())
        {
            let message = format!("{} is {name:?} in the worker roster, not {:?}", worker.id(), one.name);
            findings.push(Finding::warning(field(at, "name"), message));
        }
    }
}
