//! The filters of joins look up from their work.
//!
//! A join evaluates its filter piece by piece over the product of its sides, and gives nothing back, not even its
//! thread, before rows pass. So its filter is where it learns that nobody waits for the query any more, and where it
//! makes room for others.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder};

use crate::error::{Error, external};

#[cfg(test)]
mod tests;

/// Every so many pieces a thread lets others run.
const PIECES: u64 = 64;

/// Whether a query is still waited for. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<State>);

#[derive(Debug, Default)]
struct State {
    over: AtomicBool,
    pieces: AtomicU64,
}

impl Pace {
    /// Nobody waits any more: what is still computed fails at its next piece.
    pub fn end(&self) {
        self.0.over.store(true, Ordering::Relaxed);
    }

    /// An error once nobody waits.
    pub fn check(&self) -> Result<()> {
        if self.0.over.load(Ordering::Relaxed) { Err(external(Error::Cancelled)) } else { Ok(()) }
    }

    /// Does one piece of work.
    fn piece<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.check()?;
        if self.0.pieces.fetch_add(1, Ordering::Relaxed) % PIECES == PIECES - 1 {
            // Whatever waits behind this thread moves to another one.
            return tokio::task::block_in_place(work);
        }
        work()
    }

    /// The plan with all filters of its joins at this pace.
    pub fn over(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let paced = plan.transform_up(|node| {
            if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
                && let Some(filter) = join.filter()
            {
                let (left, right) = (Arc::clone(join.left()), Arc::clone(join.right()));
                let join = NestedLoopJoinExecBuilder::new(left, right, *join.join_type())
                    .with_filter(Some(self.filter(filter)))
                    .with_projection_ref(join.projection().clone());
                return Ok(Transformed::yes(Arc::new(join.build()?) as _));
            }
            if let Some(join) = node.downcast_ref::<HashJoinExec>()
                && let Some(filter) = join.filter()
            {
                return Ok(Transformed::yes(join.builder().with_filter(Some(self.filter(filter))).build_exec()?));
            }
            Ok(Transformed::no(node))
        });
        paced.map(|done| done.data)
    }

    fn filter(&self, filter: &JoinFilter) -> JoinFilter {
        let paced = Paced { inner: Arc::clone(filter.expression()), pace: self.clone() };
        JoinFilter::new(Arc::new(paced), filter.column_indices().to_vec(), Arc::clone(filter.schema()))
    }
}

/// An expression that is evaluated at a query's pace.
#[derive(Debug)]
struct Paced {
    inner: Arc<dyn PhysicalExpr>,
    pace: Pace,
}

impl PartialEq for Paced {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for Paced {}

impl Hash for Paced {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl fmt::Display for Paced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for Paced {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.pace.piece(|| self.inner.evaluate(batch))
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(schema)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let inner = children.into_iter().next();
        let inner = inner.ok_or_else(|| DataFusionError::Internal("a paced expression has one part".to_owned()))?;
        Ok(Arc::new(Self { inner, pace: self.pace.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}
