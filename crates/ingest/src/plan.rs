//! What a pass is to make of each column: its type, and whether a dictionary pays.

use std::collections::HashSet;

use catalog::ColumnType;

use crate::block::Block;
use crate::infer::Forms;

/// Rows of the first block that are looked at to see whether values repeat.
const SAMPLE_ROWS: usize = 4096;

/// A column as a pass reads it.
#[derive(Debug, Clone)]
pub struct ColumnPlan {
    /// The name in the file.
    pub name: String,
    /// The type its values are read as.
    pub ty: ColumnType,
    /// The forms seen so far; they decide the type unless the table has decided it.
    pub forms: Forms,
    /// Whether values repeat often enough for a dictionary.
    pub repeats: bool,
    /// Its share of the work: bytes of the first block.
    pub weight: usize,
}

impl ColumnPlan {
    /// Looks at a column of the first block, if there is one.
    pub fn of(name: &str, block: Option<&Block>, column: usize) -> Self {
        let mut plan =
            Self { name: name.to_owned(), ty: ColumnType::String, forms: Forms::default(), repeats: true, weight: 1 };
        if let Some(block) = block {
            plan.forms.see(block, column);
            plan.repeats = repeats(block, column);
            plan.weight += block.column(column).map(|cell| cell.len() + 8).sum::<usize>();
        }
        plan.ty = plan.forms.decide();
        plan
    }
}

/// Whether fewer than half of the values are distinct; a dictionary of more costs time and saves nothing.
fn repeats(block: &Block, column: usize) -> bool {
    let values = || block.column(column).take(SAMPLE_ROWS).filter(|cell| cell.len() != 0);
    let distinct: HashSet<&[u8]> = values().map(|cell| cell.bytes(block.text())).collect();
    distinct.len() * 2 <= values().count().max(32)
}
