//! Turns a waiting file into Parquet files of the lake that nobody sees yet.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base::{DatasetName, Seams};
use catalog::{Catalog, Column, ColumnType, Draft, NewColumn, NewFile, SchemaDiff, Table};
use storage::SpoolFile;
use tokio::runtime::Handle;

use crate::block::Block;
use crate::csv::reader::{Options, Reader};
use crate::error::{Error, Result};
use crate::infer::Forms;
use crate::lane::Misfit;
use crate::layout::Layout;
use crate::pass::{Found, Pass};
use crate::plan::ColumnPlan;
use crate::progress::Progress;
use crate::reject::{Refusals, Rejected};
use crate::request::OnError;
use crate::store_file::StoreFile;
use crate::write::ParquetFile;

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
    /// What to do with rows that cannot be loaded.
    pub on_error: OnError,
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
    /// The types were wrong; these forms are of all the values.
    Retype(Vec<Forms>),
}

impl Stage {
    /// Reads the file with the types of its table, or with those that its first rows suggest. When a later row
    /// contradicts them, the rest is only looked at, and the file is read again with types that hold for all of it.
    pub fn run(self) -> Result<Staged> {
        let mut attempt = Attempt::Retype(Vec::new());
        loop {
            match attempt {
                Attempt::Staged(staged) => return Ok(staged),
                Attempt::Retype(forms) => attempt = self.attempt(&forms)?,
            }
        }
    }

    fn attempt(&self, known: &[Forms]) -> Result<Attempt> {
        let mut reader = Reader::open(self.spool.open()?, self.options)?;
        let mut draft = self.draft(reader.names())?;
        let mut refusals = self.refusals(&draft, reader.header());
        let first = reader.next(&mut refusals)?;
        let plans = self.plans(reader.names(), first.as_ref(), known);
        self.refuse_drift(&plans)?;
        set_types(&mut draft.columns, &plans);
        let target = first.as_ref().map(|_| self.store_file(draft.data_path(&self.seams)));
        let file = target.map(|target| parquet_file(target, &draft, &plans)).transpose()?;
        let found = self.pass(&plans, file.as_ref(), first, &mut reader, &mut refusals)?;
        if let Some(misfit) = found.misfit {
            return Err(self.drift_by(&plans, &misfit));
        }
        if self.on_error == OnError::Fail && refusals.total > 0 {
            return Err(Error::Rows { total: refusals.total, first: refusals.first });
        }
        if found.retype {
            return Ok(Attempt::Retype(found.forms));
        }
        let files = file.into_iter().map(new_file).collect::<Result<_>>()?;
        Self::finish(draft, files, found.rows, refusals).map(Attempt::Staged)
    }

    /// The table's draft, or one for a new table of these columns, which are text until more is known.
    fn draft(&self, names: &[String]) -> Result<Draft> {
        let column = |name: &String| NewColumn { name: name.clone(), ty: ColumnType::String };
        match &self.table {
            Some(table) => Ok(table.draft()),
            None => Ok(self.catalog.draft(&self.name, &names.iter().map(column).collect::<Vec<_>>())?),
        }
    }

    fn refusals(&self, draft: &Draft, header: &[u8]) -> Refusals {
        match self.on_error {
            OnError::Fail => Refusals::default(),
            OnError::Skip => {
                let path = format!("{}/rejected/{}.csv", draft.location, self.seams.uuid());
                Refusals::kept(header, self.store_file(path))
            }
        }
    }

    fn plans(&self, names: &[String], first: Option<&Block>, known: &[Forms]) -> Vec<ColumnPlan> {
        let table: Vec<&Column> = self.table.iter().flat_map(|table| table.columns()).collect();
        let plan = |(index, name): (usize, &String)| {
            let mut plan = ColumnPlan::of(name, first, index);
            if let Some(forms) = known.get(index) {
                plan.forms = *forms;
                plan.ty = forms.decide();
            }
            if let Some(column) = table.iter().find(|column| column.name == *name) {
                plan.ty = column.ty.clone();
            }
            plan
        };
        names.iter().enumerate().map(plan).collect()
    }

    /// A file whose columns are not the table's, in the table's order, is refused before a row is written.
    fn refuse_drift(&self, plans: &[ColumnPlan]) -> Result<()> {
        let Some(table) = &self.table else { return Ok(()) };
        let given = plans.iter().map(|plan| NewColumn { name: plan.name.clone(), ty: plan.ty.clone() });
        let diff = SchemaDiff::between(table.columns(), &given.collect::<Vec<_>>());
        if diff.is_empty() { Ok(()) } else { Err(catalog::Error::drift(&self.name, diff).into()) }
    }

    fn drift_by(&self, plans: &[ColumnPlan], misfit: &Misfit) -> Error {
        let plan = &plans[misfit.column];
        catalog::Error::drift(&self.name, SchemaDiff::misfit(&plan.name, &plan.ty.name(), misfit.line)).into()
    }

    fn store_file(&self, path: String) -> StoreFile {
        StoreFile::new(self.catalog.store().clone(), path, self.runtime.clone())
    }

    fn pass(
        &self,
        plans: &[ColumnPlan],
        file: Option<&ParquetFile<StoreFile>>,
        first: Option<Block>,
        reader: &mut Reader,
        refusals: &mut Refusals,
    ) -> Result<Found> {
        let pass = Pass {
            plans,
            fixed: self.table.is_some(),
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
    ParquetFile::create(target, Layout::new(draft.arrow_schema()?.as_ref(), &repeats)?)
}

/// Completes a file and makes it visible to those who know its path.
pub fn new_file(file: ParquetFile<StoreFile>) -> Result<NewFile> {
    let (footer, (path, size)) = file.finish(|target| Ok(target.finish()?))?;
    Ok(NewFile { path, footer: Arc::new(footer), size })
}

fn set_types(columns: &mut [Column], plans: &[ColumnPlan]) {
    for (column, plan) in columns.iter_mut().zip(plans) {
        column.ty = plan.ty.clone();
    }
}
