//! Vectors for smokes: made by rule, no two alike, the same in every run.

use serde_json::{Value, json};

/// How many numbers each vector has.
pub const DIMENSION: usize = 16;
/// What a stored vector may be away from itself.
pub const ITSELF: f64 = 1e-6;

/// The vector of a number.
pub fn vector(number: usize) -> Vec<f64> {
    let place = |axis: usize| {
        ((number * 31 + axis * 17) % 97) as f64 / 97.0 + if axis == number % DIMENSION { 1.0 } else { 0.0 }
    };
    (0..DIMENSION).map(place).collect()
}

/// The items of some numbers, as `add` takes them.
pub fn items(numbers: impl IntoIterator<Item = usize>) -> Value {
    let item = |number| json!({ "id": id(number), "vector": vector(number), "metadata": { "number": number } });
    json!({ "items": numbers.into_iter().map(item).collect::<Vec<_>>() })
}

/// The id of the item of a number.
pub fn id(number: usize) -> String {
    format!("p{number:03}")
}
