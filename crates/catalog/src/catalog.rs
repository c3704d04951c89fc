//! The catalog: pins, tables, registration and publication over one lake log.

use std::sync::Arc;

use base::{AsOf, DatasetName, Fault, IndexName, Seams, Timestamp, Version};
use futures::{StreamExt, stream};
use storage::{Store, task};
use tables::column::NewColumn;
use tables::draft::Draft;
use tables::history::{self, Page, SnapshotLine};
use tables::io::Roots;
use tables::lake::Lake;
use tables::publication::Publication;

use crate::committer::{Committer, Proposal, Settled};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::format;
use crate::head::Head;
use crate::index::{self, Indexing, NewIndex};
use crate::kept::Tables;
use crate::log::Log;
use crate::manifest::Manifest;
use crate::past::Past;
use crate::pin::Pin;
use crate::publish::{self, Published, Publishing};
use crate::record::Record;
use crate::register::{self, Register, Registered, Registering};
use crate::rewrite::{Rewrite, Rewriting};
use crate::sealing::Seals;
use crate::state::{IndexEntry, TableEntry};
use crate::table::Table;
use crate::turns::Turns;

/// How many tables a list reads at once.
const TABLES_AT_ONCE: usize = 16;
/// How often a registration starts over because the table changed its shape while objects were copied.
const ATTEMPTS: usize = 5;

/// The one catalog of a lake in this process. Cheap to clone. A change goes on to its end when its caller goes away, once
/// it waits for its commit.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(crate) room: Arc<Room>,
}

/// What the verbs of a catalog share.
#[derive(Debug)]
pub(crate) struct Room {
    config: Config,
    pub lake: Lake,
    pub head: Arc<Head>,
    pub past: Past,
    pub tables: Arc<Tables>,
    pub committer: Committer,
    registrations: Turns,
}

impl Catalog {
    /// Opens the lake's catalog; an empty store becomes a lake.
    pub async fn open(store: Store, config: &Config, seams: Seams) -> Result<Self> {
        let format = format::open(&store, &seams).await?;
        let roots = Roots::new(&format.root, store.uri(), &format.former_roots);
        let lake = Lake { store: store.clone(), roots, seams: seams.clone() };
        let log = Log::new(store.clone());
        let head = Arc::new(Head::load(&store, log.clone(), config, seams.clone()).await?);
        tracing::info!(lake = %format.lake_id, version = %head.known().version, "the lake is open");
        let room = Room {
            config: config.clone(),
            past: Past::new(store.clone(), log.clone(), Arc::clone(&head)),
            tables: Arc::new(Tables::new(lake.clone())),
            committer: Committer::start(store, log, Arc::clone(&head), config, seams),
            registrations: Turns::default(),
            lake,
            head,
        };
        Ok(Self { room: Arc::new(room) })
    }

    /// The store under the lake.
    pub fn store(&self) -> &Store {
        &self.room.lake.store
    }

    /// The settings that the catalog was opened with.
    pub fn config(&self) -> &Config {
        &self.room.config
    }

    /// The newest version that this process knows of, without asking the store.
    pub fn known_head(&self) -> Version {
        self.room.head.known().version
    }

    /// Pins the newest version, or the one asked for.
    pub async fn pin(&self, as_of: Option<&AsOf>) -> Result<Pin> {
        let state = match as_of {
            None => self.room.head.fresh().await?,
            Some(as_of) => self.room.past.find(as_of).await?,
        };
        Ok(Pin { state })
    }

    /// Pins like `pin`, for a look at one dataset: when the newest version does not know it, the store is asked, as
    /// another process may just have published it.
    pub async fn pin_for(&self, name: &DatasetName, as_of: Option<&AsOf>) -> Result<Pin> {
        let pin = self.pin(as_of).await?;
        if as_of.is_some() || pin.entry(name).is_some() { Ok(pin) } else { self.pin_fresh().await }
    }

    /// Pins the newest version, asking the store even where `pin` would trust what it saw a moment ago.
    pub async fn pin_fresh(&self) -> Result<Pin> {
        Ok(Pin { state: self.room.head.ask().await? })
    }

    /// Pins the newest version that is known, and tells the moment of a look at the store that proved it or an earlier
    /// one; asks again when that is long ago.
    pub async fn pin_undoubted(&self) -> Result<(Pin, Timestamp)> {
        let (state, looked) = self.room.head.undoubted().await?;
        Ok((Pin { state }, looked))
    }

    /// Whether a look at the store at that moment proves nothing any more: what was there may have come and gone since.
    pub fn is_long_ago(&self, looked: Timestamp) -> bool {
        self.room.head.is_long_ago(looked)
    }

    /// Pins a version that is not older than `min`.
    pub async fn pin_at_least(&self, min: Version) -> Result<Pin> {
        Ok(Pin { state: self.room.head.at_least(min).await? })
    }

    /// A dataset's table exactly as pinned.
    pub async fn table(&self, pin: &Pin, name: &DatasetName) -> Result<Arc<Table>> {
        let entry = pin.state.table(name)?;
        self.room.tables.load(name, entry).await
    }

    /// A dataset's manifest exactly as pinned.
    pub async fn manifest(&self, pin: &Pin, name: &DatasetName) -> Result<Manifest> {
        Manifest::of(&*self.table(pin, name).await?).await
    }

    /// The manifests of all datasets, sorted by name; a table that does not read states its error.
    pub async fn list(&self, pin: &Pin) -> Result<Vec<Manifest>> {
        let entries: Vec<_> = pin.state.tables.iter().map(|(name, entry)| (name.clone(), Arc::clone(entry))).collect();
        let manifests = entries.into_iter().map(|(name, entry)| self.room.isolated_manifest(name, entry));
        Ok(stream::iter(manifests).buffered(TABLES_AT_ONCE).collect().await)
    }

    /// The snapshots of a table made before version `before`, newest first: at most `limit`, and what else their last
    /// record made of the table.
    pub async fn history(
        &self,
        pin: &Pin,
        name: &DatasetName,
        limit: usize,
        before: Option<Version>,
    ) -> Result<Page<SnapshotLine>> {
        let table = match before {
            Some(before) => self.table_before(pin, name, before).await?,
            None => self.table(pin, name).await?,
        };
        let lines = history::gather(&self.room.lake, &table.read().metadata, limit, before).await?;
        Ok(Page::first(lines, limit))
    }

    /// A table as the version before `before` pins it, so that a page far back is found at once. Where that version
    /// has another table of the name, or none, the pinned one is the way to it.
    async fn table_before(&self, pin: &Pin, name: &DatasetName, before: Version) -> Result<Arc<Table>> {
        let table = self.table(pin, name).await?;
        let last = Version(before.0.saturating_sub(1));
        if last >= pin.version() || !self.room.head.known().holds(last) {
            return Ok(table);
        }
        let state = self.room.past.state(last).await?;
        match state.tables.get(name).filter(|entry| entry.table_id == table.table_id()) {
            Some(entry) => self.room.tables.load(name, entry).await,
            None => Ok(table),
        }
    }

    /// The records before version `before`, newest first, at most `limit`.
    pub async fn versions(&self, before: Option<Version>, limit: usize) -> Result<Vec<Record>> {
        let head = self.room.head.fresh().await?;
        let last = before.map_or(head.version, |before| head.version.min(Version(before.0.saturating_sub(1))));
        let first = (last.0 + 1).saturating_sub(limit as u64).max(head.oldest.0);
        let mut records = self.room.past.records(Version(first), last).await?;
        records.reverse();
        Ok(records)
    }

    /// One record.
    pub async fn version(&self, version: Version) -> Result<Record> {
        let newest = self.room.head.at_least(version).await;
        match newest {
            Ok(state) if state.holds(version) => self.room.past.record(version).await,
            Ok(_) | Err(Error::Behind { .. }) => Err(self.room.past.unknown(&AsOf::Version(version))),
            Err(error) => Err(error),
        }
    }

    /// Makes objects the rows of a dataset. Goes on to its end when the caller goes away.
    pub async fn register(&self, register: Register) -> Result<Registered> {
        register::check(&register)?;
        let room = Arc::clone(&self.room);
        finish(task::spawn("register", async move { room.register(&register).await })).await
    }

    /// A draft of a new table. Names in the system's own namespaces are refused.
    pub fn draft(&self, name: &DatasetName, columns: &[NewColumn]) -> Result<Draft> {
        Ok(Draft::new_table(name, columns, &self.room.lake.seams)?)
    }

    /// Publishes staged files as one commit, or finds that the table already is what it would become.
    ///
    /// The files belong to the catalog from here on: when they are proven not to be needed, it has deleted them. Goes
    /// on to its end when the caller goes away.
    pub async fn publish(&self, publication: Publication) -> Result<Published> {
        let room = Arc::clone(&self.room);
        finish(task::spawn("publish", async move { room.publish(publication, None).await })).await
    }

    /// Publishes staged files and seals indexes, all in one commit. A publication that changes nothing seals nothing.
    pub async fn publish_and_seal(&self, publication: Publication, seals: Seals) -> Result<Published> {
        let room = Arc::clone(&self.room);
        finish(task::spawn("publish", async move { room.publish(publication, Some(seals)).await })).await
    }

    /// Exchanges files of a table for others that hold the same rows; [`Error::Moved`] when the table is another by now
    /// or one of its files is gone. The new files belong to the catalog from here on.
    pub async fn rewrite(&self, rewrite: Rewrite) -> Result<Published> {
        let name = rewrite.table.name().clone();
        let (lake, tables) = (self.room.lake.clone(), Arc::clone(&self.room.tables));
        let settled = self.put_through(Rewriting::new(lake, tables, rewrite)).await?;
        let entry = publish::outcome(&settled.state, &name)?;
        let table = settled.answer(self.room.tables.load(&name, &entry).await)?;
        Ok(Published { existing: false, repeated: false, version: entry.version, table })
    }

    /// The entry of a vector index in a version, or in the newest, and the version it was found in. When the newest does
    /// not know it, the store is asked, as another process may just have created it.
    pub async fn index(&self, name: &IndexName, as_of: Option<&AsOf>) -> Result<(Arc<IndexEntry>, Version)> {
        let mut pin = self.pin(as_of).await?;
        if as_of.is_none() && pin.index(name).is_none() {
            pin = self.pin_fresh().await?;
        }
        let entry = pin.index(name).ok_or_else(|| index::not_found(&pin.state, name))?;
        Ok((Arc::clone(entry), pin.version()))
    }

    /// Creates a vector index: its entry, and the version that first holds it.
    pub async fn create_index(&self, new: NewIndex) -> Result<(Arc<IndexEntry>, Version)> {
        let name = new.name.clone();
        let state = self.put_through(Indexing::create(new, &self.room.lake.seams)).await?.state;
        let bug = || Error::Bug { doing: "answering a commit", source: "its index is not there".into() };
        let entry = state.indexes.get(&name).cloned().ok_or_else(bug)?;
        Ok((entry, state.version))
    }

    /// Drops a vector index: the first version that does not hold it.
    pub async fn drop_index(&self, name: &IndexName, author: &str) -> Result<Version> {
        Ok(self.put_through(Indexing::drop(name, author)).await?.state.version)
    }

    /// Puts a proposal through. Once it stands in the queue it goes on to its end when the caller goes away.
    pub(crate) async fn put_through(&self, proposal: impl Proposal + 'static) -> Result<Settled> {
        self.room.committer.propose(Box::new(proposal)).await
    }

    /// Refuses further commits and waits for those under way.
    pub async fn close(&self) {
        self.room.committer.close().await;
    }
}

impl Room {
    async fn publish(&self, publication: Publication, seals: Option<Seals>) -> Result<Published> {
        let name = publication.draft.name.clone();
        let key = publication.idempotency_key.clone();
        let mut publishing = Publishing::new(self.lake.clone(), Arc::clone(&self.tables), publication);
        if let Some(seals) = seals {
            publishing = publishing.sealing(seals);
        }
        let arrived = publishing.arrived();
        let settled = self.put_through(publishing).await?;
        // A repeated key answers its first outcome, which was a commit.
        let repeated = key.filter(|_| !settled.committed);
        let repeated = repeated.and_then(|key| settled.state.keyed(&key, arrived)?.entry.clone());
        let is_repeated = repeated.is_some();
        let existing = !settled.committed && !is_repeated;
        let entry = match repeated {
            Some(entry) => Arc::new(entry),
            None => publish::outcome(&settled.state, &name)?,
        };
        let table = settled.answer(self.tables.load(&name, &entry).await)?;
        Ok(Published { existing, repeated: is_repeated, version: entry.version, table })
    }

    /// Puts a publication through the committer, unless the newest state already is what it wants.
    async fn put_through(&self, mut publishing: Publishing) -> Result<Settled> {
        let state = self.head.ask().await?;
        let settled = match publishing.is_settled_in(&state).await {
            Ok(false) => publishing.prepare(&state).await.map(|()| false),
            settled => settled,
        };
        match settled {
            Ok(false) => self.committer.propose(Box::new(publishing)).await,
            Ok(true) => {
                publishing.withdraw().await;
                Ok(Settled { committed: false, before: Arc::clone(&state), state })
            }
            Err(error) => {
                publishing.withdraw().await;
                Err(error)
            }
        }
    }

    async fn register(&self, register: &Register) -> Result<Registered> {
        let _turn = self.registrations.take(&register.name).await;
        for _ in 0..ATTEMPTS {
            match self.try_register(register).await {
                Err(Error::Moved { .. }) => {}
                settled => return settled,
            }
        }
        Err(Error::Moved { name: register.name.clone() })
    }

    async fn try_register(&self, register: &Register) -> Result<Registered> {
        let state = self.head.ask().await?;
        let table = match state.tables.get(&register.name) {
            Some(entry) => Some(self.tables.load(&register.name, entry).await?),
            None => None,
        };
        if let Some(table) = &table
            && table.fingerprint() != register.schema_fingerprint
        {
            return Err(register::drift(&self.lake, register, table).await);
        }
        let registering = Registering::find(&self.lake, register).await?;
        if let Some(table) = &table
            && registering.is_settled_in(table)
        {
            registering.expect_rows(table.row_count())?;
            return Ok(Registered { existing: true, manifest: Manifest::of(table).await? });
        }
        let copied = registering.copy(table.as_deref()).await?;
        let publishing = Publishing::new(self.lake.clone(), Arc::clone(&self.tables), copied.publication);
        let publishing = publishing.registering(registering.objects().to_owned(), copied.by_name);
        let settled = self.put_through(publishing).await?;
        let entry = publish::outcome(&settled.state, &register.name)?;
        let table = settled.answer(self.tables.load(&register.name, &entry).await)?;
        Ok(Registered {
            existing: settled.before.tables.contains_key(&register.name),
            manifest: settled.answer(Manifest::of(&table).await)?,
        })
    }

    async fn isolated_manifest(&self, name: DatasetName, entry: Arc<TableEntry>) -> Manifest {
        let read = async {
            let table = self.tables.load(&name, &entry).await?;
            Manifest::of(&table).await
        };
        read.await.unwrap_or_else(|error| {
            tracing::error!(dataset = %name, error = %error, cause = error.causes(), "a table does not read");
            Manifest::broken(&name, &entry, &error)
        })
    }
}

/// A task that died on the way proves nothing about its commit.
pub(crate) async fn finish<T>(task: tokio::task::JoinHandle<Result<T>>) -> Result<T> {
    task.await.unwrap_or(Err(Error::OutcomeUnknown))
}
