//! Names that streams have: SQL would find a table there and never the stream, so no table comes to have one.

use base::DatasetName;
use base::name::DEFAULT_NAMESPACE;
use storage::Store;

use crate::error::{Error, Result};
use crate::record::Change;
use crate::state::State;

/// Where streams lie, each in a folder of its name.
const STREAMS: &str = "streams/";
/// The streams that the house itself writes: their names are taken before anything was appended.
const OWN: [&str; 4] = ["sessions", "chats", "searches", "validations"];

/// Refuses changes that give a table the name of a stream. Tables that have one already keep it.
pub(crate) async fn refuse(store: &Store, state: &State, changes: &[Change]) -> Result<()> {
    for change in changes {
        let Change::TablePut(put) = change else { continue };
        if !state.tables.contains_key(&put.name) && is_claimed(store, &put.name).await? {
            return Err(Error::NameOfStream { name: put.name.clone() });
        }
    }
    Ok(())
}

/// Whether SQL finds a stream under a name, which it reads without regard to case.
async fn is_claimed(store: &Store, name: &DatasetName) -> Result<bool> {
    if !name.namespace().eq_ignore_ascii_case(DEFAULT_NAMESPACE) {
        return Ok(false);
    }
    let stream = name.table().to_ascii_lowercase();
    let files = format!("{STREAMS}{stream}/");
    Ok(OWN.contains(&stream.as_str()) || !store.list(&files, None, 1).await?.entries.is_empty())
}
