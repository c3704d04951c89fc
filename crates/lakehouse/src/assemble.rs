//! The one place that knows the whole: settings in, open rooms and their doors out.

use std::collections::BTreeMap;

use api::{Role, Shared, Upstream};
use axum::Router;
use base::Seams;
use catalog::Catalog;
use ingest::Ingest;
use query::Query;
use storage::{Location, Objects, Store};

use crate::config::Config;

/// An open lake with the doors of its workers.
pub struct Assembly {
    catalog: Catalog,
    doors: BTreeMap<Role, Router>,
    shared: Shared,
}

impl Assembly {
    /// Opens the lake and its workers, the lowest room first.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let seams = Seams::system();
        let shared = shared(config, &seams);
        let storage = config.storage();
        let location: Location = config.lake.location.parse()?;
        let store = Store::open(&location, &storage, seams.clone()).await?;
        let objects = Objects::new(store.clone(), &storage);
        let catalog = Catalog::open(store, &config.catalogd.settings, seams.clone()).await?;
        let ingest = Ingest::new(catalog.clone(), &config.ingestd.settings, seams.clone());
        let query = Query::new(catalog.clone(), &config.queryd.settings, seams)?;
        let doors = BTreeMap::from([
            (Role::Storaged, api::storaged(objects, shared.clone())),
            (Role::Catalogd, api::catalogd(catalog.clone(), shared.clone())),
            (Role::Ingestd, api::ingestd(ingest, shared.clone())),
            (Role::Queryd, api::queryd(query, shared.clone())),
        ]);
        Ok(Self { catalog, doors, shared })
    }

    /// The door of one worker.
    pub fn door(&self, role: Role) -> Option<Router> {
        self.doors.get(&role).cloned()
    }

    /// A gateway with every worker in this process.
    pub fn gateway(&self) -> anyhow::Result<Router> {
        let here = self.doors.iter().map(|(role, door)| (*role, Upstream::Here(door.clone())));
        Ok(api::gateway(here.collect(), self.shared.clone())?)
    }

    /// Ends the workers and the committer; what was accepted is committed first.
    pub async fn close(self) {
        drop(self.doors);
        self.catalog.close().await;
    }
}

/// What every door is given.
pub fn shared(config: &Config, seams: &Seams) -> Shared {
    Shared::new(seams.clone(), config.gateway.settings.clone())
}
