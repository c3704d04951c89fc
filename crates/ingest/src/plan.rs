//! What a pass is to make of each column of a file: where it goes, its type, and whether a dictionary pays.

use std::collections::HashSet;

use catalog::{ColumnType, NewColumn, Pii};

use crate::block::Block;
use crate::infer::Forms;
use crate::pii::{SAMPLE, Sample};

/// Rows of the first block that are looked at to see whether values repeat.
const SAMPLE_ROWS: usize = 4096;

/// A column as a pass reads it.
#[derive(Debug, Clone)]
pub struct ColumnPlan {
    /// The name in the file.
    pub name: String,
    /// Its place in the file.
    pub source: usize,
    /// Its place among the columns of the draft.
    pub target: usize,
    /// The type its values are read as.
    pub ty: ColumnType,
    /// Whether the type is the table's; a value of another is a misfit, not a reason to think again.
    pub fixed: bool,
    /// What personal data it holds, if any.
    pub pii: Option<Pii>,
    /// The forms seen so far; they decide the type unless the table has decided it.
    pub forms: Forms,
    /// Whether values repeat often enough for a dictionary.
    pub repeats: bool,
    /// Its share of the work: bytes of the first block.
    pub weight: usize,
}

impl ColumnPlan {
    /// Looks at a column of the first block, if there is one. Until more is known it goes to where it stands in the file.
    pub fn of(name: &str, block: Option<&Block>, column: usize) -> Self {
        let mut plan = Self {
            name: name.to_owned(),
            source: column,
            target: column,
            ty: ColumnType::String,
            fixed: false,
            pii: None,
            forms: Forms::default(),
            repeats: true,
            weight: 1,
        };
        if let Some(block) = block {
            plan.forms.see(block, column);
            plan.repeats = repeats(block, column);
            plan.weight += block.column(column).map(|cell| cell.len() + 8).sum::<usize>();
        }
        plan.ty = plan.forms.decide();
        plan
    }

    /// Reads the column's values by all the forms that they were seen to take.
    pub fn retype(&mut self, forms: Forms) {
        self.forms = forms;
        self.ty = forms.decide();
    }

    /// Looks for personal data in the column's name and in values of the first block.
    pub fn notice(&self, block: Option<&Block>) -> Option<Pii> {
        let mut sample = Sample::of(&self.name);
        if let Some(block) = block.filter(|_| self.ty == ColumnType::String) {
            let values = block.column(self.source).filter(|cell| cell.len() != 0).take(SAMPLE);
            values.for_each(|cell| sample.see(&String::from_utf8_lossy(&cell.value(block.text(), block.quote))));
        }
        sample.decide(&self.ty)
    }

    /// The column as a table would have it.
    pub fn column(&self) -> NewColumn {
        NewColumn { name: self.name.clone(), ty: self.ty.clone() }
    }
}

/// Whether fewer than half of the values are distinct; a dictionary of more costs time and saves nothing.
fn repeats(block: &Block, column: usize) -> bool {
    let values = || block.column(column).take(SAMPLE_ROWS).filter(|cell| cell.len() != 0);
    let distinct: HashSet<&[u8]> = values().map(|cell| cell.bytes(block.text())).collect();
    distinct.len() * 2 <= values().count().max(32)
}
