//! A thread that turns some of the columns into Parquet.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::AsArray;
use arrow::datatypes::{Field, Int64Type};
use catalog::ColumnType;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, compute_leaves};

use crate::block::Block;
use crate::budget::Counted;
use crate::column;
use crate::error::Result;
use crate::infer::Forms;
use crate::plan::ColumnPlan;
use crate::value;
use crate::write::ParquetFile;

/// What the reader tells a lane.
pub enum Order<'a> {
    /// A row group begins; here are the encoders of the lane's columns.
    Begin(Vec<ArrowColumnWriter>),
    /// Rows.
    Block(Arc<Counted<'a, Block>>),
    /// The row group of this number is over.
    End(Arc<Counted<'a, usize>>),
}

/// A value that the table's column cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Misfit {
    /// The physical line on which the row begins.
    pub line: u64,
    /// The column's position, from 0.
    pub column: usize,
    /// The value, shortened.
    pub given: String,
}

/// What lanes and reader tell each other while they work.
#[derive(Default)]
pub struct Signals {
    /// A type proved wrong: from here on only forms are looked at.
    pub retyping: AtomicBool,
    misfit: Mutex<Option<Misfit>>,
    /// One more than the number of the block with the earliest misfit; 0 when there is none.
    misfit_block: AtomicU64,
}

impl Signals {
    /// Whether a value did not fit.
    pub fn has_misfit(&self) -> bool {
        self.misfit_block.load(Ordering::Acquire) != 0
    }

    /// The misfit of the earliest line.
    pub fn misfit(self) -> Option<Misfit> {
        self.misfit.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, block: u64, misfit: Misfit) {
        let mut earliest = self.misfit.lock().unwrap_or_else(PoisonError::into_inner);
        if earliest.as_ref().is_none_or(|known| misfit < *known) {
            *earliest = Some(misfit);
            self.misfit_block.store(block + 1, Ordering::Release);
        }
    }

    /// Whether a block lies behind the earliest misfit and so cannot matter.
    fn is_past_misfit(&self, block: u64) -> bool {
        let found = self.misfit_block.load(Ordering::Acquire);
        found != 0 && block + 1 > found
    }
}

/// The forms that a lane saw in its columns, by their position.
pub type Seen = Vec<(usize, Forms)>;

/// One column of a lane: its place in the Parquet file and in the one that is read.
struct Column {
    index: usize,
    source: usize,
    ty: ColumnType,
    /// The type is the table's; a value of another is a misfit, not a reason to think again.
    fixed: bool,
    forms: Forms,
    encoder: Option<ArrowColumnWriter>,
}

/// Some of the columns, and where they go.
pub struct Lane<'a, W: Write + Send> {
    columns: Vec<Column>,
    signals: &'a Signals,
    file: Option<&'a ParquetFile<W>>,
}

impl<'a, W: Write + Send> Lane<'a, W> {
    /// A lane for the columns at the given positions.
    pub fn new(
        positions: &[usize],
        plans: &[ColumnPlan],
        signals: &'a Signals,
        file: Option<&'a ParquetFile<W>>,
    ) -> Self {
        let column = |&index: &usize| {
            let ColumnPlan { source, ref ty, fixed, forms, .. } = plans[index];
            Column { index, source, ty: ty.clone(), fixed, forms, encoder: None }
        };
        Self { columns: positions.iter().map(column).collect(), signals, file }
    }

    /// Works until the reader has no more orders; answers the forms of its columns, by position.
    pub fn run(mut self, orders: Receiver<Order<'_>>) -> Result<Seen> {
        for order in orders {
            match order {
                Order::Begin(encoders) => {
                    for (column, encoder) in self.columns.iter_mut().zip(encoders) {
                        column.encoder = Some(encoder);
                    }
                }
                Order::Block(block) => self.take(&block)?,
                Order::End(group) => self.close(**group)?,
            }
        }
        Ok(self.columns.into_iter().map(|column| (column.index, column.forms)).collect())
    }

    fn take(&mut self, block: &Block) -> Result<()> {
        if self.signals.is_past_misfit(block.number) {
            return Ok(());
        }
        for column in &mut self.columns {
            if self.signals.retyping.load(Ordering::Relaxed) {
                column.encoder = None;
                column.see(block);
                continue;
            }
            let field = self.file.map(|file| file.field(column.index).as_ref());
            match column.encode(block, field)? {
                Ok(()) => {}
                Err(row) if column.fixed => self.signals.note(block.number, column.misfit(block, row)),
                Err(_) => {
                    column.see(block);
                    self.signals.retyping.store(true, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    /// Hands the row group's columns over, unless the file is useless by now: some of them may lack rows.
    fn close(&mut self, group: usize) -> Result<()> {
        let useless = self.signals.retyping.load(Ordering::Relaxed) || self.signals.has_misfit();
        for column in &mut self.columns {
            let encoder = column.encoder.take().filter(|_| !useless);
            if let (Some(file), Some(encoder)) = (self.file, encoder) {
                file.add(group, column.index, encoder.close()?)?;
            }
        }
        Ok(())
    }
}

impl Column {
    /// Encodes the column's cells of a block, or answers the first row whose value the type cannot hold.
    fn encode(&mut self, block: &Block, field: Option<&Field>) -> Result<std::result::Result<(), usize>> {
        if !self.fixed && self.ty == ColumnType::String && !self.forms.is_final() {
            self.forms.see(block, self.source);
            if self.forms.decide() != ColumnType::String {
                return Ok(Err(0));
            }
        }
        let build = if self.fixed { column::fit } else { column::build };
        let array = match build(&self.ty, block, self.source) {
            Ok(array) => array,
            Err(row) => return Ok(Err(row)),
        };
        // Columns of ours may hold nulls; those of other engines' tables may demand a value in every row.
        if let Some(row) = field.filter(|field| !field.is_nullable()).and_then(|_| column::first_null(&array)) {
            return Ok(Err(row));
        }
        if !self.fixed && self.ty == ColumnType::Int64 {
            let values = array.as_primitive::<Int64Type>().values();
            if values.iter().any(|&number| value::is_wide(number)) {
                self.forms.add_wide();
            }
        }
        if let (Some(encoder), Some(field)) = (&mut self.encoder, field) {
            for leaf in compute_leaves(field, &array)? {
                encoder.write(&leaf)?;
            }
        }
        Ok(Ok(()))
    }

    /// Looks at the column's values, whose type is open.
    fn see(&mut self, block: &Block) {
        if !self.fixed {
            self.forms.see(block, self.source);
        }
    }

    fn misfit(&self, block: &Block, row: usize) -> Misfit {
        let value = block.column(self.source).nth(row).map(|cell| cell.value(block.text(), block.quote));
        let given = String::from_utf8_lossy(&value.unwrap_or_default()).chars().take(100).collect();
        Misfit { line: block.line_of(row), column: self.index, given }
    }
}
