//! Every measure as a Euclidean one: rows and queries are placed so that nearer in the measure is nearer in space.
//!
//! Cosine: vectors of length 1. Inner product: rows get one more dimension that makes them equally long (where they are
//! not already), queries have length 1. All are scaled to lengths of at most 1 and moved so that their mean is the origin.

use base::Distance;

use crate::kernel::Kernel;

/// Lengths between which single precision neither overflows nor vanishes, squares included.
const PLAIN_LENGTHS: std::ops::Range<f64> = 1e-15..1e18;
/// Rows longer than this many times what nearly all rows have would leave those no room in single precision.
const OUTLYING: f64 = 4.0;
/// Rows are as good as equally long when their lengths differ by no more than rounding makes of length 1.
const EVEN: f64 = 1e-6;
/// How far beyond all rows a query may lie: farther away, single precision does not tell the rows apart.
const FARTHEST: f64 = 1e3;

/// How vectors are placed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Space {
    pub way: Way,
    /// What Euclidean rows and those of products are multiplied with, or would be if they were not of length 1 anyway.
    pub scale: f64,
    /// The origin, in scaled numbers; as many as a vector has.
    pub mean: Vec<f32>,
}

/// What placing does beside moving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To length 1.
    Unit,
    /// Scaled.
    Scaled,
    /// Scaled, and raised to length 1 by one more dimension.
    Raised,
}

impl Space {
    /// The space for vectors of this dimension, one after another.
    pub fn of(vectors: &[f32], dimension: usize, measure: Distance, kernel: Kernel) -> Self {
        let lengths: Vec<f64> =
            vectors.chunks_exact(dimension).map(|row| kernel.dot_precisely(row, row).sqrt()).collect();
        let way = match measure {
            Distance::Cosine => Way::Unit,
            Distance::Euclidean => Way::Scaled,
            Distance::Dot if even(&lengths) => Way::Unit,
            Distance::Dot => Way::Raised,
        };
        let mut space = Self { way, scale: 1.0, mean: vec![0.0; dimension] };
        if way == Way::Unit {
            space.center(vectors, &lengths, PLAIN_LENGTHS.end);
            if measure == Distance::Dot {
                space.scale = 1.0 / lengths.first().copied().unwrap_or(1.0);
            }
            return space;
        }
        space.scale = 1.0 / limit(&lengths);
        space.center(vectors, &lengths, 1.0 / space.scale);
        let mut placed = vec![0.0; dimension];
        let moved: Vec<f64> = vectors
            .chunks_exact(dimension)
            .map(|row| {
                space.shift(row, space.scale, &mut placed);
                kernel.dot_precisely(&placed, &placed).sqrt()
            })
            .collect();
        let limit = limit(&moved);
        let longest = moved.into_iter().filter(|length| *length <= limit).fold(0.0, f64::max);
        if longest > 0.0 {
            space.scale /= longest;
            space.mean.iter_mut().for_each(|value| *value = (f64::from(*value) / longest) as f32);
        }
        space
    }

    /// Moves the origin to the mean of the rows that are not longer than this.
    fn center(&mut self, vectors: &[f32], lengths: &[f64], longest: f64) {
        let mut sums = vec![0.0; self.mean.len()];
        let mut count = 0.0;
        for (row, length) in vectors.chunks_exact(sums.len()).zip(lengths) {
            if let Some(factor) = self.factor(*length).filter(|_| *length <= longest) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value) * factor);
                count += 1.0;
            }
        }
        if count > 0.0 {
            self.mean.iter_mut().zip(sums).for_each(|(mean, sum)| *mean = (sum / count) as f32);
        }
    }

    /// What a row of this length is multiplied with; none where only double precision will do.
    fn factor(&self, length: f64) -> Option<f64> {
        match self.way {
            Way::Unit => PLAIN_LENGTHS.contains(&length).then(|| 1.0 / length),
            Way::Scaled | Way::Raised => (length < PLAIN_LENGTHS.end).then_some(self.scale),
        }
    }

    /// Numbers that a placed vector has at least.
    pub fn width(&self) -> usize {
        self.mean.len() + usize::from(self.way == Way::Raised)
    }

    /// Places a row; false where only double precision will do.
    pub fn place(&self, row: &[f32], placed: &mut [f32], kernel: Kernel) -> bool {
        let Some(factor) = self.factor(kernel.dot_precisely(row, row).sqrt()) else {
            return false;
        };
        placed.fill(0.0);
        self.shift(row, factor, placed);
        if self.way == Way::Unit {
            return true;
        }
        let square = kernel.dot_precisely(placed, placed);
        if self.way == Way::Raised {
            placed[row.len()] = (1.0 - square).max(0.0).sqrt() as f32;
        }
        square <= 1.0 + f64::from(f32::EPSILON)
    }

    /// Places a query; false where only double precision will do.
    pub fn aim(&self, query: &[f32], placed: &mut [f32], kernel: Kernel) -> bool {
        placed.fill(0.0);
        let length = kernel.dot_precisely(query, query).sqrt();
        if self.way == Way::Scaled {
            self.shift(query, self.scale, placed);
            return kernel.dot_precisely(placed, placed).sqrt() < FARTHEST;
        }
        if self.way == Way::Unit {
            self.shift(query, 1.0 / length, placed);
        } else {
            placed.iter_mut().zip(query).for_each(|(placed, value)| *placed = (f64::from(*value) / length) as f32);
        }
        length > 0.0
    }

    /// The square of the distance, in this space, of rows that have this score for a query that was aimed.
    pub fn square(&self, query: &[f32], measure: Distance, score: f64, kernel: Kernel) -> f64 {
        let length = kernel.dot_precisely(query, query).sqrt();
        let cosine = if measure == Distance::Dot { score * self.scale / length } else { score };
        match self.way {
            Way::Scaled => score * self.scale * self.scale,
            Way::Unit => 2.0 + 2.0 * cosine,
            Way::Raised => 2.0 + 2.0 * cosine + 2.0 * kernel.dot_precisely(query, &self.mean) / length,
        }
    }

    fn shift(&self, vector: &[f32], factor: f64, placed: &mut [f32]) {
        for ((placed, value), mean) in placed.iter_mut().zip(vector).zip(&self.mean) {
            *placed = (f64::from(*value) * factor - f64::from(*mean)) as f32;
        }
    }
}

/// The length up to which a row is no outlier; never 0.
fn limit(lengths: &[f64]) -> f64 {
    let mut lengths: Vec<f64> = lengths.iter().copied().filter(|length| *length < PLAIN_LENGTHS.end).collect();
    let most = (lengths.len() * 999 / 1000).min(lengths.len().saturating_sub(1));
    if lengths.is_empty() {
        return 1.0;
    }
    let (_, nearly_all, _) = lengths.select_nth_unstable_by(most, f64::total_cmp);
    let limit = *nearly_all * OUTLYING;
    if limit > 0.0 { limit } else { 1.0 }
}

fn even(lengths: &[f64]) -> bool {
    let longest = lengths.iter().copied().fold(0.0, f64::max);
    PLAIN_LENGTHS.contains(&longest) && lengths.iter().all(|length| *length >= longest * (1.0 - EVEN))
}
