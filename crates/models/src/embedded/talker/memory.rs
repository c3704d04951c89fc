//! What a model keeps of the tokens that it has read: their keys and values, laid out for multiplication.

use crate::embedded::panels::{Panels, WIDTH};
use crate::embedded::talker::weights::Shape;

/// Of a conversation, layer by layer.
pub(crate) struct Memory {
    pub(crate) layers: Vec<Kept>,
    /// How many tokens were read.
    pub(crate) length: usize,
}

/// Of one layer: for each keys and values that heads share.
pub(crate) struct Kept {
    heads: Vec<Head>,
    width: usize,
    length: usize,
}

struct Head {
    /// A token is an output.
    keys: Panels,
    /// A token is an input; a panel's width of outputs in each.
    values: Vec<Panels>,
}

impl Memory {
    /// Of nothing yet, with room for so many tokens.
    pub(crate) fn new(shape: Shape, tokens: usize) -> Self {
        let head = || {
            let values = (0..shape.width / WIDTH).map(|_| Panels::over(0).with_room(tokens)).collect();
            Head { keys: Panels::over(shape.width).with_room(tokens.div_ceil(WIDTH) * shape.width), values }
        };
        let kept = || Kept { heads: (0..shape.shared).map(|_| head()).collect(), width: shape.width, length: 0 };
        Self { layers: (0..shape.layers).map(|_| kept()).collect(), length: 0 }
    }
}

impl Kept {
    /// How many tokens there are.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// One token more.
    pub(crate) fn keep(&mut self, keys: &[f32], values: &[f32]) {
        let tokens = keys.chunks_exact(self.width).zip(values.chunks_exact(self.width));
        for (head, (key, value)) in self.heads.iter_mut().zip(tokens) {
            head.keys.join(self.length, key);
            head.values.iter_mut().zip(value.chunks_exact(WIDTH)).for_each(|(panel, value)| panel.deepen(value));
        }
        self.length += 1;
    }

    /// The keys and the values of one of the heads.
    pub(crate) fn of(&self, head: usize) -> (&Panels, &[Panels]) {
        (&self.heads[head].keys, &self.heads[head].values)
    }
}
