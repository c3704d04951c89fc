//! How much of an answer a model is given.

use serde_json::Value;

#[cfg(test)]
mod tests;

/// Items at most: rows, hits, datasets, vectors.
pub const ITEMS: usize = 200;
/// Bytes at most, as JSON.
pub const BYTES: usize = 48_000;

/// The part of a list that fits, and whether that is not all.
pub struct Capped {
    /// The first items.
    pub items: Vec<Value>,
    /// Whether there were more.
    pub truncated: bool,
}

/// As many of the first items as fit; one that is too large by itself is left out with those behind it.
pub fn cap(mut items: Vec<Value>) -> Capped {
    let given = items.len();
    items.truncate(ITEMS);
    let Capped { items, .. } = fitting(items);
    Capped { truncated: items.len() < given, items }
}

/// As many of the first items as their bytes allow, whatever their number: for columns, and the like.
pub fn fitting(items: Vec<Value>) -> Capped {
    let (given, mut room) = (items.len(), BYTES);
    let fits = |item: &Value| {
        let size = item.to_string().len() + 1;
        let fits = size <= room;
        room = room.saturating_sub(size);
        fits
    };
    let items: Vec<Value> = items.into_iter().take_while(fits).collect();
    Capped { truncated: items.len() < given, items }
}
