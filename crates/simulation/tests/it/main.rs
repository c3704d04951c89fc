//! Three writers on a store that fails, over many seeds.

mod simulate;
