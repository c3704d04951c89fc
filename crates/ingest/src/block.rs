//! A stretch of whole rows: the text and where its cells are.

use crate::cell::Cell;
use crate::csv::split;

/// Whole rows of a file, all equally wide.
#[derive(Debug)]
pub struct Block {
    /// The place of the block in the file, from 0.
    pub number: u64,
    /// The physical line on which the text begins, from 1.
    pub first_line: u64,
    /// The character around quoted cells.
    pub quote: u8,
    /// How many cells a row has.
    pub width: usize,
    /// The text that the cells point into.
    pub text: Vec<u8>,
    /// The cells, row by row.
    pub cells: Vec<Cell>,
    /// The lines of rows that come from JSON, whose quoted cells are strings and whose other cells are not; none for
    /// CSV, where quotes say nothing of the type.
    pub lines: Option<Vec<u64>>,
}

impl Block {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.cells.len() / self.width
    }

    /// The text that the cells point into.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The bytes of text.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// The cells of one column, from the first row to the last.
    #[inline]
    pub fn column(&self, column: usize) -> impl ExactSizeIterator<Item = Cell> + Clone + '_ {
        self.cells.get(column..).unwrap_or_default().iter().step_by(self.width).copied()
    }

    /// Whether quotes tell strings from numbers.
    #[inline]
    pub fn is_typed(&self) -> bool {
        self.lines.is_some()
    }

    /// The physical line on which a row begins.
    pub fn line_of(&self, row: usize) -> u64 {
        if let Some(lines) = &self.lines {
            return lines[row];
        }
        let begin = self.cells[row * self.width].begin();
        self.first_line + split::count_lines(&self.text[..begin])
    }
}
