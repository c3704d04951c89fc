//! Parquet footers that would take far more memory than they have bytes, or a deeper stack than there is.

use super::{Value, walk};

/// Columns times row groups, each of which takes memory of its own.
const MAX_CHUNKS: usize = 100_000;
/// How deep columns may be nested, as in JSON: readers go down step by step, on a stack that ends.
const MAX_DEPTH: usize = 128;

/// Says in words what is too large about a footer, or that it does not read. A schema may have four elements, groups among
/// them, for each of so many columns.
pub fn refuse(footer: &[u8], columns: usize) -> Result<(), &'static str> {
    let (mut chunks, mut children, mut depth) = (0, None, Depth::default());
    let mut giant = false;
    let walked = walk(footer, &mut |path, value| {
        match (path, value) {
            ([2], Value::List(count)) => giant |= count > 4 * columns,
            ([2], Value::Structure) => {
                children.replace(0).into_iter().for_each(|children| depth.element(children));
            }
            ([2, 5], Value::Int(count)) => children = Some(count),
            ([4, 1], Value::List(count)) => chunks += count,
            _ => {}
        }
        giant |= chunks > MAX_CHUNKS;
        !giant && depth.deepest <= MAX_DEPTH
    });
    match walked {
        Some(_) => Ok(()),
        None if giant => Err("it has too many columns or row groups"),
        None if depth.deepest > MAX_DEPTH => Err("its columns are nested more than 128 deep"),
        None => Err("its footer is damaged"),
    }
}

/// How deep the elements of a schema lie, which stand one behind the other, each before its children.
#[derive(Default)]
struct Depth {
    /// How many children are to come, from the root inwards.
    open: Vec<i64>,
    deepest: usize,
}

impl Depth {
    fn element(&mut self, children: i64) {
        if children > 0 {
            self.open.push(children);
            // The root is no column.
            self.deepest = self.deepest.max(self.open.len() - 1);
            return;
        }
        while let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                break;
            }
            self.open.pop();
        }
    }
}
