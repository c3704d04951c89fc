//! What outsiders change, through the one log: other engines create, read and change our tables by Iceberg's REST protocol.
//!
//! Whatever they ask becomes one proposal: [`namespaces`] and [`names`] change what is listed, [`committing`] publishes
//! one table or many. What a table comes to by it, `outsiders` works out.

use std::sync::Arc;

use base::{DatasetName, Timestamp, Version};
use iceberg::spec::TableMetadata;
use outsiders::asked::digest;
use outsiders::{Adoption, Asked, LoadedTable, NewTable, TableChanges, Transaction};
use storage::task;

use crate::catalog::{Catalog, finish};
use crate::committer::{Description, Settled};
use crate::error::{Error, Result};
use crate::pin::Pin;
use crate::record::Properties;
use crate::state::{Keyed, State};
use crate::table::Table;

mod committing;
mod names;
mod namespaces;

use committing::{Committing, Step, Wish};
use names::{Renaming, expect_room};
use namespaces::Spacing;
pub use namespaces::{NamespaceChanged, NamespaceWish, Told};

/// Who asks, and under which key a retry answers the first outcome.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who asks.
    pub author: String,
    /// The key of a retry; kept for a day.
    pub idempotency_key: Option<String>,
    /// Whether they may take away what everybody reads: replace a table, or bring one back to what it was.
    pub may_take_away: bool,
}

/// A caller's request on its way: what a repeated key has to ask for to be answered.
#[derive(Debug, Clone)]
struct Keeping {
    caller: Caller,
    request: String,
    /// The one moment at which it is asked whether the key still lives.
    arrived: Timestamp,
}

impl Keeping {
    /// The request `parts` of a caller.
    fn new(caller: Caller, parts: &[&str], arrived: Timestamp) -> Self {
        Self { caller, request: digest(parts), arrived }
    }

    /// What the key answers in `state`, if this request was committed under it before.
    fn kept<'a>(&self, state: &'a State) -> Result<Option<&'a Keyed>> {
        let key = self.caller.idempotency_key.as_ref();
        match key.and_then(|key| state.keyed(key, self.arrived)) {
            Some(keyed) if keyed.request != self.request => Err(Error::KeyReused),
            kept => Ok(kept),
        }
    }

    /// What the record says, with `message` for why.
    fn describe(&self, message: String) -> Description {
        let key = self.caller.idempotency_key.clone();
        let request = key.is_some().then(|| self.request.clone());
        Description { author: self.caller.author.clone(), message, idempotency_key: key, request }
    }
}

impl Catalog {
    /// The properties of a namespace.
    pub fn namespace(&self, pin: &Pin, namespace: &str) -> Result<Properties> {
        let known = pin.state.namespaces.get(namespace);
        let unknown = || Error::UnknownNamespace { namespace: namespace.to_owned() };
        known.map(|properties| properties.as_ref().clone()).ok_or_else(unknown)
    }

    /// Creates, changes or drops a namespace.
    pub async fn change_namespace(&self, change: Asked<NamespaceWish>, caller: Caller) -> Result<NamespaceChanged> {
        let parts = [change.what.verb(), change.what.namespace(), &change.digest];
        let keeping = Keeping::new(caller, &parts, self.room.lake.seams.now());
        let wish = change.what;
        let settled = self.put_through(Spacing::new(wish.clone(), keeping.clone())).await?;
        let kept = if settled.committed { None } else { keeping.kept(&settled.state)? };
        let before = settled.before.namespaces.get(wish.namespace());
        let told = match kept {
            Some(first) => wish.told(|key| first.gone.contains(key)),
            None => wish.told(|key| before.is_some_and(|before| before.contains_key(key))),
        };
        Ok(NamespaceChanged { version: published(&settled), told })
    }

    /// A table as other engines read it.
    pub async fn load_outside(&self, pin: &Pin, name: &DatasetName) -> Result<LoadedTable> {
        let table = self.table(pin, name).await?;
        self.loaded(&table)
    }

    /// Creates a table, or, when it is only staged, says what it would be.
    pub async fn create_outside(
        &self,
        name: &DatasetName,
        new: Asked<NewTable>,
        caller: Caller,
    ) -> Result<LoadedTable> {
        let (state, lake) = (self.room.head.ask().await?, &self.room.lake);
        let keeping = Keeping::new(caller, &["create", &name.to_string(), &new.digest], lake.seams.now());
        if keeping.kept(&state)?.is_none() {
            expect_room(&state, name)?;
        }
        let metadata = new.what.metadata(lake, name, state.at.max(lake.seams.now()))?;
        if new.what.stage_create {
            return self.stage(metadata).await;
        }
        self.commit_steps(vec![Step::new(name, Wish::Create(Box::new(metadata)))], keeping, "create").await
    }

    /// A table that is only prepared. Some engines write manifests without making the directory that they go to.
    async fn stage(&self, metadata: TableMetadata) -> Result<LoadedTable> {
        let lake = &self.room.lake;
        if let Some(location) = lake.roots.relative(metadata.location()) {
            lake.store.make_way(&format!("{location}/metadata/manifest")).await?;
        }
        Ok(LoadedTable::staged(lake, metadata)?)
    }

    /// Makes a metadata file that lies in the lake a table.
    pub async fn adopt_outside(
        &self,
        name: &DatasetName,
        adoption: Asked<Adoption>,
        caller: Caller,
    ) -> Result<LoadedTable> {
        let lake = &self.room.lake;
        let keeping = Keeping::new(caller, &["register", &name.to_string(), &adoption.digest], lake.seams.now());
        let wish =
            Wish::Adopt { metadata: Box::new(adoption.what.metadata(lake, name).await?), adoption: adoption.what };
        self.commit_steps(vec![Step::new(name, wish)], keeping, "register").await
    }

    /// Commits the changes of one table, if it is as they require.
    pub async fn commit_outside(
        &self,
        name: &DatasetName,
        changes: Asked<TableChanges>,
        caller: Caller,
    ) -> Result<LoadedTable> {
        let now = self.room.lake.seams.now();
        changes.what.expect_of(name)?;
        let keeping = Keeping::new(caller, &["commit", &name.to_string(), &changes.digest], now);
        let wish = Wish::Change(Box::new(changes.what));
        self.commit_steps(vec![Step::new(name, wish)], keeping, "commit to").await
    }

    /// Commits the changes of many tables as one; all of them or none.
    pub async fn commit_all_outside(&self, changes: Asked<Transaction>, caller: Caller) -> Result<Version> {
        let keeping = Keeping::new(caller, &["transaction", &changes.digest], self.room.lake.seams.now());
        let steps = committing::steps(changes.what.table_changes)?;
        let committing = Committing::new(&self.room.lake, &self.room.tables, steps, keeping, "commit to");
        Ok(published(&self.settle_committing(committing).await?))
    }

    /// Gives a table another name.
    pub async fn rename(&self, from: &DatasetName, to: &DatasetName, caller: Caller) -> Result<Version> {
        let parts = ["rename", &from.to_string(), &to.to_string()];
        let keeping = Keeping::new(caller, &parts, self.room.lake.seams.now());
        let renaming = Renaming::new(from.clone(), Some(to.clone()), keeping);
        Ok(published(&self.put_through(renaming).await?))
    }

    /// Drops a table. Its files stay for the versions that still know it.
    pub async fn drop_outside(&self, name: &DatasetName, caller: Caller) -> Result<Version> {
        let keeping = Keeping::new(caller, &["drop", &name.to_string()], self.room.lake.seams.now());
        Ok(published(&self.put_through(Renaming::new(name.clone(), None, keeping)).await?))
    }

    async fn commit_steps(&self, steps: Vec<Step>, keeping: Keeping, verb: &'static str) -> Result<LoadedTable> {
        let name = steps.first().map(|step| step.name.clone());
        let name = name.ok_or_else(|| Error::Bug { doing: "committing", source: "it is about no table".into() })?;
        let committing = Committing::new(&self.room.lake, &self.room.tables, steps, keeping.clone(), verb);
        let settled = self.settle_committing(committing).await?;
        // What is settled without a commit was committed under its key before, or changed nothing.
        let kept = if settled.committed { None } else { keeping.kept(&settled.state)? };
        let entry = kept.and_then(|kept| kept.entry.as_ref()).or(settled.state.tables.get(&name).map(AsRef::as_ref));
        let entry = entry.ok_or_else(|| settled.state.unknown(&name, published(&settled)))?;
        let table = settled.answer(self.room.tables.load(&name, entry).await)?;
        settled.answer(self.loaded(&table))
    }

    fn loaded(&self, table: &Table) -> Result<LoadedTable> {
        let (metadata, entry) = (table.read().metadata.clone(), table.entry());
        Ok(LoadedTable::of(&self.room.lake, metadata, &entry.metadata, entry.version)?)
    }

    /// Looks at the files of a commit before it takes its turn, so that nobody waits for that.
    async fn settle_committing(&self, mut committing: Committing) -> Result<Settled> {
        let room = Arc::clone(&self.room);
        let settled = task::spawn("commit of an outsider", async move {
            committing.look(&*room.head.ask().await?).await?;
            room.committer.propose(Box::new(committing)).await
        });
        finish(settled).await
    }
}

/// The version in which an outcome stands.
fn published(settled: &Settled) -> Version {
    if settled.committed { settled.state.version } else { settled.before.published() }
}
