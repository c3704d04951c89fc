//! The whole way of a file into a table.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::{ByteSize, DatasetName, Seams, Timestamp};
use bytes::Bytes;
use catalog::{Catalog, Meaning, Mode, Publication, Published, Sealer, Source, Table};
use futures::{Stream, StreamExt, stream};
use storage::{BodyError, Spool, SpoolFile, task};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::csv::dialect;
use crate::csv::encoding::Charset;
use crate::error::{Error, Result};
use crate::format::{self, Format};
use crate::origin::Allowed;
use crate::outcome::Outcome;
use crate::progress::{Phase, Progress};
use crate::request::{Evolve, Request};
use crate::rows::Options;
use crate::stage::{Stage, Staged};
use crate::unpack::Unpacked;

/// How often a load follows a table that others keep changing. A lost race alone never costs a turn, only columns that
/// others changed meanwhile do, and nobody changes them as often as this while a file is read.
const TRIES: u32 = 8;
/// Bytes that are unpacked at a time.
const PIECE: usize = 1 << 20;

/// Loads files. Clones share the turn-taking.
#[derive(Clone)]
pub struct Ingest {
    catalog: Catalog,
    spool_dir: PathBuf,
    turns: Arc<Semaphore>,
    upload_limit: ByteSize,
    unpack_limit: ByteSize,
    allowed: Arc<Allowed>,
    pub(crate) sealer: Option<Arc<dyn Sealer>>,
    seams: Seams,
}

impl Ingest {
    /// An ingest that commits to this catalog.
    pub fn new(catalog: Catalog, config: &Config, seams: Seams) -> Self {
        let spool_dir = config.spool_dir.clone().unwrap_or_else(std::env::temp_dir);
        let turns = Arc::new(Semaphore::new(config.concurrent_loads.max(1)));
        let (upload_limit, unpack_limit) = (config.max_ingest_bytes, config.max_decompressed_bytes);
        let allowed = Arc::new(Allowed::by(config));
        Self { catalog, spool_dir, turns, upload_limit, unpack_limit, allowed, sealer: None, seams }
    }

    /// The same, where loads may seal vector indexes in their commits.
    pub fn with_sealer(self, sealer: Arc<dyn Sealer>) -> Self {
        Self { sealer: Some(sealer), ..self }
    }

    /// The catalog that loads are committed to.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The largest body that one HTTP upload may have.
    pub fn upload_limit(&self) -> ByteSize {
        self.upload_limit
    }

    /// What requests may name instead of sending it.
    pub(crate) fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    pub(crate) fn spool_dir(&self) -> &Path {
        &self.spool_dir
    }

    /// Loads one file: its rows become visible as a whole in one commit, or nothing does.
    ///
    /// Dropping the future ends the load and leaves nothing, unless the commit is under way already.
    pub async fn load(
        &self,
        request: Request,
        body: impl Stream<Item = std::result::Result<Bytes, BodyError>> + Send,
        progress: &Progress,
    ) -> Result<Outcome> {
        let arrival = self.arrive(&request).await?;
        let body = body.map(|piece| piece.map_err(|error| storage::Error::Body(error).into()));
        let spool = self.receive(body, progress).await?;
        self.load_spooled(request, spool, arrival, progress).await
    }

    /// Loads what has arrived.
    pub(crate) async fn load_spooled(
        &self,
        request: Request,
        spool: SpoolFile,
        arrival: Arrival,
        progress: &Progress,
    ) -> Result<Outcome> {
        let mut options = options(&request)?;
        let (format, packed) = self.format(&request, &spool).await?;
        options.format = format;
        progress.expect(spool.len);
        let source = source(&request, format, &spool);
        let meaning = Meaning::of(&source, request.key_means.as_deref());
        if let Some(first) = self.first_outcome(&request, meaning).await? {
            return Ok(self.ended(first, arrival.at, progress));
        }
        let spool = if packed && format == Format::Parquet { self.unpack(&spool).await? } else { spool };
        let waiting = Waiting { spool, options, source, columns: arrival.columns };
        let _turn = self.turns.acquire().await.map_err(|_| Error::Lost)?;
        progress.enter(Phase::Reading);
        let outcome = self.apply(&request, &waiting, progress).await?;
        let outcome = if outcome.existing { self.seal_alone(&request, outcome).await? } else { outcome };
        Ok(self.ended(outcome, arrival.at, progress))
    }

    /// The outcome of a load that ends now.
    pub(crate) fn ended(&self, outcome: Outcome, arrived: Timestamp, progress: &Progress) -> Outcome {
        progress.enter(Phase::Done);
        let elapsed_ms = u64::try_from(self.seams.now().millis() - arrived.millis()).unwrap_or(0);
        Outcome { elapsed_ms, ..outcome }
    }

    /// Notes what is so when a load arrives. Options that cannot be are refused before anything is read.
    pub(crate) async fn arrive(&self, request: &Request) -> Result<Arrival> {
        let at = self.seams.now();
        options(request)?;
        self.expect_indexes(request).await?;
        let table = match request.evolve {
            Evolve::None => None,
            Evolve::Add => self.table(&request.name).await?,
        };
        let columns = table.iter().flat_map(|table| table.columns()).map(|column| column.id).collect();
        Ok(Arrival { at, columns })
    }

    /// Keeps bytes in a temporary file, since they may have to be read twice, and takes their digest.
    pub(crate) async fn receive(
        &self,
        body: impl Stream<Item = Result<Bytes>> + Send,
        progress: &Progress,
    ) -> Result<SpoolFile> {
        let mut body = pin!(body);
        let mut spool = Spool::create(&self.spool_dir).await?;
        while let Some(bytes) = body.next().await {
            let bytes = bytes?;
            progress.received(bytes.len() as u64);
            spool.append(&bytes).await?;
        }
        Ok(spool.finish().await?)
    }

    /// What the waiting file is, by its content and what is said of it, and whether it is packed.
    async fn format(&self, request: &Request, spool: &SpoolFile) -> Result<(Format, bool)> {
        let (spool, limit, stated) = (spool.clone(), self.unpack_limit, request.stated);
        let looked = task::blocking("look at a file", move || {
            Unpacked::open(spool.open()?, limit)?.expect_no_bomb()?;
            let mut unpacked = Unpacked::open(spool.open()?, limit)?;
            Ok::<_, Error>((Format::decide(&unpacked.piece(format::HEAD)?, stated)?, unpacked.is_packed()))
        });
        let (format, packed) = looked.await.map_err(|_| Error::Lost)??;
        match &request.delimiter {
            Some(given) if format != Format::Csv => {
                Err(Error::Option { name: "delimiter", given: given.clone(), rule: "none: the file is not CSV" })
            }
            _ => Ok((format, packed)),
        }
    }

    /// Unpacks a waiting file into another one, for readers that begin at its end.
    async fn unpack(&self, spool: &SpoolFile) -> Result<SpoolFile> {
        let unpacked = Unpacked::open(spool.open()?, self.unpack_limit)?;
        let pieces = stream::try_unfold(unpacked, |mut unpacked| async move {
            let read = task::blocking("unpack a file", move || unpacked.piece(PIECE).map(|piece| (piece, unpacked)));
            let (piece, unpacked) = read.await.map_err(|_| Error::Lost)??;
            Ok((!piece.is_empty()).then(|| (Bytes::from(piece), unpacked)))
        });
        self.receive(pieces, &Progress::default()).await
    }

    /// Stages the rows for the table as it is and publishes them; when the table turns out to be another by then,
    /// begins again with that one.
    async fn apply(&self, request: &Request, waiting: &Waiting, progress: &Progress) -> Result<Outcome> {
        let source = &waiting.source;
        for _ in 0..TRIES {
            let table = self.table(&request.name).await?;
            if let Some(table) = table.as_ref().filter(|table| is_same(request, table, source)) {
                return self.outcome(request, table, None, true).await;
            }
            let staged = match self.stage(request, table, waiting, progress).await {
                Ok(staged) => staged,
                // It may have been loaded meanwhile, and the table be one by now that its file does not fit.
                Err(error) => {
                    let meaning = Meaning::of(source, request.key_means.as_deref());
                    return self.first_outcome(request, meaning).await?.ok_or(error);
                }
            };
            progress.enter(Phase::Publishing);
            match self.publish(request, &staged, source).await {
                Ok(Published { existing, repeated, table, .. }) => {
                    // What this reading found is no part of what a repeated key answers.
                    let staged = (!repeated).then_some(staged);
                    return self.outcome(request, &table, staged, existing).await;
                }
                Err(Error::Catalog(catalog::Error::Moved { .. })) => progress.enter(Phase::Reading),
                Err(error) => return Err(error),
            }
        }
        Err(Error::Restless { tries: TRIES })
    }

    /// What a load with this key came to the first time, if it came before.
    pub(crate) async fn first_outcome(&self, request: &Request, meaning: Meaning<'_>) -> Result<Option<Outcome>> {
        let Some(key) = request.idempotency_key.as_deref() else { return Ok(None) };
        match self.catalog.answered(&request.name, request.mode, meaning, key).await? {
            Some(Published { table, .. }) => self.outcome(request, &table, None, false).await.map(Some),
            None => Ok(None),
        }
    }

    /// The table of that name now, if there is one.
    async fn table(&self, name: &DatasetName) -> Result<Option<Arc<Table>>> {
        let pin = self.catalog.pin(None).await?;
        if pin.entry(name).is_none() {
            return Ok(None);
        }
        Ok(Some(self.catalog.table(&pin, name).await?))
    }

    async fn stage(
        &self,
        request: &Request,
        table: Option<Arc<Table>>,
        waiting: &Waiting,
        progress: &Progress,
    ) -> Result<Staged> {
        let stop = StopOnDrop::default();
        let stage = Stage {
            name: request.name.clone(),
            table,
            spool: waiting.spool.clone(),
            options: waiting.options,
            on_error: request.on_error,
            evolve: request.evolve,
            arrived: waiting.columns.clone(),
            catalog: self.catalog.clone(),
            seams: self.seams.clone(),
            unpack_limit: self.unpack_limit,
            runtime: Handle::current(),
            progress: progress.clone(),
            stop: Arc::clone(&stop.0),
        };
        task::blocking("read a file of rows", move || stage.run()).await.map_err(|_| Error::Lost)?
    }

    /// Publishes; from here on the staged Parquet files belong to the catalog, the refused lines not.
    async fn publish(&self, request: &Request, staged: &Staged, source: &Source) -> Result<Published> {
        let publication = Publication {
            draft: staged.draft.clone(),
            mode: request.mode,
            files: staged.files.clone(),
            source: source.clone(),
            author: request.author.clone(),
            message: format!("ingest {} ({})", request.name, request.mode),
            idempotency_key: request.idempotency_key.clone(),
            request: request.key_means.clone(),
        };
        let published = match self.seals(request) {
            Some(seals) => self.catalog.publish_and_seal(publication, seals).await,
            None => self.catalog.publish(publication).await,
        };
        let is_void = match &published {
            Ok(published) => published.existing || published.repeated,
            Err(error) => error.proves_nothing_committed(),
        };
        if let Some(path) = staged.rejected_object.as_ref().filter(|_| is_void) {
            // Whoever asked needs to know how the load ended, not that a stray file is left.
            if let Err(error) = self.catalog.store().delete(path).await {
                tracing::warn!(%error, "refused lines of a load that did not happen could not be removed");
            }
        }
        Ok(published?)
    }

    async fn outcome(
        &self,
        request: &Request,
        table: &Table,
        staged: Option<Staged>,
        existing: bool,
    ) -> Result<Outcome> {
        let files = table.files().await?;
        let (row_count, rejected, rejected_rows, rejected_object) = match staged {
            Some(staged) => (staged.rows, staged.rejected, staged.rejected_rows, staged.rejected_object),
            None if existing => (table.row_count(), 0, Vec::new(), None),
            None => (table.added_rows(), 0, Vec::new(), None),
        };
        Ok(Outcome {
            dataset_id: table.dataset_id().to_string(),
            name: request.name.clone(),
            existing,
            mode: request.mode,
            row_count,
            total_rows: table.row_count(),
            schema_fingerprint: table.fingerprint().to_owned(),
            objects: files.iter().map(|file| file.path.clone()).collect(),
            snapshot_id: table.snapshot_id().map(|id| id.to_string()).unwrap_or_default(),
            version: table.entry().version,
            rejected,
            rejected_rows,
            rejected_object: rejected_object.filter(|_| !existing),
            elapsed_ms: 0,
        })
    }
}

/// What was so when a load arrived.
pub(crate) struct Arrival {
    pub at: Timestamp,
    /// The ids of the table's columns, if it may get more.
    columns: Vec<i32>,
}

/// A file that has arrived.
struct Waiting {
    spool: SpoolFile,
    options: Options,
    source: Source,
    columns: Vec<i32>,
}

/// Ends the work on blocking threads when nobody waits for it any more.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn options(request: &Request) -> Result<Options> {
    let charset = request.encoding.as_deref().map_or(Ok(Charset::Utf8), Charset::parse)?;
    let delimiter = request.delimiter.as_deref().map(dialect::parse_delimiter).transpose()?;
    Ok(Options { format: Format::Csv, charset, delimiter })
}

/// What the rows are made from: the same bytes read in the same way.
fn source(request: &Request, format: Format, spool: &SpoolFile) -> Source {
    Source { sha256: spool.sha256.clone(), options: reading(request, format.as_str()) }
}

/// How rows are read from a file of this format.
pub(crate) fn reading(request: &Request, format: &str) -> String {
    let encoding = request.encoding.as_deref().unwrap_or("detect");
    let delimiter = request.delimiter.as_deref().unwrap_or("detect");
    format!("format={format} on_error={} encoding={encoding} delimiter={delimiter}", request.on_error)
}

/// Whether the table holds exactly these rows already. A load with an idempotency key is left to the catalog, which
/// knows what the key stands for.
fn is_same(request: &Request, table: &Table, source: &Source) -> bool {
    request.mode == Mode::Replace && request.idempotency_key.is_none() && table.source().as_ref() == Some(source)
}
