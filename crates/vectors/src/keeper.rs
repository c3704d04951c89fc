//! The keeper: seals what has grown large or old, joins segments and makes codes, while a process serves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Fault, IndexName, Span, Timestamp};
use futures::future::join;
use uuid::Uuid;

use crate::error::Result;
use crate::index::Index;
use crate::joining::Joining;
use crate::vectors::Vectors;

/// How often it looks, which asks nothing of the store.
const TICK: Duration = Duration::from_millis(250);
/// How long it leaves an index alone that could not be sealed.
const PAUSE: Duration = Duration::from_secs(60);
/// Who asks for its seals.
const AUTHOR: &str = "lakehouse";

/// What the keeper knows of one index.
struct Watched {
    /// The last sealed fragment, and since when later ones are known.
    sealed: u64,
    since: Timestamp,
    /// When it is looked at again.
    again: Timestamp,
}

/// Keeps the open indexes of one process in order. One seal or join at a time, and beside it the codes of one block.
pub struct Keeper {
    vectors: Vectors,
    watched: HashMap<Uuid, Watched>,
}

impl Vectors {
    /// What seals by itself, to be run by a process that serves.
    pub fn keeper(&self) -> Keeper {
        Keeper { vectors: self.clone(), watched: HashMap::new() }
    }
}

impl Keeper {
    /// Works until it is dropped.
    pub async fn run(mut self) {
        let vectors = self.vectors.clone();
        let coding = async {
            loop {
                vectors.seams().wait(TICK).await;
                vectors.make_codes().await;
            }
        };
        let sealing = async {
            loop {
                self.vectors.seams().wait(TICK).await;
                self.seal().await;
            }
        };
        join(sealing, coding).await;
    }

    /// Looks at each open index once.
    pub async fn round(&mut self) {
        self.seal().await;
        self.vectors.make_codes().await;
    }

    async fn seal(&mut self) {
        let open = self.vectors.open_indexes();
        self.watched.retain(|id, _| open.iter().any(|(_, index)| index.id() == *id));
        for (name, index) in open {
            let now = self.vectors.seams().now();
            let is_due = self.is_due(&index, now);
            if let Err(error) = self.keep(&name, &index, is_due).await {
                tracing::warn!(index = %name, %error, cause = error.causes(), "an index was not sealed");
                let again = Timestamp::from_micros(now.micros() + PAUSE.as_micros() as i64);
                self.watched.entry(index.id()).and_modify(|watched| watched.again = again);
            }
        }
    }

    /// Whether the fresh rows of an index are many, or have waited for long.
    fn is_due(&mut self, index: &Index, now: Timestamp) -> Option<bool> {
        let (sealed, fresh) = (index.sealed(), index.fresh_bytes());
        let watched = self.watched.entry(index.id()).or_insert(Watched { sealed, since: now, again: now });
        if watched.sealed != sealed || index.reached() == sealed {
            *watched = Watched { sealed, since: now, again: watched.again };
        }
        let config = self.vectors.config();
        let age = u64::try_from(now.micros().saturating_sub(watched.since.micros())).unwrap_or_default();
        let is_old = Span(Duration::from_micros(age)) >= config.seal_after;
        let is_due = index.reached() > sealed && (is_old || fresh as u64 >= config.seal_bytes.0);
        (now >= watched.again).then_some(is_due)
    }

    async fn keep(&self, name: &IndexName, index: &Index, is_due: Option<bool>) -> Result<()> {
        match is_due {
            None => return Ok(()),
            Some(true) => drop(self.vectors.seal(name, AUTHOR).await?),
            Some(false) => {}
        }
        if index.is_to_be_joined() {
            let joining = Joining::new(Arc::clone(index.shelf()), self.vectors.grounds().clone());
            self.vectors.seal_by(name, Arc::new(joining), AUTHOR).await?;
        }
        Ok(())
    }
}
