//! The query engine: its threads, its memory, and what of it a statement may use.

use std::sync::Arc;
use std::thread;

use base::ByteSize;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result as EngineResult};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{AggregateUDF, Expr, LogicalPlan, Projection};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use limits::{CheckedExpressions, Foresight, Pace, YieldingJoins, checked_sum, watched};
use object_store::ObjectStore;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::layers::DistinctLayers;
use crate::multiset::CountedRows;
use crate::names::stands_at;
use crate::provider::LAKE_URL;
use crate::pushdown::physical_rules;
use crate::recursion::WholeRecursions;
use crate::scope::{DEFAULT_SCHEMA, Scope, ScopeCatalog};
use crate::subqueries::ExactSubqueries;
use crate::system::CATALOG;

/// Stack of each query thread. A statement at the limits of the guard needs a few MiB; only touched pages cost memory.
const STACK: usize = 64 << 20;
/// Threads for each one that a query may keep busy. A single step of a few kernels (a pattern against a long text) is
/// long and cannot be interrupted; the spare ones keep other queries answering until it is over.
const SPARE: usize = 4;
/// As many for each may plan at once, plans whose reader has gone among them: the rest execute what is planned.
const PLANNING: usize = 2;
/// Threads on which a directory's files are read.
const READERS: usize = 32;
/// Bytes that a batch may repeat of a plan's constants.
const REPEATED_BYTES: usize = 16 << 20;

/// Threads, memory and functions, shared by all queries.
pub(crate) struct Engine {
    runtime: Option<Runtime>,
    state: SessionState,
    planning: Semaphore,
}

impl Engine {
    pub(crate) fn start(config: &Config, store: Arc<dyn ObjectStore>) -> Result<Self> {
        let threads = match config.threads {
            Some(threads) => threads.max(1),
            None => thread::available_parallelism().map_or(1, usize::from),
        };
        // The threads come last: a runtime must not be given up inside another one.
        let environment = environment(config, store)
            .map_err(|error| Error::Start { what: "queryd.spill_dir cannot be used", source: Box::new(error) })?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads * SPARE)
            .max_blocking_threads(READERS)
            .thread_name("query")
            .thread_stack_size(STACK)
            .enable_all()
            .build()
            .map_err(|error| Error::Start { what: "it has no threads", source: Box::new(error) })?;
        let state = base_state(threads, environment, config.memory_limit);
        Ok(Self { runtime: Some(runtime), state, planning: Semaphore::new(threads * PLANNING) })
    }

    /// Where queries are planned and executed.
    pub(crate) fn handle(&self) -> Option<&Handle> {
        self.runtime.as_ref().map(Runtime::handle)
    }

    /// A turn to plan, until it is dropped. Planning gives its thread back only when it is done.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        self.planning.acquire().await.map_err(|_| Error::Cancelled)
    }

    /// A session over the tables of one statement, at its pace.
    pub(crate) fn session(&self, scope: Arc<Scope>, pace: &Pace) -> SessionState {
        let mut state = self.state.clone();
        state.config_mut().options_mut().extensions.insert(pace.clone());
        // The moment that now() means for the whole statement.
        state.mark_start_execution();
        state.register_catalog_list(Arc::new(ScopeCatalog(scope)));
        state
    }
}

/// Makes an optimized plan physical. Every row may repeat each of its constants, those that the optimizer computed
/// among them: the longer they are, the fewer of the `most` rows a batch has, so that a batch stays small.
pub(crate) async fn physical(
    state: &mut SessionState,
    plan: &LogicalPlan,
    pace: &Pace,
    most: usize,
) -> EngineResult<Arc<dyn ExecutionPlan>> {
    let plan = state.optimize(&passed_on(plan.clone())?)?;
    let rows = (REPEATED_BYTES / constant_bytes(&plan)?.max(1)).clamp(1, most);
    state.config_mut().options_mut().execution.batch_size = rows;
    pace.over(state.query_planner().create_physical_plan(&plan, state).await?)
}

/// The plan without the projection on its top, if that passes on all columns as they are, as the one of `SELECT *` does.
/// The engine looks for each of its columns among all at every step, which takes time with the square of their number.
fn passed_on(plan: LogicalPlan) -> EngineResult<LogicalPlan> {
    let passed = plan.transform_down(|plan| match plan {
        LogicalPlan::Projection(projection) if is_idle(&projection) => {
            Ok(Transformed::new(Arc::unwrap_or_clone(projection.input), true, TreeNodeRecursion::Stop))
        }
        LogicalPlan::Sort(_) | LogicalPlan::Limit(_) => Ok(Transformed::no(plan)),
        other => Ok(Transformed::new(other, false, TreeNodeRecursion::Stop)),
    });
    passed.map(|passed| passed.data)
}

fn is_idle(projection: &Projection) -> bool {
    let input = projection.input.schema();
    let passes = |(at, expr): (usize, &Expr)| matches!(expr, Expr::Column(column) if stands_at(column, input, at));
    projection.expr.len() == input.fields().len() && projection.expr.iter().enumerate().all(passes)
}

/// Bytes of the texts, blobs and lists among a plan's constants.
fn constant_bytes(plan: &LogicalPlan) -> EngineResult<usize> {
    let mut bytes = 0;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                if let Expr::Literal(value, _) = part {
                    bytes += value.size() - size_of_val(value);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(bytes)
}

impl Drop for Engine {
    /// A runtime must not wait for its threads inside another one.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn environment(config: &Config, store: Arc<dyn ObjectStore>) -> EngineResult<Arc<RuntimeEnv>> {
    let mode = match &config.spill_dir {
        Some(directory) => DiskManagerMode::Directories(vec![directory.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    let disk = DiskManagerBuilder::default().with_mode(mode).with_max_temp_directory_size(config.spill_limit.0);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(Foresight::new(config.memory_limit.as_usize())))
        .with_disk_manager_builder(disk)
        .with_object_store_registry(Arc::new(OnlyTheLake { store }))
        .build_arc()
}

fn base_state(threads: usize, environment: Arc<RuntimeEnv>, memory_limit: ByteSize) -> SessionState {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_default_catalog_and_schema(CATALOG, DEFAULT_SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false);
    let options = config.options_mut();
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    options.execution.collect_statistics = true;
    // Which columns were written in quotes is known by where they stand.
    options.sql_parser.collect_spans = true;
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(environment)
        .with_default_features()
        .with_aggregate_functions(aggregates())
        .with_analyzer_rules(watched::analysis(vec![
            Arc::new(ExactSubqueries),
            Arc::new(CheckedExpressions { memory_limit }),
            Arc::new(CountedRows),
            Arc::new(WholeRecursions),
            Arc::new(DistinctLayers),
        ]))
        .with_optimizer_rules(watched::optimization())
        .with_physical_optimizer_rules(watched::physical(physical_rules()))
        .with_physical_optimizer_rule(Arc::new(YieldingJoins))
        .build();
    // It would answer the name and version of an inner library. Removing what is there cannot fail.
    let _ = state.deregister_udf("version");
    state
}

/// The engine's aggregates, with SUM replaced by one that cannot wrap around.
fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let mut aggregates = datafusion::functions_aggregate::all_default_aggregate_functions();
    aggregates.retain(|function| function.name() != "sum");
    aggregates.push(Arc::new(checked_sum()));
    aggregates
}

/// Knows one store. The engine's own registry would open local files and, asked nicely, more.
#[derive(Debug)]
struct OnlyTheLake {
    store: Arc<dyn ObjectStore>,
}

impl ObjectStoreRegistry for OnlyTheLake {
    fn register_store(&self, _: &Url, _: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> EngineResult<Arc<dyn ObjectStore>> {
        if LAKE_URL.trim_end_matches('/') == url.as_str().trim_end_matches('/') {
            return Ok(Arc::clone(&self.store));
        }
        Err(DataFusionError::Plan("only tables of the lake can be read".to_owned()))
    }
}
