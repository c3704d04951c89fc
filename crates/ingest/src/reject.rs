//! Rows that cannot be loaded: where they are and why.

use std::io::{self, Write};

use serde::Serialize;

use crate::store_file::StoreFile;

/// How many refused rows are reported one by one; the rest is counted.
pub const REPORTED: usize = 20;

/// One refused row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The physical line on which the row begins, from 1.
    pub line: u64,
    /// The column at fault, by name; none when the fault is the whole row's.
    pub column: Option<String>,
    /// What is wrong.
    pub reason: String,
}

/// Where refused lines are kept, below the file's own header, so that they can be mended and loaded.
struct Kept {
    header: Vec<u8>,
    file: StoreFile,
}

/// The refused rows of one pass over a file.
#[derive(Default)]
pub struct Refusals {
    /// How many there are.
    pub total: u64,
    /// The first of them, at most [`REPORTED`].
    pub first: Vec<Rejected>,
    kept: Option<Kept>,
}

impl Refusals {
    /// Refusals whose lines are kept in a file that begins with `header`.
    pub fn kept(header: &[u8], file: StoreFile) -> Self {
        Self { kept: Some(Kept { header: header.to_vec(), file }), ..Self::default() }
    }

    /// Whether the next refusal will be reported, so that its line is worth counting.
    pub fn wants_report(&self) -> bool {
        self.first.len() < REPORTED
    }

    /// Counts one refused row and keeps its text.
    pub fn add(&mut self, text: &[u8], report: Option<Rejected>) -> io::Result<()> {
        self.first.extend(report);
        if let Some(kept) = &mut self.kept {
            if self.total == 0 && !kept.header.is_empty() {
                write_line(&mut kept.file, &kept.header)?;
            }
            write_line(&mut kept.file, text)?;
        }
        self.total += 1;
        Ok(())
    }

    /// The file of refused lines, when there are any.
    pub fn into_file(self) -> Option<StoreFile> {
        self.kept.filter(|_| self.total > 0).map(|kept| kept.file)
    }
}

fn write_line(to: &mut StoreFile, text: &[u8]) -> io::Result<()> {
    to.write_all(text)?;
    if text.ends_with(b"\n") || text.ends_with(b"\r") { Ok(()) } else { to.write_all(b"\n") }
}
