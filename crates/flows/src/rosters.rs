//! Rosters: the table of workers as a version has it, in a form that checks can ask without any I/O.

use std::collections::HashSet;
use std::fmt::Write;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use ::validate::register::{COLUMNS, ID, NEEDED, PREFIX, STANDING, is_active};
use ::validate::roster::Overfull;
use ::validate::{Roster, RosterBuilder, Row};
use base::{AsOf, DatasetName, Version};
use catalog::{Column, ColumnType, Pin, Table, TableEntry};
use futures::TryStreamExt;
use lru::LruCache;
use query::{Ask, Query, Texts};
use storage::task;

use crate::error::{Error, Result};

/// How many rosters are kept: the newest one, and those of versions that were asked for lately.
const KEPT: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not zero");

/// A table in one state: its id and its snapshot.
pub(crate) type State = (String, Option<i64>);

/// The state that a version pins.
pub(crate) fn state_of(entry: &TableEntry) -> State {
    (entry.table_id.to_string(), entry.snapshot_id)
}

/// The rosters of a lake. Cheap to clone.
#[derive(Clone)]
pub struct Rosters {
    query: Query,
    table: DatasetName,
    kept: Arc<Mutex<LruCache<State, Arc<Roster>>>>,
    /// Held by whoever loads, so that a new version is read once however many wait for it.
    loading: Arc<tokio::sync::Mutex<()>>,
}

impl Rosters {
    /// The rosters that `table` of the lake behind `query` holds.
    pub fn new(query: Query, table: DatasetName) -> Self {
        let kept = Arc::new(Mutex::new(LruCache::new(KEPT)));
        Self { query, table, kept, loading: Arc::default() }
    }

    /// The table of workers.
    pub fn table(&self) -> &DatasetName {
        &self.table
    }

    /// The engine that reads it.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The roster at a version, or now, and that version. It is loaded first when the table has changed.
    pub async fn at(&self, as_of: Option<&AsOf>) -> Result<(Arc<Roster>, Version)> {
        let pin = self.pin(as_of).await?;
        Ok((self.of(&pin).await?, pin.version()))
    }

    /// A version, or the newest one; the store is asked for one that knows the table before nobody exists.
    pub(crate) async fn pin(&self, as_of: Option<&AsOf>) -> Result<Pin> {
        Ok(self.query.catalog().pin_for(&self.table, as_of).await?)
    }

    /// The ids of the workers who meet a condition in SQL at a version.
    pub(crate) async fn meeting(&self, condition: &str, as_of: Option<AsOf>) -> Result<HashSet<String>> {
        let pin = self.query.catalog().pin(as_of.as_ref()).await?;
        if pin.entry(&self.table).is_none() {
            return Ok(HashSet::new());
        }
        let plan = Plan::of(&*self.query.catalog().table(&pin, &self.table).await?)?;
        let sql = format!("SELECT c0 FROM ({} WHERE ({condition}\n)) AS workers", plan.sql);
        let ask = Ask { sql, as_of, params: Vec::new() };
        let mut rows = self.query.texts(ask).await?;
        let mut ids = HashSet::new();
        while let Some(texts) = rows.try_next().await? {
            let mut spelled = String::new();
            ids.extend((0..texts.rows()).filter_map(|row| id_of(&texts, row, &mut spelled).map(str::to_owned)));
        }
        Ok(ids)
    }

    /// The roster of a pinned version.
    pub(crate) async fn of(&self, pin: &Pin) -> Result<Arc<Roster>> {
        let Some(entry) = pin.entry(&self.table) else {
            return Ok(Arc::new(Roster::absent(&self.table.to_string())));
        };
        let state = state_of(entry);
        if let Some(roster) = self.kept(&state) {
            return Ok(roster);
        }
        let _turn = self.loading.lock().await;
        if let Some(roster) = self.kept(&state) {
            return Ok(roster);
        }
        let roster = Arc::new(self.load(pin).await?);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).put(state, Arc::clone(&roster));
        Ok(roster)
    }

    fn kept(&self, state: &State) -> Option<Arc<Roster>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(state).cloned()
    }

    async fn load(&self, pin: &Pin) -> Result<Roster> {
        let table = self.query.catalog().table(pin, &self.table).await?;
        let plan = Plan::of(&table)?;
        let ask = Ask { sql: plan.sql, as_of: Some(AsOf::Version(pin.version())), params: Vec::new() };
        let mut rows = self.query.texts(ask).await?;
        let workers = pin.entry(&self.table).map_or(0, |entry| entry.row_count);
        let workers = usize::try_from(workers).unwrap_or(usize::MAX);
        let mut builder = RosterBuilder::new(plan.tells_standing).with_room(workers);
        while let Some(texts) = rows.try_next().await? {
            let added = add(&mut builder, &texts);
            added.map_err(|_| Error::RosterTooLarge { table: self.table.clone() })?;
        }
        task::blocking("make a roster", || builder.finish()).await.map_err(|died| Error::Broken(died.into()))
    }
}

/// How a table of workers is read. Columns that are texts already, and ids that are numbers, are asked for as they are: then
/// nothing has to be computed of half a million rows, which would be held several times over meanwhile.
struct Plan {
    sql: String,
    tells_standing: bool,
}

impl Plan {
    fn of(table: &Table) -> Result<Self> {
        let found = |name: &str| table.columns().iter().find(|column| column.name.eq_ignore_ascii_case(name));
        let missing: Vec<String> = NEEDED.into_iter().filter(|name| found(name).is_none()).map(str::to_owned).collect();
        if !missing.is_empty() {
            return Err(Error::RosterColumns { table: table.name().clone(), missing });
        }
        let text = |name: &str| match found(name) {
            Some(column) => read(column, column.ty == ColumnType::Int64 && name == ID),
            None => "CAST(NULL AS VARCHAR)".to_owned(),
        };
        let mut items: Vec<String> = COLUMNS.into_iter().map(text).collect();
        let standing: Vec<String> = STANDING.into_iter().filter(|name| found(name).is_some()).map(text).collect();
        items.push(match standing.as_slice() {
            [one] => one.clone(),
            [] => "CAST(NULL AS VARCHAR)".to_owned(),
            several => format!("COALESCE({})", several.join(", ")),
        });
        let named: Vec<String> = (0..).zip(items).map(|(at, item)| format!("{item} AS c{at}")).collect();
        let (schema, name) = (table.name().namespace(), table.name().table());
        let sql = format!("SELECT {} FROM \"{schema}\".\"{name}\"", named.join(", "));
        Ok(Self { sql, tells_standing: !standing.is_empty() })
    }
}

/// A column as it is asked for: as it is, or as a text.
fn read(column: &Column, as_it_is: bool) -> String {
    let quoted = format!("\"{}\"", column.name.replace('"', "\"\""));
    if as_it_is || column.ty == ColumnType::String { quoted } else { format!("CAST({quoted} AS VARCHAR)") }
}

/// The id of a row: a number has `W-` before it. None of one without.
fn id_of<'a>(texts: &'a Texts, row: usize, spelled: &'a mut String) -> Option<&'a str> {
    let Some(number) = texts.number(row, 0) else { return texts.get(row, 0).filter(|id| !id.is_empty()) };
    spelled.clear();
    // A text takes whatever is written to it.
    let _ = write!(spelled, "{PREFIX}{number}");
    Some(spelled)
}

/// Adds rows. One without an id is nobody.
fn add(builder: &mut RosterBuilder, texts: &Texts) -> Result<(), Overfull> {
    let mut spelled = String::new();
    for row in 0..texts.rows() {
        let [name, role, city, state, blacklist, status] = std::array::from_fn(|column| texts.get(row, column + 1));
        let Some(id) = id_of(texts, row, &mut spelled) else { continue };
        let active = status.map(is_active);
        builder.push(&Row { id, name, role, city, state, status, active, blacklist })?;
    }
    Ok(())
}
