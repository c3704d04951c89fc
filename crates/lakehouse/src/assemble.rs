//! The one place that knows the whole: settings in, open rooms and their doors out.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Role, Shared, Upstream};
use axum::Router;
use base::Seams;
use catalog::Catalog;
use embed::Embed;
use evidence::Evidence;
use flows::{Chats, Iterate, Packs, Recorded, Recorder, Rosters, StreamTables, Texts, Validator};
use ingest::Ingest;
use models::{Chat, Kind, Models, Provider};
use query::Query;
use storage::{CacheDir, Location, Objects, Store};
use vectors::Vectors;

use crate::config::{Config, Upstreams};
use crate::gauges;

/// How much of the house a process opens.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Some worker here works on the lake.
    pub lake: bool,
    /// Texts become vectors here, wherever else they also could.
    pub embeds: bool,
    /// Language models are asked from here, wherever else they also could.
    pub chats: bool,
}

/// Where a process writes: its lake's store, and the streams on it.
struct Ground {
    store: Store,
    evidence: Evidence,
}

impl Ground {
    /// Opens the store for those who work on the lake, and for those who write down what language models say.
    async fn open(config: &Config, extent: Extent, seams: &Seams) -> anyhow::Result<Option<Self>> {
        let records = extent.chats && config.evidence.record.contains(&Recorded::Chats);
        if !extent.lake && !records {
            return Ok(None);
        }
        let location: Location = config.lake.location.parse()?;
        let store = Store::open(&location, &config.storage(), seams.clone()).await?;
        let evidence = Evidence::new(store.clone(), seams.clone());
        Ok(Some(Self { store, evidence }))
    }

    fn recorder(ground: Option<&Self>, config: &Config, seams: &Seams) -> Recorder {
        let recorder = |ground: &Self| Recorder::new(ground.evidence.clone(), &config.evidence, seams.clone());
        ground.map_or_else(Recorder::none, recorder)
    }
}

/// Open rooms with the doors of their workers.
pub struct Assembly {
    catalog: Option<Catalog>,
    vectors: Option<Vectors>,
    models: Models,
    chat: Chat,
    doors: BTreeMap<Role, Router>,
    shared: Shared,
}

impl Assembly {
    /// Opens the rooms, the lowest first.
    pub async fn open(config: &Config, extent: Extent, shared: Shared) -> anyhow::Result<Self> {
        let Upstreams { embedd, chatd, .. } = &config.upstreams;
        let models = config.models(elsewhere(config, embedd.as_ref().filter(|_| !extent.embeds)))?;
        let elsewhere_chatd = elsewhere(config, chatd.as_ref().filter(|_| !extent.chats));
        let chat = config.chat(elsewhere_chatd, shared.seams.clone())?;
        let embed = Embed::new(models.clone(), &config.embedd.settings);
        gauges::of_embed(&shared, &embed);
        let ground = Ground::open(config, extent, &shared.seams).await?;
        let chats = Chats::new(chat.clone(), Ground::recorder(ground.as_ref(), config, &shared.seams));
        let doors = BTreeMap::from([
            (Role::Embedd, api::embedd(embed.clone(), shared.clone())),
            (Role::Chatd, api::chatd(chats, shared.clone())),
        ]);
        let mut assembly = Self { catalog: None, vectors: None, models, chat: chat.clone(), doors, shared };
        if let Some(ground) = ground.filter(|_| extent.lake) {
            assembly.open_lake(config, ground, embed, chat).await?;
        }
        Ok(assembly)
    }

    async fn open_lake(&mut self, config: &Config, ground: Ground, embed: Embed, chat: Chat) -> anyhow::Result<()> {
        let (shared, seams) = (&self.shared, self.shared.seams.clone());
        let recorder = Ground::recorder(Some(&ground), config, &seams);
        let Ground { store, evidence } = ground;
        let objects = Objects::new(store.clone(), &config.storage());
        let catalog = Catalog::open(store, &config.catalogd.settings, seams.clone()).await?;
        let cache = CacheDir::open(&config.cache_dir()).await?;
        let vectors = Vectors::new(catalog.clone(), cache, &config.vectord.settings, seams.clone());
        let texts = Texts::new(embed, vectors.clone()).with_recorder(recorder.clone());
        let ingest = Ingest::new(catalog.clone(), &config.ingestd.settings, seams.clone());
        let ingest = ingest.with_sealer(vectors.sealer());
        let query = Query::new(catalog.clone(), &config.queryd.settings, seams.clone())?;
        let query = query.with_search(Arc::new(texts.clone()));
        let query = query.with_streams(Arc::new(StreamTables::new(evidence.clone())));
        let rosters = Rosters::new(query.clone(), config.validatord.settings.roster.parse()?);
        let packs = Packs::new(rosters.clone(), ingest.clone(), evidence.clone(), seams.clone());
        let validator = Validator::new(rosters, packs, seams.clone()).with_recorder(recorder.clone());
        let iterate = Iterate::new(validator, texts.clone(), Arc::new(chat), evidence.clone(), seams);
        let iterate = iterate.with_recorder(recorder);
        gauges::of_lake(shared, &catalog, &vectors, &query);
        self.doors.extend([
            (Role::Storaged, api::storaged(objects, shared.clone())),
            (Role::Catalogd, api::catalogd(catalog.clone(), shared.clone())),
            (Role::Ingestd, api::ingestd(ingest, shared.clone())),
            (Role::Validatord, api::validatord(iterate, evidence, shared.clone())),
            (Role::Queryd, api::queryd(query, shared.clone())),
            (Role::Vectord, api::vectord(texts, shared.clone())),
        ]);
        (self.catalog, self.vectors) = (Some(catalog), Some(vectors));
        Ok(())
    }

    /// The door of one worker.
    pub fn door(&self, role: Role) -> Option<Router> {
        self.doors.get(&role).cloned()
    }

    /// The vector indexes, where this process works on the lake.
    pub fn vectors(&self) -> Option<&Vectors> {
        self.vectors.as_ref()
    }

    /// Fetches in the background what models of this process need and is not here yet; nothing waits for it.
    pub fn prepare(&self) {
        self.models.prepare();
        self.chat.prepare();
    }

    /// The models of this process.
    pub fn models(&self) -> &Models {
        &self.models
    }

    /// A gateway with every worker in this process.
    pub fn gateway(&self) -> anyhow::Result<Router> {
        let here = self.doors.iter().map(|(role, door)| (*role, Upstream::Here(door.clone())));
        Ok(api::gateway(here.collect(), self.shared.clone())?)
    }

    /// Ends the workers and the committer; what was accepted is committed first.
    pub async fn close(self) {
        drop(self.doors);
        if let Some(catalog) = self.catalog {
            catalog.close().await;
        }
    }
}

/// What every door of a process is given that has room for so many connections.
pub fn shared(config: &Config, room: usize) -> anyhow::Result<Shared> {
    let mut limits = config.gateway.settings.clone();
    limits.connections = limits.connections.min(room);
    let shared = Shared::new(Seams::system(), limits);
    Ok(shared.with_auth(config.auth()?).with_metrics(api::Metrics::default()))
}

/// What is not done here is asked of the process that is named, if any, with the token that both know.
fn elsewhere(config: &Config, url: Option<&String>) -> Option<Provider> {
    let api_key = config.auth.token.clone().unwrap_or_default();
    Some(Provider { api_key, ..Provider::at(Kind::Lakehouse, url?) })
}
