//! The tables that one statement may see: those it names, at the pinned version or at one of their own.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use base::DatasetName;
use catalog::{Catalog, Pin};
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, TableReference};
use datafusion::sql::sqlparser::ast::{Ident, ObjectName};

use crate::clauses::PastTable;
use crate::clean::missing;
use crate::error::{Error, Result};
use crate::found::Found;
use crate::history::{History, Past};
use crate::provider::{LakeTable, Reader};
use crate::system::{self, CATALOG, SYSTEM_SCHEMA};

/// The schema of names that state none.
pub(crate) const DEFAULT_SCHEMA: &str = "default";
/// The schema of what vector searches found. No namespace of a lake is spelled so.
pub(crate) const FOUND_SCHEMA: &str = "vector_search()";
/// The schema of tables that are read at versions of their own. No namespace of a lake is spelled so.
pub(crate) const PAST_SCHEMA: &str = "as of";
/// The schema of `versions()` and `snapshots('t')`. No namespace of a lake is spelled so.
pub(crate) const HISTORY_SCHEMA: &str = "history()";

/// The tables of a statement, under the names it uses for them.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    schemas: HashMap<String, Arc<Tables>>,
    lake: Vec<Arc<LakeTable>>,
    found: Vec<Arc<Found>>,
    /// What the first unknown name should be answered with.
    unknown: Option<String>,
}

impl Scope {
    /// Loads the tables that the references name. Unknown names are kept for the message: they may be table
    /// functions, which only the planner can tell.
    pub(crate) async fn load(
        catalog: &Catalog,
        pin: &Pin,
        references: &[TableReference],
        reader: &Reader,
    ) -> Result<Self> {
        let mut scope = Self::default();
        let mut schemas: HashMap<String, Tables> = HashMap::new();
        for reference in references {
            let schema = reference.schema().unwrap_or(DEFAULT_SCHEMA);
            if is_inner(reference) {
                continue;
            }
            match scope.table(catalog, pin, reference, reader).await? {
                Some(table) => {
                    schemas.entry(schema.to_owned()).or_default().0.insert(reference.table().to_owned(), table);
                }
                None => {
                    scope.unknown.get_or_insert_with(|| unknown_table(pin, reference));
                }
            }
        }
        scope.schemas = schemas.into_iter().map(|(name, tables)| (name, Arc::new(tables))).collect();
        Ok(scope)
    }

    /// The table that a reference means at a version; none when there is none.
    async fn table(
        &mut self,
        catalog: &Catalog,
        pin: &Pin,
        reference: &TableReference,
        reader: &Reader,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        if reference.schema() == Some(SYSTEM_SCHEMA) && is_ours(reference) {
            return system::table(catalog, pin, reference.table()).await;
        }
        let Some(name) = resolve(pin, reference) else { return Ok(None) };
        let table = Arc::new(LakeTable::new(catalog.table(pin, name).await?, reader.clone())?);
        self.lake.push(Arc::clone(&table));
        Ok(Some(table))
    }

    /// Adds the tables that are read at versions of their own, each in its place.
    pub(crate) async fn add_past(&mut self, catalog: &Catalog, past: &[PastTable], reader: &Reader) -> Result<()> {
        for past in past {
            let pin = catalog.pin(Some(&past.as_of)).await?;
            let table = self.table(catalog, &pin, &past.reference, reader).await?;
            let table = table.ok_or_else(|| not_then(&pin, &past.reference))?;
            let (schema, name) = past.place();
            let tables = self.schemas.entry(schema.to_owned()).or_default();
            Arc::make_mut(tables).0.insert(name.to_owned(), table);
        }
        Ok(())
    }

    /// Adds histories up to the pinned version, under their numbers.
    pub(crate) fn add_histories(&mut self, catalog: &Catalog, pin: &Pin, histories: &[History]) -> Result<()> {
        let mut tables = Tables::default();
        for (number, history) in histories.iter().enumerate() {
            tables.0.insert(number.to_string(), Arc::new(Past::new(catalog, pin, history)?));
        }
        self.schemas.insert(HISTORY_SCHEMA.to_owned(), Arc::new(tables));
        Ok(())
    }

    /// Adds streams, under their names.
    pub(crate) fn add_streams(&mut self, streams: Vec<(String, Found)>) {
        for (name, found) in streams {
            let tables = self.schemas.entry(DEFAULT_SCHEMA.to_owned()).or_default();
            Arc::make_mut(tables).0.insert(name, Arc::new(found));
        }
    }

    /// Adds what vector searches found, under the searches' numbers.
    pub(crate) fn add_found(&mut self, found: Vec<Found>) {
        self.found = found.into_iter().map(Arc::new).collect();
        let table = |(number, found): (usize, &Arc<Found>)| (number.to_string(), Arc::clone(found) as _);
        let tables = Tables(self.found.iter().enumerate().map(table).collect());
        self.schemas.insert(FOUND_SCHEMA.to_owned(), Arc::new(tables));
    }

    /// The names of the lake's tables among them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &DatasetName> {
        self.lake.iter().map(|table| table.table().name())
    }

    /// All columns, as the engine sees them and as they are stored.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = (&str, &str)> {
        let found = self.found.iter().flat_map(|table| table.spellings());
        self.lake.iter().flat_map(|table| table.spellings()).chain(found)
    }

    /// The answer to the first name that is no table.
    pub(crate) fn unknown(&self) -> Option<&str> {
        self.unknown.as_deref()
    }
}

/// The stored spelling of a column of one of these tables, which likely stands at `likely`.
pub(crate) fn stored_spelling(table: &dyn TableProvider, exposed: &str, likely: usize) -> Option<String> {
    let found = table.downcast_ref::<Found>().and_then(|table| table.stored(exposed, likely));
    let lake = table.downcast_ref::<LakeTable>().and_then(|table| table.stored(exposed, likely));
    lake.or(found).map(str::to_owned)
}

/// Whether a reference names a table that only statements as rewritten name.
pub(crate) fn is_inner(reference: &TableReference) -> bool {
    reference.schema().is_some_and(|schema| [FOUND_SCHEMA, PAST_SCHEMA, HISTORY_SCHEMA].contains(&schema))
}

/// Whether a reference names a stream, if there is one: no table of the lake, and nothing in a namespace of its own.
pub(crate) fn may_be_stream(pin: &Pin, reference: &TableReference) -> bool {
    let schema = reference.schema().unwrap_or(DEFAULT_SCHEMA);
    is_ours(reference) && schema == DEFAULT_SCHEMA && resolve(pin, reference).is_none()
}

fn is_ours(reference: &TableReference) -> bool {
    reference.catalog().is_none_or(|catalog| catalog.eq_ignore_ascii_case(CATALOG))
}

/// The dataset that a reference names: exactly, or else without regard to case where that is unambiguous.
pub(crate) fn resolve<'a>(pin: &'a Pin, reference: &TableReference) -> Option<&'a DatasetName> {
    if !is_ours(reference) {
        return None;
    }
    let (schema, table) = (reference.schema().unwrap_or(DEFAULT_SCHEMA), reference.table());
    let exact = pin.names().find(|name| name.namespace() == schema && name.table() == table);
    let loosely =
        |name: &&DatasetName| name.namespace().eq_ignore_ascii_case(schema) && name.table().eq_ignore_ascii_case(table);
    exact.or_else(|| {
        let mut matching = pin.names().filter(loosely);
        matching.next().filter(|_| matching.next().is_none())
    })
}

/// What to answer to a name that no dataset has.
pub(crate) fn unknown_table(pin: &Pin, reference: &TableReference) -> String {
    let known: Vec<String> = pin.names().map(ToString::to_string).collect();
    let written = match reference.schema() {
        Some(schema) if schema != DEFAULT_SCHEMA => format!("{schema}.{}", reference.table()),
        _ => reference.table().to_owned(),
    };
    missing("table", &written, known.iter().map(String::as_str))
}

/// The refusal of a table that a version did not hold.
pub(crate) fn not_then(pin: &Pin, reference: &TableReference) -> Error {
    Error::Invalid(format!("at version {}, {}", pin.version(), unknown_table(pin, reference)))
}

/// The table that a name written in a statement means: unquoted parts fold, as everywhere.
pub(crate) fn table_reference(name: &ObjectName) -> Result<TableReference> {
    let fold = |ident: &Ident| match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    };
    let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(fold).collect();
    match parts.as_slice() {
        [table] => Ok(TableReference::partial(DEFAULT_SCHEMA, table.as_str())),
        [schema, table] => Ok(TableReference::partial(schema.as_str(), table.as_str())),
        [catalog, schema, table] => Ok(TableReference::full(catalog.as_str(), schema.as_str(), table.as_str())),
        _ => Err(Error::Invalid("a table is named by at most three parts".to_owned())),
    }
}

/// The tables of one schema.
#[derive(Debug, Default, Clone)]
struct Tables(HashMap<String, Arc<dyn TableProvider>>);

impl Tables {
    /// By the name as the statement wrote it, or as quoted names are rewritten.
    fn find(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        let loosely = || self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, table)| table);
        self.0.get(name).or_else(loosely).cloned()
    }
}

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        Ok(self.find(name))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
}

/// The scope, as the engine asks for it.
#[derive(Debug, Clone)]
pub(crate) struct ScopeCatalog(pub(crate) Arc<Scope>);

impl CatalogProvider for ScopeCatalog {
    fn schema_names(&self) -> Vec<String> {
        self.0.schemas.keys().cloned().collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        self.0.schemas.get(name).map(|tables| Arc::clone(tables) as _)
    }
}

impl CatalogProviderList for ScopeCatalog {
    fn register_catalog(&self, _: String, _: Arc<dyn CatalogProvider>) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![CATALOG.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        name.eq_ignore_ascii_case(CATALOG).then(|| Arc::new(self.clone()) as _)
    }
}

/// An error for a statement that names no table at all where one is needed.
pub(crate) fn no_such_table(pin: &Pin, reference: &TableReference) -> Error {
    Error::UnknownTable(unknown_table(pin, reference))
}
