//! Turns a waiting file into Parquet files of the lake that nobody sees yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::{ByteSize, DatasetName, Seams};
use catalog::{Catalog, ColumnType, Draft, NewColumn, NewFile, SchemaDiff, Table};
use storage::SpoolFile;
use tokio::runtime::Handle;

use crate::block::Block;
use crate::error::{Error, Result};
use crate::format::Format;
use crate::infer::Forms;
use crate::json::names::Names;
use crate::lane::Misfit;
use crate::layout::Layout;
use crate::pass::{Found, Pass};
use crate::plan::ColumnPlan;
use crate::progress::Progress;
use crate::reject::{Refusals, Rejected};
use crate::request::{Evolve, OnError};
use crate::rows::{Options, Rows};
use crate::shape::{self, Fit};
use crate::store_file::StoreFile;
use crate::unpack::Unpacked;
use crate::write::ParquetFile;

mod columnar;

/// Everything that turning one file into Parquet needs.
pub struct Stage {
    /// The dataset.
    pub name: DatasetName,
    /// Its table, whose types then hold.
    pub table: Option<Arc<Table>>,
    /// The waiting file.
    pub spool: SpoolFile,
    /// How to read it.
    pub options: Options,
    /// What it may unpack to.
    pub unpack_limit: ByteSize,
    /// What to do with rows that cannot be loaded.
    pub on_error: OnError,
    /// What the file may do to the table's columns.
    pub evolve: Evolve,
    /// The ids of the columns that the table had when the load arrived.
    pub arrived: Vec<i32>,
    /// Where drafts come from.
    pub catalog: Catalog,
    /// Chance, for file names.
    pub seams: Seams,
    /// Drives the store's futures from blocking threads.
    pub runtime: Handle,
    /// Told how far it is.
    pub progress: Progress,
    /// Raised when nobody waits any more.
    pub stop: Arc<AtomicBool>,
}

/// Files that are written and not published.
pub struct Staged {
    /// The table they were written for.
    pub draft: Draft,
    /// The files; none when there are no rows.
    pub files: Vec<NewFile>,
    /// Rows in them.
    pub rows: u64,
    /// How many rows were refused.
    pub rejected: u64,
    /// The first of them.
    pub rejected_rows: Vec<Rejected>,
    /// The lake path of the refused lines.
    pub rejected_object: Option<String>,
}

/// How reading the file once ended.
enum Attempt {
    Staged(Staged),
    /// It must be read again, with what is known by now.
    Again(Known),
}

/// What is known of a file from reading it before.
#[derive(Default)]
struct Known {
    /// Its keys, when it is JSON that has more of them than its first rows.
    names: Option<Names>,
    /// The forms of all values, by the columns' places in the file, when its first rows suggested wrong types.
    forms: Vec<Forms>,
}

impl Stage {
    /// Reads the file with the types of its table, or with those that its first rows suggest. When a later row
    /// contradicts them, or has further columns, the rest is only looked at, and the file is read again with columns and
    /// types that hold for all of it.
    pub fn run(self) -> Result<Staged> {
        if self.options.format == Format::Parquet {
            return self.columnar();
        }
        let mut attempt = Attempt::Again(Known::default());
        loop {
            match attempt {
                Attempt::Staged(staged) => return Ok(staged),
                Attempt::Again(known) => attempt = self.attempt(known)?,
            }
        }
    }

    fn attempt(&self, known: Known) -> Result<Attempt> {
        let mut reader = self.rows(known.names.clone())?;
        let mut draft = self.draft(reader.names())?;
        let mut refusals = self.refusals(&draft, &reader);
        let first = reader.next(&mut refusals)?;
        let plans = self.plans(&mut draft, reader.names(), first.as_ref(), &known.forms)?;
        let target = first.as_ref().map(|_| self.store_file(draft.data_path(&self.seams)));
        let file = target.map(|target| parquet_file(target, &draft, &plans)).transpose()?;
        let found = self.pass(&plans, file.as_ref(), first, &mut reader, &mut refusals)?;
        if let Some(misfit) = found.misfit {
            return Err(self.drift_by(&plans, &misfit));
        }
        if let Some(names) = reader.grown(|position| self.goes_on(position, found.rows))? {
            return Ok(Attempt::Again(Known { names: Some(names), forms: Vec::new() }));
        }
        if self.on_error == OnError::Fail && refusals.total > 0 {
            return Err(Error::Rows { total: refusals.total, first: refusals.first });
        }
        if found.retype {
            return Ok(Attempt::Again(Known { forms: by_source(&plans, &found.forms), ..known }));
        }
        if plans.is_empty() {
            return Err(Error::Empty);
        }
        let files = file.into_iter().map(new_file).collect::<Result<_>>()?;
        Self::finish(draft, files, found.rows, refusals).map(Attempt::Staged)
    }

    fn rows(&self, names: Option<Names>) -> Result<Rows> {
        let columns = self.table.iter().flat_map(|table| table.columns()).map(|column| column.name.clone());
        let unpacked = Unpacked::open(self.spool.open()?, self.unpack_limit)?;
        Rows::open(unpacked, self.options, names, columns.collect())
    }

    /// Tells how far the file has been read; answers whether anybody waits for the rest.
    fn goes_on(&self, position: u64, rows: u64) -> bool {
        self.progress.at(position, rows);
        !self.stop.load(Ordering::Relaxed)
    }

    /// The table's draft, or one for a new table of these columns, which are text until more is known.
    fn draft(&self, names: &[String]) -> Result<Draft> {
        let column = |name: &String| NewColumn { name: name.clone(), ty: ColumnType::String };
        match &self.table {
            Some(table) => Ok(table.draft()),
            None => Ok(self.catalog.draft(&self.name, &names.iter().map(column).collect::<Vec<_>>())?),
        }
    }

    fn refusals(&self, draft: &Draft, rows: &Rows) -> Refusals {
        match self.on_error {
            OnError::Fail => Refusals::default(),
            OnError::Skip => {
                let (header, extension) = rows.header();
                let path = format!("{}/rejected/{}.{extension}", draft.location, self.seams.uuid());
                Refusals::kept(header, self.store_file(path))
            }
        }
    }

    /// What is made of each column of the file, in the table's order. Columns that the table does not have join the draft.
    fn plans(
        &self,
        draft: &mut Draft,
        names: &[String],
        first: Option<&Block>,
        known: &[Forms],
    ) -> Result<Vec<ColumnPlan>> {
        let plan = |(place, name): (usize, &String)| ColumnPlan::of(name, first, place);
        let mut plans: Vec<ColumnPlan> = names.iter().enumerate().map(plan).collect();
        plans.iter_mut().zip(known).for_each(|(plan, forms)| plan.retype(*forms));
        if let Some(table) = &self.table {
            self.fit(table, draft, &mut plans)?;
        }
        let classified = self.table.as_ref().map(|table| table.classified()).unwrap_or_default();
        for plan in &mut plans {
            let column = &mut draft.columns[plan.target];
            plan.pii = classified.get(&column.id).copied().unwrap_or_else(|| plan.notice(first));
            column.ty = plan.ty.clone();
            column.pii = plan.pii;
        }
        plans.sort_by_key(|plan| plan.target);
        Ok(plans)
    }

    /// Leads the file's columns to the table's, and new ones to its end. Drift is refused before a row is written.
    fn fit(&self, table: &Table, draft: &mut Draft, plans: &mut [ColumnPlan]) -> Result<()> {
        let types: HashMap<&str, &ColumnType> =
            table.columns().iter().map(|column| (column.name.as_str(), &column.ty)).collect();
        for plan in &mut *plans {
            if let Some(&ty) = types.get(plan.name.as_str()) {
                (plan.ty, plan.fixed) = (ty.clone(), true);
            }
        }
        let given: Vec<NewColumn> = plans.iter().map(ColumnPlan::column).collect();
        let Fit { known, added } = shape::fit(&self.name, table.columns(), &given, self.evolve, &self.arrived)?;
        draft.extend(&added.iter().map(|&place| given[place].clone()).collect::<Vec<_>>());
        for (target, source) in known.into_iter().chain(added.into_iter().map(Some)).enumerate() {
            if let Some(source) = source {
                plans[source].target = target;
            }
        }
        Ok(())
    }

    fn drift_by(&self, plans: &[ColumnPlan], misfit: &Misfit) -> Error {
        let plan = &plans[misfit.column];
        self.drift(SchemaDiff::misfit(&plan.name, &plan.ty.name(), misfit.line).by(&misfit.given))
    }

    fn drift(&self, diff: SchemaDiff) -> Error {
        catalog::Error::drift(&self.name, diff).into()
    }

    fn store_file(&self, path: String) -> StoreFile {
        StoreFile::new(self.catalog.store().clone(), path, self.runtime.clone())
    }

    fn pass(
        &self,
        plans: &[ColumnPlan],
        file: Option<&ParquetFile<StoreFile>>,
        first: Option<Block>,
        reader: &mut Rows,
        refusals: &mut Refusals,
    ) -> Result<Found> {
        let pass = Pass {
            plans,
            all_or_nothing: self.on_error == OnError::Fail,
            file,
            stop: &self.stop,
            progress: &self.progress,
        };
        pass.run(first, reader, refusals)
    }

    fn finish(draft: Draft, files: Vec<NewFile>, rows: u64, refusals: Refusals) -> Result<Staged> {
        let (rejected, rejected_rows) = (refusals.total, refusals.first.clone());
        let rejected_object = refusals.into_file().map(|mut file| file.finish()).transpose()?.map(|(path, _)| path);
        Ok(Staged { draft, files, rows, rejected, rejected_rows, rejected_object })
    }
}

fn parquet_file(target: StoreFile, draft: &Draft, plans: &[ColumnPlan]) -> Result<ParquetFile<StoreFile>> {
    let repeats: Vec<bool> = plans.iter().map(|plan| plan.repeats).collect();
    let personal: Vec<bool> = plans.iter().map(|plan| plan.pii.is_some()).collect();
    let targets: Vec<usize> = plans.iter().map(|plan| plan.target).collect();
    ParquetFile::create(
        target,
        Layout::new(&draft.arrow_schema().map_err(catalog::Error::from)?.project(&targets)?, &repeats, &personal)?,
    )
}

/// Completes a file and makes it visible to those who know its path.
pub fn new_file(file: ParquetFile<StoreFile>) -> Result<NewFile> {
    let (footer, (path, size)) = file.finish(|target| Ok(target.finish()?))?;
    Ok(NewFile { path, footer: Arc::new(footer), size })
}

/// Forms by the columns' places in the file.
fn by_source(plans: &[ColumnPlan], forms: &[Forms]) -> Vec<Forms> {
    let mut by_source = vec![Forms::default(); plans.len()];
    plans.iter().zip(forms).for_each(|(plan, forms)| by_source[plan.source] = *forms);
    by_source
}
