//! Moves of centres: where two lie among the same rows, one goes to where another stands for rows of several places. Turns
//! of assigning and taking means alone never bring that about.

use rayon::prelude::*;

use crate::kernel::Kernel;
use crate::partitions::{ByteRows, Centres, members};
use crate::rotation::Dice;
use crate::spread::Spread;

/// One centre in so many moves at most.
const MOVERS: usize = 4;

/// A centre that may move.
#[derive(Debug)]
struct Idle {
    centre: usize,
    /// The one that would take its rows.
    beside: usize,
    /// About how much the sum of the squares of all distances grows by that.
    loss: f32,
}

impl Centres {
    /// Moves centres as long as the sum of the squares of all distances is expected to fall: half of what a wide partition
    /// has beyond the usual is what a second centre is thought to save.
    pub fn relocate(&mut self, sample: ByteRows, nearest: &[u32], dice: &mut Dice, kernel: Kernel) {
        let (width, count) = (sample.width, self.steps.len());
        let listed: Vec<u32> = (0..nearest.len() as u32).collect();
        let members = members(nearest, &listed, count);
        let wide = Spread::of(self, sample, &members, kernel).wide();
        let mut wide = wide.into_iter().peekable();
        // Centres next to which nothing else may change in this turn.
        let mut settled = vec![false; count];
        let mut moves = 0;
        for Idle { centre, beside, loss } in self.idle(width, &members, kernel) {
            if settled[centre] || settled[beside] {
                continue;
            }
            while wide.next_if(|(_, wide)| settled[*wide]).is_some() {}
            let Some((_, widest)) = wide.peek().copied().filter(|(excess, _)| excess / 2.0 > loss) else {
                break;
            };
            if widest == centre || widest == beside {
                continue;
            }
            let row = members[widest][(dice.roll() % members[widest].len() as u64) as usize] as usize;
            self.bytes[centre * width..][..width].copy_from_slice(sample.row(row));
            self.steps[centre] = sample.steps[row];
            [centre, beside, widest].into_iter().for_each(|centre| settled[centre] = true);
            moves += 1;
            if moves == count / MOVERS {
                break;
            }
        }
        self.measure(width);
    }

    /// All centres, those first that are missed least.
    fn idle(&self, width: usize, members: &[Vec<u32>], kernel: Kernel) -> Vec<Idle> {
        let queries = self.queries(width);
        let idle = queries.par_iter().enumerate().filter_map(|(centre, query)| {
            let squares = self.squares(query, kernel);
            let others = squares.into_iter().enumerate().filter(|(other, _)| *other != centre);
            let (beside, square) = others.min_by(|a, b| a.1.total_cmp(&b.1))?;
            let [own, others] = [centre, beside].map(|centre| members[centre].len() as f32);
            let loss = own * others / (own + others).max(1.0) * square.max(0.0);
            Some(Idle { centre, beside, loss })
        });
        let mut idle: Vec<Idle> = idle.collect();
        idle.sort_unstable_by(|a, b| a.loss.total_cmp(&b.loss).then(a.centre.cmp(&b.centre)));
        idle
    }
}
