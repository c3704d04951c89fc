//! What signs prove: a distance that a row has at least.
//!
//! With the row's residual r, its signs s and the share a = Σ|r| / dimensions, r is a·s and a rest that is orthogonal to s.
//! With the centre c and the query q, nothing is known of the rest but its length, so the square of the distance is at
//! least |q-c|² + floor - a · 2<s,q> - slack · |q-c|, where floor = |r|² + 2a<s,c> and slack is twice the length of the rest.
//! All of it is measured in the space of `space`: floors are squares of its distances, shares and slacks its distances.

use crate::kernel::BLOCK;

/// One number for each row of a block, as it lies in the codes.
pub(crate) type Numbers = [[u8; 4]; BLOCK];

/// Bytes of the bounds of one block: floors, shares, slacks.
pub(crate) const SIZE: usize = 3 * size_of::<Numbers>();

/// The bounds of one block's rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds<'a>(pub &'a [u8; SIZE]);

impl<'a> Bounds<'a> {
    /// What sums over signs are multiplied with.
    pub fn shares(self) -> &'a Numbers {
        let [_, shares, _] = self.parts();
        shares
    }

    /// What the squares of distances are at least where all sums are 0, for a query so far from the centre.
    pub fn floors(self, far: f32) -> Numbers {
        let [floors, _, slacks] = self.parts();
        std::array::from_fn(|n| (f32::from_le_bytes(floors[n]) - f32::from_le_bytes(slacks[n]) * far).to_le_bytes())
    }

    fn parts(self) -> [&'a Numbers; 3] {
        let (parts, _) = self.0.as_chunks::<4>().0.as_chunks();
        [&parts[0], &parts[1], &parts[2]]
    }
}

/// Makes bounds that are to be filled: places without a row are infinitely far away.
pub(crate) fn clear(bytes: &mut [u8]) {
    bytes.fill(0);
    bytes.as_chunks_mut().0[..BLOCK].fill(f32::INFINITY.to_le_bytes());
}

/// Writes the bounds of one row into its place.
pub(crate) fn encode(row: &[f32], centre: &[f32], place: usize, bytes: &mut [u8]) {
    let (mut square, mut total, mut along) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (value, centre) in row.iter().zip(centre) {
        let (residual, centre) = (f64::from(value - centre), f64::from(*centre));
        square += residual * residual;
        total += residual.abs();
        along += if residual > 0.0 { centre } else { -centre };
    }
    let share = total / row.len() as f64;
    let rest = (square - share * total).max(0.0).sqrt();
    let numbers = [square + 2.0 * share * along, share, 2.0 * rest];
    let places = bytes.as_chunks_mut::<4>().0;
    for (part, number) in numbers.into_iter().enumerate() {
        places[part * BLOCK + place] = (number as f32).to_le_bytes();
    }
}
