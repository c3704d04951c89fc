//! What writers do to a lake, and how a model of it changes.

use std::collections::{BTreeMap, BTreeSet};

use base::{AsOf, Distance, Fault, Kind, Seams, Span, Version};
use catalog::{
    Caller, Catalog, Draft, Error, Expiry, IndexSettings, Mode, NewFile, NewIndex, Publication, Register, Result,
    Rewrite, Source, fingerprint,
};
use serde_json::json;
use upkeep::{Sweep, Upkeep};

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

/// The namespaceless tables of the simulation.
pub const TABLES: [&str; 2] = ["t", "u"];
/// Its tags.
pub const TAGS: [&str; 2] = ["a", "b"];
/// Its indexes.
pub const INDEXES: [&str; 2] = ["x", "y"];

/// What a lake holds, in the plainest terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    /// The rows of each table, sorted.
    pub tables: BTreeMap<String, Vec<i64>>,
    /// The version that each tag names.
    pub tags: BTreeMap<String, u64>,
    /// The indexes.
    pub indexes: BTreeSet<String>,
    /// Versions below may be gone, save those with tags.
    pub oldest: u64,
}

impl Deed {
    /// Does it in the name of `id`.
    pub async fn perform(&self, catalog: &Catalog, id: &str, seams: &Seams) -> Result<Told> {
        match self {
            Self::Append { table, row, keyed } => load(catalog, table, (Mode::Append, *row, *keyed), id, seams).await,
            Self::Replace { table, row } => load(catalog, table, (Mode::Replace, *row, false), id, seams).await,
            Self::Register { table, row } => register(catalog, table, *row, id).await,
            Self::RollBack { table, to } => {
                let rolled = catalog.roll_back(&name(table), &AsOf::Version(Version(*to)), id).await?;
                Ok(if rolled.existing { Told::Needless } else { Told::Committed(rolled.version) })
            }
            Self::Compact { table } => compact(catalog, table, id, seams).await,
            Self::SetProperty { table } => set_property(catalog, table, id).await,
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

    /// The row that only this deed writes.
    pub fn row(&self) -> Option<i64> {
        match self {
            Self::Append { row, .. } | Self::Replace { row, .. } | Self::Register { row, .. } => Some(*row),
            _ => None,
        }
    }

    /// What it makes of a lake when it is committed as part of `version`, after what the versions before held.
    pub fn apply(&self, model: &mut Model, version: u64, before: &[Model]) {
        match self {
            Self::RollBack { table, to } => {
                let then = usize::try_from(*to).ok().and_then(|to| before.get(to.checked_sub(1)?));
                match then.and_then(|then| then.tables.get(*table)) {
                    Some(rows) => model.tables.insert((*table).to_owned(), rows.clone()),
                    None => model.tables.remove(*table),
                };
            }
            Self::Compact { .. } | Self::SetProperty { .. } | Self::Expire { .. } | Self::Sweep { .. } => {}
            Self::Append { table, row, .. } => {
                let rows = model.tables.entry((*table).to_owned()).or_default();
                rows.push(*row);
                rows.sort_unstable();
            }
            Self::Replace { table, row } | Self::Register { table, row } => {
                model.tables.insert((*table).to_owned(), vec![*row]);
            }
            Self::Drop { table } => {
                model.tables.remove(*table);
            }
            Self::Tag { tag, version: named } => {
                model.tags.insert((*tag).to_owned(), named.unwrap_or(version - 1));
            }
            Self::Untag { tag } => {
                model.tags.remove(*tag);
            }
            Self::CreateIndex { index } => {
                model.indexes.insert((*index).to_owned());
            }
            Self::DropIndex { index } => {
                model.indexes.remove(*index);
            }
        }
    }
}

/// The name of a table.
pub fn name(table: &str) -> base::DatasetName {
    table.parse().expect("a name")
}

async fn load(
    catalog: &Catalog,
    table: &str,
    (mode, row, keyed): (Mode, i64, bool),
    id: &str,
    seams: &Seams,
) -> Result<Told> {
    let pin = catalog.pin(None).await?;
    let draft = match catalog.table(&pin, &name(table)).await {
        Ok(table) => table.draft(),
        Err(Error::UnknownDataset { .. }) => catalog.draft(&name(table), &rows::columns())?,
        Err(error) => return Err(error),
    };
    let files = vec![stage(catalog, &draft, &rows::payload(row), seams).await?];
    let publication = Publication {
        draft,
        mode,
        files,
        source: Source { sha256: format!("row {row}"), options: String::new() },
        author: id.to_owned(),
        message: format!("{mode} {row}"),
        idempotency_key: keyed.then(|| id.to_owned()),
        request: None,
    };
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

async fn set_property(catalog: &Catalog, table: &str, id: &str) -> Result<Told> {
    let changes = json!({"updates": [{"action": "set-properties", "updates": {"by": id}}]});
    let changes = serde_json::from_value(changes).expect("changes of a table");
    let caller = Caller { author: id.to_owned(), idempotency_key: None, may_take_away: true };
    catalog.commit_outside(&name(table), changes, caller).await?;
    Ok(Told::Stands)
}

async fn sweep(catalog: &Catalog, grace: u64, id: &str, seams: &Seams) -> Result<Told> {
    let sweep = Sweep { grace: Span::secs(grace), dry_run: false, name_first: 0, author: id.to_owned() };
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
