//! Matrices laid out for multiplication: panels of 32 outputs, in each of which the inputs follow one another.

/// How many outputs a panel has: two registers of AVX-512, and exactly one attention head.
pub(crate) const WIDTH: usize = 32;

/// The weights of one input in one panel, aligned so that no load crosses a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Wide(pub(crate) [f32; WIDTH]);

impl Wide {
    pub(crate) const ZERO: Self = Self([0.0; WIDTH]);
}

/// A matrix of `inputs` × `outputs`, in panels; outputs beyond the last are zero.
#[derive(Debug, Default)]
pub(crate) struct Panels {
    inputs: usize,
    wides: Vec<Wide>,
}

impl Panels {
    /// A matrix of which `weight(output, input)` is one number.
    pub(crate) fn of(inputs: usize, outputs: usize, weight: impl Fn(usize, usize) -> f32) -> Self {
        let weight = |output, input| if output < outputs { weight(output, input) } else { 0.0 };
        let places = (0..outputs).step_by(WIDTH).flat_map(|first| (0..inputs).map(move |input| (first, input)));
        let wide = |(first, input)| Wide(std::array::from_fn(|lane| weight(first + lane, input)));
        Self { inputs, wides: places.map(wide).collect() }
    }

    /// Becomes one panel, of which each row is an input.
    pub(crate) fn take<'a>(&mut self, rows: impl ExactSizeIterator<Item = &'a [f32]>) {
        self.inputs = rows.len();
        self.wides.clear();
        self.wides.extend(rows.filter_map(|row| row.first_chunk().copied().map(Wide)));
    }

    /// Becomes panels of which each row is an output.
    pub(crate) fn turn<'a>(&mut self, rows: impl ExactSizeIterator<Item = &'a [f32]>) {
        self.inputs = WIDTH;
        self.wides.clear();
        self.wides.resize(rows.len().next_multiple_of(WIDTH), Wide::ZERO);
        for (output, row) in rows.enumerate() {
            let panel = &mut self.wides[output / WIDTH * WIDTH..][..WIDTH];
            panel.iter_mut().zip(row).for_each(|(wide, x)| wide.0[output % WIDTH] = *x);
        }
    }

    /// No outputs yet, of so many inputs.
    pub(crate) fn over(inputs: usize) -> Self {
        Self { inputs, wides: Vec::new() }
    }

    /// The same, with room for so many panels' rows: what grows row by row would take twice as much.
    pub(crate) fn with_room(mut self, wides: usize) -> Self {
        self.wides.reserve_exact(wides);
        self
    }

    /// One output more, the one after `output` others.
    pub(crate) fn join(&mut self, output: usize, row: &[f32]) {
        let (panel, lane) = (output / WIDTH * self.inputs, output % WIDTH);
        if lane == 0 {
            self.wides.resize(panel + self.inputs, Wide::ZERO);
        }
        self.wides[panel..].iter_mut().zip(row).for_each(|(wide, x)| wide.0[lane] = *x);
    }

    /// One input more, of a matrix of one panel.
    pub(crate) fn deepen(&mut self, row: &[f32]) {
        self.inputs += 1;
        self.wides.extend(row.first_chunk().copied().map(Wide));
    }

    /// One of the panels.
    pub(crate) fn panel(&self, at: usize) -> &[Wide] {
        &self.wides[at * self.inputs..][..self.inputs]
    }

    /// The panels, in the order of their outputs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Wide]> {
        self.wides.chunks_exact(self.inputs.max(1))
    }
}

/// One number per output, in the order of the panels.
pub(crate) fn wide(numbers: &[f32]) -> Vec<Wide> {
    let mut wides = vec![Wide::ZERO; numbers.len().div_ceil(WIDTH)];
    for (wide, numbers) in wides.iter_mut().zip(numbers.chunks(WIDTH)) {
        wide.0[..numbers.len()].copy_from_slice(numbers);
    }
    wides
}
