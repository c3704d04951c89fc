//! One pass over a file: a reader splits it into blocks, lanes turn their columns into Parquet.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, ScopedJoinHandle};

use crate::block::Block;
use crate::budget::Budget;
use crate::error::{Error, Result};
use crate::infer::Forms;
use crate::lane::{Lane, Misfit, Order, Seen, Signals};
use crate::layout::{GROUP_BYTES, GROUP_ROWS};
use crate::plan::ColumnPlan;
use crate::progress::Progress;
use crate::reject::Refusals;
use crate::rows::Rows;
use crate::write::ParquetFile;

/// Text between the reader and the lanes.
const IN_FLIGHT: usize = 8 << 20;
/// The most threads that encode columns of one file.
const MAX_LANES: usize = 8;

/// What a pass is over, and to what end.
pub struct Pass<'a, W: Write + Send> {
    /// The columns.
    pub plans: &'a [ColumnPlan],
    /// Whether a refused row makes the rows useless, so that the rest is only counted.
    pub all_or_nothing: bool,
    /// Where the rows go.
    pub file: Option<&'a ParquetFile<W>>,
    /// Raised by others to end the pass.
    pub stop: &'a AtomicBool,
    /// Told how far the pass is.
    pub progress: &'a Progress,
}

/// What a pass found.
pub struct Found {
    /// Rows that were taken.
    pub rows: u64,
    /// The forms of each column; complete only where the type was not fixed.
    pub forms: Vec<Forms>,
    /// Whether a type proved wrong, so that the file written is useless.
    pub retype: bool,
    /// The first value that the table cannot hold.
    pub misfit: Option<Misfit>,
}

impl<W: Write + Send> Pass<'_, W> {
    /// Reads everything: the first block, then what the reader still has.
    pub fn run(&self, first: Option<Block>, reader: &mut Rows, refusals: &mut Refusals) -> Result<Found> {
        let signals = Signals::default();
        let budget = Budget::new(IN_FLIGHT);
        let (rows, seen) = thread::scope(|scope| {
            let mut senders = Vec::new();
            let mut lanes: Vec<ScopedJoinHandle<'_, Result<Seen>>> = Vec::new();
            let mut shares = Vec::new();
            for share in share_out(self.plans) {
                let lane = Lane::new(&share, self.plans, &signals, self.file);
                let (sender, orders) = mpsc::channel();
                senders.push(sender);
                lanes.push(scope.spawn(move || lane.run(orders)));
                shares.push(share);
            }
            let feed = Feed { pass: self, signals: &signals, budget: &budget, shares, lanes: senders };
            let fed = feed.run(first, reader, refusals);
            let seen: Result<Vec<_>> = lanes.into_iter().map(|lane| lane.join().map_err(|_| Error::Lost)?).collect();
            // A lane that failed makes the reader fail as well; the lane's error is the cause.
            seen.and_then(|seen| Ok((fed?, seen)))
        })?;
        let mut forms = vec![Forms::default(); self.plans.len()];
        for (column, form) in seen.into_iter().flatten() {
            forms[column] = form;
        }
        let retype = signals.retyping.load(Ordering::Relaxed);
        Ok(Found { rows, forms, retype, misfit: signals.misfit() })
    }
}

/// The reader's side: blocks in, orders out.
struct Feed<'a, 'b, W: Write + Send> {
    pass: &'b Pass<'a, W>,
    signals: &'b Signals,
    budget: &'b Budget,
    shares: Vec<Vec<usize>>,
    lanes: Vec<Sender<Order<'b>>>,
}

/// How full the row group is that is being filled.
#[derive(Default)]
struct Group {
    number: usize,
    bytes: usize,
    rows: usize,
}

impl<W: Write + Send> Feed<'_, '_, W> {
    /// Sends every block to every lane; answers how many rows there were. Dropping the feed ends the lanes.
    fn run(self, first: Option<Block>, reader: &mut Rows, refusals: &mut Refusals) -> Result<u64> {
        let mut rows = 0;
        let mut group = Group::default();
        let mut next = first;
        while let Some(block) = next {
            if self.pass.stop.load(Ordering::Relaxed) {
                return Err(Error::Lost);
            }
            rows += block.rows() as u64;
            self.pass.progress.at(reader.position(), rows);
            if !(self.pass.all_or_nothing && refusals.total > 0) {
                self.send(block, &mut group)?;
            }
            if self.signals.has_misfit() {
                return Ok(rows);
            }
            next = reader.next(refusals)?;
        }
        self.end(&mut group)?;
        self.pass.progress.at(reader.position(), rows);
        Ok(rows)
    }

    fn send(&self, block: Block, group: &mut Group) -> Result<()> {
        if group.rows == 0 {
            self.begin(group.number)?;
        }
        group.rows += block.rows();
        group.bytes += block.size();
        let size = block.size();
        let block = Arc::new(self.budget.admit(block, size));
        for lane in &self.lanes {
            lane.send(Order::Block(Arc::clone(&block))).map_err(|_| Error::Lost)?;
        }
        drop(block);
        if size > IN_FLIGHT {
            // While a giant row is encoded, no second one is read.
            self.budget.drain();
        }
        if group.bytes >= GROUP_BYTES || group.rows >= GROUP_ROWS {
            self.end(group)?;
        }
        Ok(())
    }

    /// Begins a row group once the one before is out of memory.
    fn begin(&self, group: usize) -> Result<()> {
        let Some(file) = self.pass.file else { return Ok(()) };
        self.budget.drain();
        let mut encoders: Vec<_> = file.encoders(group)?.into_iter().map(Some).collect();
        for (share, lane) in self.shares.iter().zip(&self.lanes) {
            let theirs = share.iter().filter_map(|&column| encoders[column].take()).collect();
            lane.send(Order::Begin(theirs)).map_err(|_| Error::Lost)?;
        }
        Ok(())
    }

    fn end(&self, group: &mut Group) -> Result<()> {
        if group.rows > 0 {
            let over = Arc::new(self.budget.admit(group.number, 1));
            for lane in &self.lanes {
                lane.send(Order::End(Arc::clone(&over))).map_err(|_| Error::Lost)?;
            }
        }
        *group = Group { number: group.number + 1, ..Group::default() };
        Ok(())
    }
}

/// Deals the columns out to as many lanes as there are cores, the heaviest first to the lightest lane.
fn share_out(plans: &[ColumnPlan]) -> Vec<Vec<usize>> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let count = cores.min(MAX_LANES).min(plans.len()).max(1);
    let mut order: Vec<usize> = (0..plans.len()).collect();
    order.sort_by_key(|&column| std::cmp::Reverse(plans[column].weight));
    let mut shares = vec![(0, Vec::new()); count];
    for column in order {
        if let Some((weight, share)) = shares.iter_mut().min_by_key(|(weight, _)| *weight) {
            *weight += plans[column].weight;
            share.push(column);
        }
    }
    shares.into_iter().map(|(_, share)| share).collect()
}
