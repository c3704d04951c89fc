//! What writers do to a lake.
//!
//! All that the log can say has a deed here, save relocation: nobody writes to a lake that was moved before it has been
//! relocated, so that it has no rivals, and its deaths are told at every call of the store instead.

use std::time::Duration;

use base::{AsOf, Distance, Fault, Kind, Seams, Span, Version};
use catalog::{
    Caller, Catalog, Classify, ColumnType, Draft, Error, Expiry, IndexSettings, Mode, NewColumn, NewFile, NewIndex,
    Pii, Publication, Register, Result, Rewrite, Source, fingerprint,
};
use upkeep::{Sweep, Upkeep};

use crate::engine::Engine;
use crate::ledger::Told;
use crate::rows;

/// Something that is done once. Each one that adds a row adds one of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Add a row; with `key`, a retry under the same key answers the first outcome.
    Append {
        /// The table.
        table: &'static str,
        /// The row.
        row: i64,
        /// Whether it carries an idempotency key.
        keyed: bool,
    },
    /// Add a row with a value in a column that the table may not have yet.
    Evolve {
        /// The table.
        table: &'static str,
        /// The row.
        row: i64,
        /// The column.
        column: &'static str,
    },
    /// Make one row all that there is.
    Replace {
        /// The table.
        table: &'static str,
        /// The row.
        row: i64,
    },
    /// Make an object's row all that there is.
    Register {
        /// The table.
        table: &'static str,
        /// The object's row, and its name.
        row: i64,
    },
    /// Add a row as another engine does; with `keyed`, its request is repeated under one key.
    Commit {
        /// The table.
        table: &'static str,
        /// The row.
        row: i64,
        /// Whether it goes to the branch that engines work on, and not to `main`.
        branch: bool,
        /// Whether it carries an idempotency key.
        keyed: bool,
    },
    /// Make `main` what the branch of engines is.
    FastForward {
        /// The table.
        table: &'static str,
    },
    /// Give a table another name.
    Rename {
        /// Its name.
        from: &'static str,
        /// The other one.
        to: &'static str,
    },
    /// Say of the column `id` what personal data it holds.
    Classify {
        /// The table.
        table: &'static str,
        /// The class; none for nothing personal.
        class: Option<Pii>,
    },
    /// Drop a table.
    Drop {
        /// The table.
        table: &'static str,
    },
    /// Make a table again what it was.
    RollBack {
        /// The table.
        table: &'static str,
        /// The version.
        to: u64,
    },
    /// Exchange all files of a table for one with the same rows.
    Compact {
        /// The table.
        table: &'static str,
    },
    /// Set a property of a table, as another engine does.
    SetProperty {
        /// The table.
        table: &'static str,
    },
    /// Give up all but so many versions.
    Expire {
        /// How many stay.
        keep: u64,
    },
    /// Delete what nobody reaches.
    Sweep {
        /// How old strays are spared, in seconds.
        grace: u64,
    },
    /// Name a version; none for the newest.
    Tag {
        /// The tag.
        tag: &'static str,
        /// The version.
        version: Option<u64>,
    },
    /// Drop a tag.
    Untag {
        /// The tag.
        tag: &'static str,
    },
    /// Create a vector index.
    CreateIndex {
        /// The index.
        index: &'static str,
    },
    /// Drop a vector index.
    DropIndex {
        /// The index.
        index: &'static str,
    },
}

/// How often a keyed request is repeated.
const RETRIES: usize = 3;
/// The namespaceless tables of the simulation.
pub const TABLES: [&str; 2] = ["t", "u"];
/// The names that tables are given by turns.
pub const NAMES: [&str; 3] = ["t", "u", "v"];
/// The columns that tables get.
pub const COLUMNS: [&str; 2] = ["more", "yet"];
/// Its tags.
pub const TAGS: [&str; 2] = ["a", "b"];
/// Its indexes.
pub const INDEXES: [&str; 2] = ["x", "y"];

impl Deed {
    /// How many kinds there are.
    pub const KINDS: usize = 21;

    /// Does it in the name of `id`.
    pub async fn perform(&self, catalog: &Catalog, id: &str, seams: &Seams) -> Result<Told> {
        match self {
            Self::Append { table, row, keyed } => load(catalog, table, (Mode::Append, *row, *keyed), id, seams).await,
            Self::Evolve { table, row, column } => evolve(catalog, table, (*row, column), id, seams).await,
            Self::Replace { table, row } => load(catalog, table, (Mode::Replace, *row, false), id, seams).await,
            Self::Register { table, row } => register(catalog, table, *row, id).await,
            Self::RollBack { table, to } => {
                let rolled = catalog.roll_back(&name(table), &AsOf::Version(Version(*to)), id).await?;
                Ok(if rolled.existing { Told::Needless } else { Told::Committed(rolled.version) })
            }
            Self::Compact { table } => compact(catalog, table, id, seams).await,
            Self::SetProperty { table } => Engine::new(catalog, table, id, seams).set_property().await,
            Self::Commit { table, row, branch, keyed } => {
                Engine::new(catalog, table, id, seams).repeating(*keyed).append(*row, *branch).await
            }
            Self::FastForward { table } => Engine::new(catalog, table, id, seams).fast_forward().await,
            Self::Rename { from, to } => rename(catalog, from, to, id).await,
            Self::Classify { table, class } => classify(catalog, table, *class, id).await,
            Self::Expire { keep } => {
                // No less than processes may go on without looking.
                let linger = Span::secs(3600);
                let expiry = Expiry { older_than: None, keep_last: Some(*keep), linger, author: id.to_owned() };
                let expired = catalog.expire(&expiry).await?;
                Ok(expired.version.map_or(Told::Needless, Told::Committed))
            }
            Self::Sweep { grace } => sweep(catalog, *grace, id, seams).await,
            Self::Drop { table } => catalog.drop_dataset(&name(table), id).await.map(Told::Committed),
            Self::Tag { tag, version } => {
                let version = version.map(|version| AsOf::Version(Version(version)));
                let tagged = catalog.put_tag(&tag.parse().expect("a tag"), version.as_ref(), id).await?;
                Ok(Told::Holds(tagged.at))
            }
            Self::Untag { tag } => catalog.drop_tag(&tag.parse().expect("a tag"), id).await.map(Told::Committed),
            Self::CreateIndex { index } => {
                catalog.create_index(new_index(index, id)).await.map(|(_, at)| Told::Committed(at))
            }
            Self::DropIndex { index } => {
                catalog.drop_index(&index.parse().expect("an index"), id).await.map(Told::Committed)
            }
        }
    }

    /// What kind of deed it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Append { keyed: false, .. } => "append",
            Self::Append { keyed: true, .. } => "append under a key",
            Self::Evolve { .. } => "add a column",
            Self::Replace { .. } => "replace",
            Self::Register { .. } => "register",
            Self::Commit { branch: false, keyed: false, .. } => "commit of an engine",
            Self::Commit { branch: false, keyed: true, .. } => "commit of an engine under a key",
            Self::Commit { branch: true, .. } => "commit to a branch",
            Self::FastForward { .. } => "fast forward",
            Self::SetProperty { .. } => "set a property",
            Self::Rename { .. } => "rename",
            Self::Classify { .. } => "classify",
            Self::Drop { .. } => "drop",
            Self::RollBack { .. } => "roll back",
            Self::Compact { .. } => "compact",
            Self::Expire { .. } => "expire",
            Self::Sweep { .. } => "sweep",
            Self::Tag { .. } => "tag",
            Self::Untag { .. } => "untag",
            Self::CreateIndex { .. } => "create an index",
            Self::DropIndex { .. } => "drop an index",
        }
    }

    /// The row that only this deed writes.
    pub fn row(&self) -> Option<i64> {
        match self {
            Self::Append { row, .. } | Self::Evolve { row, .. } | Self::Commit { row, .. } => Some(*row),
            Self::Replace { row, .. } | Self::Register { row, .. } => Some(*row),
            _ => None,
        }
    }
}

/// The name of a table.
pub fn name(table: &str) -> base::DatasetName {
    table.parse().expect("a name")
}

/// Asks again under the same key for as long as it fails, a few times.
pub async fn insist<F: Future<Output = Result<Told>>>(seams: &Seams, ask: impl Fn() -> F) -> Result<Told> {
    let mut outcome = ask().await;
    for _ in 0..RETRIES {
        if outcome.is_ok() {
            break;
        }
        seams.wait(Duration::from_millis(10)).await;
        let again = ask().await;
        // An outcome that once was unknown stays so until somebody knows.
        let open = outcome.as_ref().is_err_and(|error| !error.proves_nothing_committed());
        outcome = if open && again.is_err() { outcome } else { again };
    }
    outcome
}

async fn load(
    catalog: &Catalog,
    table: &str,
    (mode, row, keyed): (Mode, i64, bool),
    id: &str,
    seams: &Seams,
) -> Result<Told> {
    let draft = draft(catalog, table, &rows::columns()).await?;
    let files = vec![stage(catalog, &draft, &rows::payload(row), seams).await?];
    let publication = publication(draft, (mode, row), files, id);
    publish(catalog, Publication { idempotency_key: keyed.then(|| id.to_owned()), ..publication }).await
}

async fn evolve(catalog: &Catalog, table: &str, (row, column): (i64, &str), id: &str, seams: &Seams) -> Result<Told> {
    let new = NewColumn { name: column.to_owned(), ty: ColumnType::Int64 };
    let mut columns = rows::columns();
    columns.push(new.clone());
    let mut draft = draft(catalog, table, &columns).await?;
    if !draft.columns.iter().any(|known| known.name == column) {
        draft.extend(&[new]);
    }
    let field = draft.columns.iter().find(|known| known.name == column).map_or(0, |known| known.id);
    let files = vec![stage(catalog, &draft, &rows::wider(row, column, field), seams).await?];
    publish(catalog, publication(draft, (Mode::Append, row), files, id)).await
}

/// Where files of a table go; of one with these columns when it is not there.
async fn draft(catalog: &Catalog, table: &str, columns: &[NewColumn]) -> Result<Draft> {
    let pin = catalog.pin(None).await?;
    match catalog.table(&pin, &name(table)).await {
        Ok(table) => Ok(table.draft()),
        Err(Error::UnknownDataset { .. }) => catalog.draft(&name(table), columns),
        Err(error) => Err(error),
    }
}

fn publication(draft: Draft, (mode, row): (Mode, i64), files: Vec<NewFile>, id: &str) -> Publication {
    Publication {
        draft,
        mode,
        files,
        source: Source { sha256: format!("row {row}"), options: String::new() },
        author: id.to_owned(),
        message: format!("{mode} {row}"),
        idempotency_key: None,
        request: None,
    }
}

async fn publish(catalog: &Catalog, publication: Publication) -> Result<Told> {
    let published = catalog.publish(publication).await?;
    Ok(if published.existing { Told::Needless } else { Told::Committed(published.version) })
}

/// Writes a file under a draft.
pub async fn stage(catalog: &Catalog, draft: &Draft, payload: &rows::Payload, seams: &Seams) -> Result<NewFile> {
    let path = draft.data_path(seams);
    catalog.store().put(&path, payload.bytes.clone()).await?;
    Ok(NewFile { path, footer: payload.footer.clone(), size: payload.bytes.len() as u64 })
}

async fn compact(catalog: &Catalog, table: &str, id: &str, seams: &Seams) -> Result<Told> {
    let pin = catalog.pin(None).await?;
    let table = catalog.table(&pin, &name(table)).await?;
    let (mut old, mut found) = (Vec::new(), Vec::new());
    for file in table.files().await?.iter() {
        let bytes = catalog.store().get(&file.path).await?;
        found.extend(rows::rows_of(&bytes));
        old.push(file.path.clone());
    }
    if old.len() < 2 {
        return Ok(Told::Needless);
    }
    let new = vec![stage(catalog, &table.draft(), &rows::merged(&found), seams).await?];
    let rewritten = catalog.rewrite(Rewrite { table, old, new, author: id.to_owned() }).await?;
    Ok(Told::Committed(rewritten.version))
}

async fn rename(catalog: &Catalog, from: &str, to: &str, id: &str) -> Result<Told> {
    let caller = Caller { author: id.to_owned(), idempotency_key: None, may_take_away: true };
    catalog.rename(&name(from), &name(to), caller).await.map(Told::Committed)
}

async fn classify(catalog: &Catalog, table: &str, class: Option<Pii>, id: &str) -> Result<Told> {
    let columns = [(rows::ID.to_owned(), class)].into();
    let classified = catalog.classify(Classify { name: name(table), columns, author: id.to_owned() }).await?;
    Ok(if classified.existing { Told::Needless } else { Told::Committed(classified.version) })
}

async fn sweep(catalog: &Catalog, grace: u64, id: &str, seams: &Seams) -> Result<Told> {
    let sweep =
        Sweep { grace: Span::secs(grace), dry_run: false, name_first: 0, name_after: None, author: id.to_owned() };
    match Upkeep::new(catalog.clone(), seams.clone()).sweep(&sweep).await {
        Ok(swept) => Ok(swept.version.map_or(Told::Needless, Told::Holds)),
        // What was announced may stand, whatever went wrong afterwards.
        Err(upkeep::Error::Catalog(error)) if error.kind() == Kind::Damaged => Err(error),
        Err(_) => Err(Error::OutcomeUnknown),
    }
}

async fn register(catalog: &Catalog, table: &str, row: i64, id: &str) -> Result<Told> {
    let columns = rows::columns();
    let register = Register {
        name: name(table),
        schema_fingerprint: fingerprint(columns.iter().map(|column| (column.name.as_str(), &column.ty))),
        objects: vec![row.to_string().as_str().into()],
        row_count: 1,
        author: id.to_owned(),
    };
    Ok(Told::Committed(catalog.register(register).await?.manifest.version))
}

fn new_index(index: &str, id: &str) -> NewIndex {
    let settings = IndexSettings { dimension: 2, distance: Distance::Dot, m: 16, ef_search: None, model: None };
    NewIndex { name: index.parse().expect("an index"), settings, author: id.to_owned() }
}
