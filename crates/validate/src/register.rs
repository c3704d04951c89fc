//! A table of workers as a roster reads it: which columns count, and what their values mean.

/// The column of ids: texts, or whole numbers.
pub const ID: &str = "worker_id";
/// The columns that a table needs to be a roster.
pub const NEEDED: [&str; 2] = [ID, "name"];
/// What is read of each worker, as far as the table has it: the members of [`Row`](crate::Row) up to the status.
pub const COLUMNS: [&str; 6] = [ID, "name", "role", "city", "state", "blacklist"];
/// Columns that say whether a worker is active; the first that says something of a worker counts.
pub const STANDING: [&str; 2] = ["status", "availability"];

/// What belongs before ids that the table has as whole numbers: the worker 17 is `W-17`.
pub const PREFIX: &str = "W-";

/// Whether a status says that somebody works: the word `active`, `true`, or a number over 0.
pub fn is_active(status: &str) -> bool {
    let status = status.trim();
    match status.parse::<f64>() {
        Ok(number) => number > 0.0,
        Err(_) => status.eq_ignore_ascii_case("active") || status.eq_ignore_ascii_case("true"),
    }
}
