//! Queries from outside: real files ingested into a real lake, asked through `Query`.

mod answers;
mod damage;
mod guards;
mod lake;
mod pruning;
mod resources;
mod slt;
mod streams;
mod versions;
