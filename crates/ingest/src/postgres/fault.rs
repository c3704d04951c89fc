//! What a failure of the database means for whoever asked.

use tokio_postgres::error::SqlState;

use crate::error::Error;

/// The database's refusal of a query is the asker's to mend, and is told; anything else is between it and us.
pub fn fault(database: &str, error: tokio_postgres::Error) -> Error {
    let database = database.to_owned();
    let Some(told) = error.as_db_error() else { return Error::Upstream { database, source: error } };
    if *told.code() == SqlState::QUERY_CANCELED {
        return Error::UpstreamTimeout { database, source: Some(error) };
    }
    // Classes: connection, resources, limits, operator, system, configuration; 28 is a wrong password.
    let not_the_query = ["08", "28", "3D", "53", "57", "58", "F0", "XX"];
    if not_the_query.contains(&told.code().code().get(..2).unwrap_or_default()) {
        return Error::Upstream { database, source: error };
    }
    let reason = format!("{} (SQLSTATE {})", told.message(), told.code().code());
    Error::Query { reason, source: Some(error) }
}
