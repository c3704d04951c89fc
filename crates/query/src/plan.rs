//! From a question to a plan that is ready to run.

use std::collections::HashMap;
use std::sync::Arc;

use base::AsOf;
use catalog::Pin;
use datafusion::common::TableReference;
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{ObjectName, Query, ShowStatementOptions, Statement};
use limits::Pace;

use crate::ask::Ask;
use crate::calls::{self, Call};
use crate::clauses;
use crate::clean::Cleaner;
use crate::engine::physical;
use crate::error::{Error, Result};
use crate::found::{Found, Searcher};
use crate::names::{name_recursive_columns, result_names, tell_apart};
use crate::params;
use crate::provider::external;
use crate::quoted::{check_quoted, rewrite_quoted};
use crate::run::Shared;
use crate::scope::{self, Scope};
use crate::spelled;
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
    pub(crate) search: &'a Searcher,
    pub(crate) pace: &'a Pace,
    /// Most rows of a batch.
    pub(crate) batch_rows: usize,
}

impl Planner<'_> {
    /// Plans one question. `cleaner` learns the literals that no message may repeat.
    pub(crate) async fn plan(&self, ask: &Ask, cleaner: &mut Cleaner) -> Result<Planned> {
        let mut parsed = self.parse(ask).await?;
        cleaner.literals.clone_from(&parsed.literals);
        params::check_count(&ask.params, parsed.placeholders)?;
        let written = references(&parsed.statement).map_err(|error| cleaner.error(error))?;
        if let Some(inner) = written.iter().find(|reference| scope::is_inner(reference)) {
            return Err(scope::no_such_table(self.pin, inner));
        }
        spelled::settle(&mut parsed, self.pin)?;
        let past = clauses::take(&mut parsed, &ask.params)?;
        let calls = calls::take(&mut parsed, &ask.params)?;
        let params = params::bind(&ask.params, &parsed.tokens)?;
        let mut references = references(&parsed.statement).map_err(|error| cleaner.error(error))?;
        references.retain(|reference| !past.iter().any(|past| past.is_found_by(reference)));
        let streams = self.streams(ask, &mut references).await?;
        let mut scope = Scope::load(&self.shared.catalog, self.pin, &references, &self.shared.reader).await?;
        scope.add_past(&self.shared.catalog, &past, &self.shared.reader).await?;
        scope.add_histories(&self.shared.catalog, self.pin, &calls.histories)?;
        scope.add_streams(streams);
        scope.add_found(self.find(ask, &calls.searches).await?);
        let mut statement = exposed(&parsed, &scope)?;
        name_recursive_columns(&mut statement);
        let scope = Arc::new(scope);
        let _turn = self.shared.engine.turn().await?;
        let mut state = self.shared.engine.session(Arc::clone(&scope), self.pace);
        let (plan, plain) = logical(&state, statement).await.map_err(|error| unknown_table(&scope, cleaner, error))?;
        refuse_writes(&plan)?;
        check_quoted(&plan, &parsed.statement, &parsed.tokens).map_err(|error| cleaner.error(error))?;
        let plan = match params {
            Some(values) => plan.with_param_values(values).map_err(|error| cleaner.error(error))?,
            None => plan,
        };
        let names = result_names(&plan, &parsed.statement, &parsed.tokens, &scope, &plain);
        let plan =
            physical(&mut state, &plan, self.pace, self.batch_rows).await.map_err(|error| cleaner.error(error))?;
        let planned = Planned { plan, state, names };
        if parsed.describes { planned.described().await.map_err(|error| cleaner.error(error)) } else { Ok(planned) }
    }

    /// What each of the calls finds.
    async fn find(&self, ask: &Ask, calls: &[Call]) -> Result<Vec<Found>> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let as_of = ask.as_of.is_some().then(|| self.pin.version());
        self.search.find(calls, as_of, self.shared.config.memory_limit).await
    }

    /// The streams that a statement names, taken out of its references. They have no versions yet.
    async fn streams(&self, ask: &Ask, references: &mut Vec<TableReference>) -> Result<Vec<(String, Found)>> {
        let mut streams = Vec::new();
        for reference in references.clone() {
            if !scope::may_be_stream(self.pin, &reference) {
                continue;
            }
            let name = reference.table();
            let Some(found) = self.search.stream(name, self.shared.config.memory_limit).await? else { continue };
            if ask.as_of.is_some() {
                let told = format!("the stream {name} is read as it is now, not as of a version");
                return Err(Error::Unsupported(told));
            }
            streams.push((name.to_owned(), found));
            references.retain(|other| *other != reference);
        }
        Ok(streams)
    }

    /// SHOW, and DESCRIBE of a table, are queries over `information_schema`.
    async fn parse(&self, ask: &Ask) -> Result<Parsed> {
        if ask.sql.trim().is_empty() {
            return Err(Error::Invalid("sql is empty".to_owned()));
        }
        let parsed = statement::parse(&ask.sql)?;
        let described = match &parsed.statement {
            Statement::ShowTables { .. } if parsed.clauses.is_empty() => return statement::parse(SHOW_TABLES),
            Statement::ExplainTable { table_name, .. } => table_name,
            Statement::ShowColumns { show_options, .. } => shown(show_options)?,
            _ => return Ok(parsed),
        };
        let as_of = clauses::of_name(&parsed.clauses, described, &ask.params)?;
        statement::parse(&self.describe(described, as_of).await?)
    }

    async fn describe(&self, name: &ObjectName, as_of: Option<AsOf>) -> Result<String> {
        let reference = scope::table_reference(name)?;
        let (pin, refusal): (_, fn(&Pin, &TableReference) -> Error) = match &as_of {
            Some(as_of) => (self.shared.catalog.pin(Some(as_of)).await?, scope::not_then),
            None => (self.pin.clone(), scope::no_such_table),
        };
        let spelled = spelled::among_several(&pin, name)?.or_else(|| scope::resolve(&pin, &reference));
        let name = spelled.ok_or_else(|| refusal(&pin, &reference))?;
        let (schema, table) = (name.namespace(), name.table());
        let then = as_of.map(|_| format!(" FOR VERSION AS OF {}", pin.version())).unwrap_or_default();
        // A dataset's name holds no quote, so it can stand in a literal.
        Ok(format!(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns{then} \
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
