//! The first record names the columns.

use std::collections::HashMap;

use super::{COLUMN_LIMIT, NAME_LIMIT};
use crate::cell::Cell;
use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// The columns' names, exactly as written. A blank or endless name, or one that equals another but for case, is an error
/// that names the column and its position; so is a NUL, which shows that the encoding was mistaken.
pub fn names(cells: &[Cell], text: &[u8], quote: u8, line: u64) -> Result<Vec<String>> {
    let refuse = |column: &str, position: usize, reason: String| Error::Header {
        line,
        column: column.chars().take(200).collect(),
        position,
        reason,
    };
    if cells.len() > COLUMN_LIMIT {
        return Err(too_wide(line));
    }
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(cells.len());
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    for (index, cell) in cells.iter().enumerate() {
        let position = index + 1;
        let Ok(name) = String::from_utf8(cell.value(text, quote)) else {
            return Err(refuse("", position, format!("the name of column {position} is not valid UTF-8")));
        };
        if name.contains('\0') {
            let hint = "is the file UTF-16 without a byte order mark? Then name its encoding, such as utf-16le";
            return Err(refuse(&name, position, format!("the name of column {position} holds a NUL: {hint}")));
        }
        if name.trim().is_empty() {
            return Err(refuse(&name, position, format!("column {position} has no name")));
        }
        if name.len() > NAME_LIMIT {
            let reason = format!("the name of column {position} is longer than {NAME_LIMIT} bytes");
            return Err(refuse(&name, position, reason));
        }
        if let Some(earlier) = seen.insert(name.to_lowercase(), position) {
            let reason = duplicate(&names[earlier - 1], earlier, &name, position);
            return Err(refuse(&name, position, reason));
        }
        names.push(name);
    }
    Ok(names)
}

/// The refusal of a header with more names than a table has columns.
pub fn too_wide(line: u64) -> Error {
    let reason = format!("it names too many columns, a table has at most {COLUMN_LIMIT}");
    Error::Header { line, column: String::new(), position: COLUMN_LIMIT + 1, reason }
}

fn duplicate(earlier: &str, at: usize, name: &str, position: usize) -> String {
    let shown: String = name.chars().take(200).collect();
    if earlier == name {
        return format!("columns {at} and {position} are both named {shown:?}");
    }
    format!("column {position}, {shown:?}, has the name of column {at} but for case")
}
