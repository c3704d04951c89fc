//! Whom the model is shown: workers whom the checks would let pass, by search and SQL as of the version. A model that sees
//! nobody proposes the wrong city for ever.

use std::collections::HashSet;

use ::validate::{Worker, eligible};
use base::Version;
use serde_json::{Value, json};
use vectors::Effort;

use super::request::{Iteration, Retrieve};
use super::{Iterate, pinned};
use crate::error::{Error, Result};
use crate::search::{Search, Sought};

/// How many items of an index are looked through for workers who are eligible.
const LOOKED_THROUGH: usize = 1_000;

impl Iterate {
    /// The workers, each as the model is shown them.
    pub(super) async fn candidates(
        &self,
        asked: &Iteration,
        retrieve: &Retrieve,
        version: Version,
    ) -> Result<Vec<Value>> {
        let rosters = self.validator.rosters();
        let (roster, _) = rosters.at(pinned(version).as_ref()).await?;
        let meeting = match &retrieve.condition {
            Some(condition) => Some(rosters.meeting(condition, pinned(version)).await?),
            None => None,
        };
        let meets =
            |worker: &Worker<'_>| meeting.as_ref().is_none_or(|ids: &HashSet<String>| ids.contains(worker.id()));
        let passing = eligible(&roster, asked.context.as_ref()).map_err(|why| Error::Context { why })?;
        let passing = passing.filter(meets);
        Ok(match self.nearest(asked, retrieve).await? {
            None => passing.take(retrieve.k).map(|worker| shown(&worker)).collect(),
            Some(nearest) => {
                let passing: HashSet<&str> = passing.map(|worker| worker.id()).collect();
                let found = nearest.iter().filter_map(|id| roster.get(id));
                found
                    .filter(|worker| passing.contains(worker.id()))
                    .take(retrieve.k)
                    .map(|worker| shown(&worker))
                    .collect()
            }
        })
    }

    /// The ids of the nearest items, the nearest first; none when no index is asked.
    async fn nearest(&self, asked: &Iteration, retrieve: &Retrieve) -> Result<Option<Vec<String>>> {
        let Some(index) = &retrieve.index else { return Ok(None) };
        let text = retrieve.query.clone().unwrap_or_else(|| asked.prompt.clone());
        let search = Search {
            index: index.clone(),
            sought: Sought::Meaning(text),
            k: LOOKED_THROUGH,
            filter: None,
            effort: Effort::default(),
            rerank: false,
            as_of: asked.as_of.clone(),
        };
        let found = self.texts.search(search, Some(&asked.step(None, None))).await?;
        Ok(Some(found.results.into_iter().map(|hit| hit.id).collect()))
    }
}

fn shown(worker: &Worker<'_>) -> Value {
    json!({
        "candidate_id": worker.id(),
        "name": worker.name(),
        "role": worker.role(),
        "city": worker.city(),
        "state": worker.state(),
    })
}
