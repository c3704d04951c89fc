//! From a question to a plan that is ready to run.

use std::collections::HashMap;
use std::sync::Arc;

use catalog::Pin;
use datafusion::common::TableReference;
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{ObjectName, Query, ShowStatementOptions, Statement};

use crate::ask::Ask;
use crate::calls::{self, Call};
use crate::clean::Cleaner;
use crate::engine::physical;
use crate::error::{Error, Result};
use crate::found::{Found, Searcher};
use crate::names::{name_recursive_columns, result_names, tell_apart};
use crate::pace::Pace;
use crate::params;
use crate::provider::external;
use crate::quoted::{check_quoted, rewrite_quoted};
use crate::run::Shared;
use crate::scope::{self, DEFAULT_SCHEMA, Scope};
use crate::statement::{self, Parsed};
use crate::system;

/// A plan, the session it runs in, and what its columns are called.
pub(crate) struct Planned {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) state: SessionState,
    pub(crate) names: Vec<String>,
}

impl Planned {
    /// The plan that answers what the columns are, instead of the rows.
    async fn described(self) -> datafusion::common::Result<Self> {
        let table = system::description(&self.names, &self.plan.schema()).map_err(external)?;
        let plan = table.scan(&self.state, None, &[], None).await?;
        let names = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
        Ok(Self { plan, state: self.state, names })
    }
}

/// What planning needs besides the question.
pub(crate) struct Planner<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) pin: &'a Pin,
    pub(crate) search: Option<&'a Searcher>,
    pub(crate) pace: &'a Pace,
}

impl Planner<'_> {
    /// Plans one question. `cleaner` learns the literals that no message may repeat.
    pub(crate) async fn plan(&self, ask: &Ask, cleaner: &mut Cleaner) -> Result<Planned> {
        let mut parsed = self.parse(&ask.sql)?;
        cleaner.literals.clone_from(&parsed.literals);
        params::check_count(&ask.params, parsed.placeholders)?;
        let calls = calls::take(&mut parsed, &ask.params)?;
        let params = params::bind(&ask.params, &parsed.tokens)?;
        let references = references(&parsed.statement).map_err(|error| cleaner.error(error))?;
        let mut scope = Scope::load(&self.shared.catalog, self.pin, &references, &self.shared.reader).await?;
        scope.add_found(self.find(ask, &calls).await?);
        let mut statement = exposed(&parsed, &scope)?;
        name_recursive_columns(&mut statement);
        let scope = Arc::new(scope);
        let mut state = self.shared.engine.session(Arc::clone(&scope));
        let (plan, plain) = logical(&state, statement).await.map_err(|error| unknown_table(&scope, cleaner, error))?;
        refuse_writes(&plan)?;
        check_quoted(&plan, &parsed.statement, &parsed.tokens).map_err(|error| cleaner.error(error))?;
        let plan = match params {
            Some(values) => plan.with_param_values(values).map_err(|error| cleaner.error(error))?,
            None => plan,
        };
        let names = result_names(&plan, &parsed.statement, &parsed.tokens, &scope, &plain);
        let plan = physical(&mut state, &plan, self.pace).await.map_err(|error| cleaner.error(error))?;
        let planned = Planned { plan, state, names };
        if parsed.describes { planned.described().await.map_err(|error| cleaner.error(error)) } else { Ok(planned) }
    }

    /// What each of the calls finds.
    async fn find(&self, ask: &Ask, calls: &[Call]) -> Result<Vec<Found>> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        if ask.as_of.is_some() {
            let text = "vector_search answers from the newest state only; leave as_of out";
            return Err(Error::Unsupported(text.to_owned()));
        }
        let search = self.search.ok_or_else(|| {
            Error::Unsupported("vector_search is not available here: this queryd has no vector indexes".to_owned())
        })?;
        search.find(calls, self.shared.config.memory_limit).await
    }

    /// SHOW, and DESCRIBE of a table, are queries over `information_schema`.
    fn parse(&self, sql: &str) -> Result<Parsed> {
        if sql.trim().is_empty() {
            return Err(Error::Invalid("sql is empty".to_owned()));
        }
        let parsed = statement::parse(sql)?;
        match &parsed.statement {
            Statement::ShowTables { .. } => statement::parse(SHOW_TABLES),
            Statement::ExplainTable { table_name, .. } => statement::parse(&self.describe(table_name)?),
            Statement::ShowColumns { show_options, .. } => statement::parse(&self.describe(shown(show_options)?)?),
            _ => Ok(parsed),
        }
    }

    fn describe(&self, name: &ObjectName) -> Result<String> {
        let reference = table_reference(name)?;
        let name = scope::resolve(self.pin, &reference);
        let name = name.ok_or_else(|| scope::no_such_table(self.pin, &reference))?;
        let (schema, table) = (name.namespace(), name.table());
        // A dataset's name holds no quote, so it can stand in a literal.
        Ok(format!(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns \
             WHERE table_schema = '{schema}' AND table_name = '{table}' ORDER BY ordinal_position"
        ))
    }
}

const SHOW_TABLES: &str = "SELECT table_catalog, table_schema, table_name, table_type FROM information_schema.tables \
                           ORDER BY table_schema <> 'default', table_schema, table_name";

fn shown(options: &ShowStatementOptions) -> Result<&ObjectName> {
    let name = options.show_in.as_ref().and_then(|from| from.parent_name.as_ref());
    name.ok_or_else(|| Error::Invalid("SHOW COLUMNS needs FROM and a table".to_owned()))
}

/// The table that a name in DESCRIBE means: unquoted parts fold, as everywhere.
fn table_reference(name: &ObjectName) -> Result<TableReference> {
    let fold = |ident: &datafusion::sql::sqlparser::ast::Ident| match ident.quote_style {
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

fn references(statement: &Statement) -> datafusion::common::Result<Vec<TableReference>> {
    let statement = EngineStatement::Statement(Box::new(statement.clone()));
    resolve_table_references(&statement, true).map(|(tables, _)| tables)
}

/// The statement with quoted names as the tables expose them.
fn exposed(parsed: &Parsed, scope: &Scope) -> Result<Statement> {
    let mut tokens = parsed.tokens.clone();
    if rewrite_quoted(&mut tokens, scope) {
        return statement::parse_tokens(&tokens);
    }
    Ok(parsed.statement.clone())
}

/// The plan of a statement, and the plain names of items that had to be told apart for it.
async fn logical(
    state: &SessionState,
    mut statement: Statement,
) -> datafusion::common::Result<(LogicalPlan, HashMap<String, String>)> {
    let plan = async |statement| state.statement_to_plan(EngineStatement::Statement(Box::new(statement))).await;
    let refused = match plan(statement.clone()).await {
        Ok(planned) => return Ok((planned, HashMap::new())),
        Err(error) => error,
    };
    // Repeated names are told apart only now, so that a statement the engine takes is planned as it stands.
    let plain = outermost(&mut statement).map(tell_apart).unwrap_or_default();
    if plain.is_empty() {
        return Err(refused);
    }
    plan(statement).await.map(|planned| (planned, plain)).map_err(|_| refused)
}

fn outermost(statement: &mut Statement) -> Option<&mut Query> {
    match statement {
        Statement::Query(query) => Some(query),
        Statement::Explain { statement, .. } => outermost(statement),
        _ => None,
    }
}

/// The planner says that a name is unknown; the scope knows which one, and what it could have meant.
fn unknown_table(scope: &Scope, cleaner: &Cleaner, error: datafusion::common::DataFusionError) -> Error {
    match (scope.unknown(), cleaner.error(error)) {
        (Some(text), Error::Invalid(message)) if message.contains("table '") => Error::UnknownTable(text.to_owned()),
        (_, other) => other,
    }
}

/// Read-only by plan: whatever the statement looked like, only a plan that reads is executed.
fn refuse_writes(plan: &LogicalPlan) -> Result<()> {
    let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(plan).map_err(|_| Error::ReadOnly)
}
