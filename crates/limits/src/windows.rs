//! Aggregates over windows, whose result stands in every row: a text of a megabyte over a million rows is a terabyte.
//!
//! The engine builds such a column whole and accounts for none of it, so it is counted while its values are made.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef};
use base::ByteSize;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ReversedUDAF, SetMonotonicity, Signature, WindowFunctionDefinition,
};

use crate::error::{Error, external};

/// Rows in a batch.
pub const BATCH_ROWS: usize = 8192;

/// What the windows of one plan may build.
#[derive(Debug)]
pub(crate) struct Windows {
    memory: ByteSize,
    whole: Arc<Column>,
}

impl Windows {
    /// For one plan: half of the memory of all queries.
    pub(crate) fn new(memory: ByteSize) -> Self {
        Self { memory, whole: Arc::new(Column { memory, streams: false, bytes: 0.into(), values: 0.into() }) }
    }

    /// The same call, counted if an aggregate answers texts or lists.
    pub(crate) fn bound(&self, mut call: Box<WindowFunction>) -> Box<WindowFunction> {
        let streams = !call.params.window_frame.end_bound.is_unbounded();
        if let WindowFunctionDefinition::AggregateUDF(inner) = &call.fun
            && inner.inner().downcast_ref::<Spread>().is_none()
        {
            let column = match streams {
                true => Arc::new(Column { memory: self.memory, streams, bytes: 0.into(), values: 0.into() }),
                false => Arc::clone(&self.whole),
            };
            let spread = AggregateUDF::new_from_impl(Spread { inner: Arc::clone(inner), column });
            call.fun = WindowFunctionDefinition::AggregateUDF(Arc::new(spread));
        }
        call
    }
}

/// What was built of a column.
#[derive(Debug)]
struct Column {
    memory: ByteSize,
    /// Whether it leaves in batches; else it is held until its last row.
    streams: bool,
    bytes: AtomicU64,
    values: AtomicU64,
}

impl Column {
    /// Counts a value that stands in so many rows.
    fn add(&self, value: &ScalarValue, rows: usize) -> Result<()> {
        let each = value.size().saturating_sub(size_of_val(value));
        let added = (each as u64).saturating_mul(rows as u64).min(self.memory.0);
        if self.streams && self.values.fetch_add(1, Ordering::Relaxed).is_multiple_of(BATCH_ROWS as u64) {
            self.bytes.store(0, Ordering::Relaxed);
        }
        if self.bytes.fetch_add(added, Ordering::Relaxed) + added <= self.memory.0 / 2 {
            return Ok(());
        }
        let advice = "an aggregate over a window repeats too large a value in its rows";
        Err(external(Error::MemoryLimit { limit: self.memory, advice }))
    }
}

/// An aggregate whose values are counted as a window spreads them.
#[derive(Debug)]
struct Spread {
    inner: Arc<AggregateUDF>,
    column: Arc<Column>,
}

impl PartialEq for Spread {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Spread {}

impl Hash for Spread {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl Spread {
    fn counted(&self, inner: Box<dyn Accumulator>, ty: &DataType) -> Box<dyn Accumulator> {
        let large = ty.is_nested() || ty.is_string() || ty.is_binary();
        if large { Box::new(Counted { inner, column: Arc::clone(&self.column), rows: 0 }) } else { inner }
    }
}

impl AggregateUDFImpl for Spread {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        self.inner.return_field(arguments)
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arguments)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let ty = args.return_field.data_type().clone();
        Ok(self.counted(self.inner.accumulator(args)?, &ty))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let ty = args.return_field.data_type().clone();
        Ok(self.counted(self.inner.create_sliding_accumulator(args)?, &ty))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.inner.reverse_udf() {
            ReversedUDAF::Identical => ReversedUDAF::Identical,
            _ => ReversedUDAF::NotSupported,
        }
    }

    fn set_monotonicity(&self, ty: &DataType) -> SetMonotonicity {
        self.inner.inner().set_monotonicity(ty)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn default_value(&self, ty: &DataType) -> Result<ScalarValue> {
        self.inner.default_value(ty)
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.inner.supports_null_handling_clause()
    }
}

/// Counts each value once for every row that came since the last one.
#[derive(Debug)]
struct Counted {
    inner: Box<dyn Accumulator>,
    column: Arc<Column>,
    rows: usize,
}

impl Accumulator for Counted {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rows += values.first().map_or(0, |values| values.len());
        self.inner.update_batch(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let value = self.inner.evaluate()?;
        self.column.add(&value, std::mem::take(&mut self.rows).max(1))?;
        Ok(value)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}
