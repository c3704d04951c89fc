//! Proof that a store's put-if-absent holds: without it two writers could both believe that they committed.

use bytes::Bytes;
use futures::future::join_all;

use crate::error::{Error, Result};
use crate::store::Store;

/// Where the marks of probes lie until they are removed.
const MARKS: &str = "_lake/probe";

impl Store {
    /// Creates a fresh mark twice: the second time must fail. Fails with `NotAtomic` otherwise. The mark is removed.
    pub async fn probe(&self) -> Result<()> {
        let mark = self.mark();
        match self.create(&mark, Bytes::from_static(b"first")).await {
            // The store repeated the create after a lost reply, and met itself.
            Ok(_) | Err(Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(error),
        }
        let second = self.create(&mark, Bytes::from_static(b"second")).await;
        let kept = self.get(&mark).await;
        let removed = self.delete(&mark).await;
        match second {
            Err(Error::AlreadyExists { .. }) if kept?.as_ref() == b"first" => {}
            Err(Error::AlreadyExists { .. }) => return refuse("a refused create replaced what was there"),
            Err(error) => return Err(error),
            Ok(_) => return refuse("it lets a second create of the same name succeed"),
        }
        removed
    }

    /// Lets `racers` create one fresh mark at once: only one may win, and its bytes must be the ones that stay. That none
    /// says so proves nothing: the winner may have been repeated after a lost reply, and met itself.
    /// Fails with `NotAtomic` otherwise. The mark is removed.
    pub async fn probe_race(&self, racers: usize) -> Result<()> {
        let mark = self.mark();
        let bytes = |racer: usize| Bytes::from(format!("racer {racer}"));
        let race = (0..racers).map(|racer| self.create(&mark, bytes(racer)));
        let outcomes = join_all(race).await;
        let kept = self.get(&mark).await;
        let removed = self.delete(&mark).await;
        let mut winners = Vec::new();
        for (racer, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Ok(_) => winners.push(racer),
                Err(Error::AlreadyExists { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let kept = kept?;
        match winners.as_slice() {
            [winner] if kept == bytes(*winner) => removed,
            [] if (0..racers).any(|racer| kept == bytes(racer)) => removed,
            [_] => refuse("the one creator that won is not the one whose bytes stayed"),
            winners => refuse(&format!("of {racers} racing creators of one name {} won", winners.len())),
        }
    }

    fn mark(&self) -> String {
        format!("{MARKS}/{}", self.seams().uuid())
    }
}

fn refuse(finding: &str) -> Result<()> {
    Err(Error::NotAtomic { finding: finding.to_owned() })
}
