//! Rows as text: drawn for people, with tabs in a pipe, as CSV or Markdown where that is asked for.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::Value;

use super::plain;
use super::seen::one_line;

/// Rows with a header. Cells hold what is meant; what it takes to show it safely is done where it is shown.
#[derive(Debug, Default)]
pub struct Sheet {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Which columns hold numbers; columns behind the last one hold none.
    pub numeric: Vec<bool>,
}

impl Sheet {
    /// A row for each member of an object, or for each object of a list, with a column for each member of any.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Array(items) => listed(items),
            Value::Object(members) => {
                let rows = members.iter().map(|(name, value)| vec![name.clone(), plain(value)]).collect();
                Self { header: vec!["what".to_owned(), "value".to_owned()], rows, numeric: Vec::new() }
            }
            other => Self { header: vec!["value".to_owned()], rows: vec![vec![plain(other)]], numeric: Vec::new() },
        }
    }

    /// A table with lines around it; numbers stand to the right.
    pub fn drawn(&self) -> String {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(cells(&self.header));
        table.add_rows(self.rows.iter().map(|row| cells(row)));
        for (index, _) in self.numeric.iter().enumerate().filter(|(_, numeric)| **numeric) {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string()
    }

    /// Lines of fields with tabs between them.
    pub fn tabbed(&self) -> String {
        self.lines(|row| cells(row).join("\t"))
    }

    /// CSV, with a header and quotes where they are needed. Numbers are written for programs: `1234`.
    pub fn csv(&self) -> String {
        let numeric = |at: usize| self.numeric.get(at).copied().unwrap_or_default();
        let cell = |(at, cell): (usize, &String)| if numeric(at) { cell.replace(',', "") } else { quoted(cell) };
        self.lines(|row| row.iter().enumerate().map(cell).collect::<Vec<_>>().join(","))
    }

    /// A table as Markdown has it.
    pub fn markdown(&self) -> String {
        let line = |row: &[String]| {
            let cells: Vec<String> = cells(row).iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |", cells.join(" | "))
        };
        let numeric = |at: usize| self.numeric.get(at).copied().unwrap_or_default();
        let rule = |at: usize| if numeric(at) { "--:" } else { "---" };
        let rules: Vec<&str> = (0..self.header.len()).map(rule).collect();
        let head = [line(&self.header), format!("| {} |", rules.join(" | "))];
        head.into_iter().chain(self.rows.iter().map(|row| line(row))).collect::<Vec<_>>().join("\n")
    }

    fn lines(&self, line: impl Fn(&[String]) -> String) -> String {
        std::iter::once(&self.header).chain(&self.rows).map(|row| line(row)).collect::<Vec<_>>().join("\n")
    }
}

fn listed(items: &[Value]) -> Sheet {
    let mut header: Vec<String> = Vec::new();
    for name in items.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys) {
        if !header.contains(name) {
            header.push(name.clone());
        }
    }
    if header.is_empty() {
        let rows = items.iter().map(|item| vec![plain(item)]).collect();
        return Sheet { header: vec!["value".to_owned()], rows, numeric: Vec::new() };
    }
    let row = |item: &Value| header.iter().map(|name| item.get(name).map(plain).unwrap_or_default()).collect();
    let rows = items.iter().map(row).collect();
    Sheet { header, rows, numeric: Vec::new() }
}

fn cells(row: &[String]) -> Vec<String> {
    row.iter().map(|cell| one_line(cell)).collect()
}

/// A field of CSV.
fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
