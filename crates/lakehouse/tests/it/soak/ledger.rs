//! What clients asked for, and what they were told: kept outside the process that is killed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, ensure};
use serde_json::Value;
use smokes::probe::Probe;

/// Rows in one appended batch, and in one generation of the replaced table.
pub const ROWS: u64 = 5;

/// Whether the answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Nothing,
    Done,
}

/// Every write by its number.
#[derive(Debug, Default)]
pub struct Ledger {
    puts: Mutex<BTreeMap<u64, Told>>,
    batches: Mutex<BTreeMap<u64, Told>>,
    generations: Mutex<BTreeMap<u64, Told>>,
    registers: Mutex<BTreeMap<u64, Told>>,
}

/// The four kinds of write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    Put,
    Append,
    Replace,
    Register,
}

impl Ledger {
    fn book(&self, write: Write) -> &Mutex<BTreeMap<u64, Told>> {
        match write {
            Write::Put => &self.puts,
            Write::Append => &self.batches,
            Write::Replace => &self.generations,
            Write::Register => &self.registers,
        }
    }

    pub fn note(&self, write: Write, number: u64, told: Told) {
        self.book(write).lock().unwrap_or_else(PoisonError::into_inner).insert(number, told);
    }

    fn read(&self, write: Write) -> BTreeMap<u64, Told> {
        self.book(write).lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// (asked, acknowledged) writes of all kinds.
    pub fn counts(&self) -> (usize, usize) {
        let books = [Write::Put, Write::Append, Write::Replace, Write::Register].map(|write| self.read(write));
        let done = |book: &BTreeMap<u64, Told>| book.values().filter(|told| **told == Told::Done).count();
        (books.iter().map(BTreeMap::len).sum(), books.iter().map(done).sum())
    }

    /// Compares what the lake holds with what was told.
    pub async fn check(&self, probe: &Probe) -> anyhow::Result<()> {
        self.check_puts(probe).await.context("puts")?;
        self.check_batches(probe).await.context("appends")?;
        let held = self.check_last(probe, Write::Replace, "SELECT generation, COUNT(*) FROM state GROUP BY generation");
        held.await.context("replaces")?;
        let held =
            self.check_last(probe, Write::Register, "SELECT generation, COUNT(*) FROM registered GROUP BY generation");
        held.await.context("registers")
    }

    async fn check_puts(&self, probe: &Probe) -> anyhow::Result<()> {
        for (number, told) in self.read(Write::Put) {
            let reply = probe.get(&format!("/v1/storage/objects/soak/{number}")).await?;
            let whole = reply.status == 200 && reply.body == content(number);
            let absent = reply.status == 404 && told == Told::Nothing;
            ensure!(whole || absent, "object {number}, told {told:?}, answers {}", reply.status);
        }
        Ok(())
    }

    async fn check_batches(&self, probe: &Probe) -> anyhow::Result<()> {
        let book = self.read(Write::Append);
        let held = counts(probe, "SELECT batch, COUNT(*) FROM events GROUP BY batch ORDER BY batch").await?;
        for (number, told) in &book {
            match held.get(number) {
                Some(rows) => ensure!(*rows == ROWS, "batch {number} has {rows} rows"),
                None => ensure!(*told == Told::Nothing, "the acknowledged batch {number} is lost"),
            }
        }
        let stray = held.keys().find(|number| !book.contains_key(number));
        ensure!(stray.is_none(), "batch {stray:?} was never sent");
        Ok(())
    }

    /// One writer writes rising generations: the table holds one whole generation, no older than the last acknowledged.
    async fn check_last(&self, probe: &Probe, write: Write, sql: &str) -> anyhow::Result<()> {
        let book = self.read(write);
        let Some(acknowledged) = book.iter().rfind(|(_, told)| **told == Told::Done).map(|(number, _)| *number) else {
            return Ok(());
        };
        let held = counts(probe, sql).await?;
        ensure!(held.len() == 1, "a mixture of generations: {held:?}");
        for (generation, rows) in held {
            ensure!(rows == ROWS, "generation {generation} has {rows} rows");
            ensure!(generation >= acknowledged, "generation {acknowledged} was acknowledged, {generation} is there");
            ensure!(book.contains_key(&generation), "generation {generation} was never sent");
        }
        Ok(())
    }
}

/// The bytes of object `number`.
pub fn content(number: u64) -> String {
    format!("object {number} ").repeat(500 + usize::try_from(number % 700).unwrap_or_default())
}

/// number → count, from the two columns of a query. A table that is not there yet counts nothing.
async fn counts(probe: &Probe, sql: &str) -> anyhow::Result<BTreeMap<u64, u64>> {
    let ask = serde_json::json!({ "sql": sql, "max_rows": 100_000 });
    let reply = probe.post("/v1/sql", &ask).await?;
    if reply.status == 400 {
        return Ok(BTreeMap::new());
    }
    let answer = reply.expect(200)?.json()?;
    let number = |value: &Value| value.as_u64().context("a number");
    let rows = answer["rows"].as_array().context("rows")?;
    rows.iter().map(|row| Ok((number(&row[0])?, number(&row[1])?))).collect()
}
